"""The data sets that come with the package: on generated copies, through the command line, and on real label files."""

import json
import shutil
from pathlib import Path

import layouts
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from parsing import EXPERIMENTS, built, parsed, with_configs
from real_data import real_folder

from lightning_imbal import data as data_sets
from lightning_imbal.cli import main
from lightning_imbal.data.sets.aptos import APTOS2019
from lightning_imbal.data.sets.chest_xray import COUNTS as XRAY_FINDINGS
from lightning_imbal.data.sets.chest_xray import ChestXray14, XRay6, XRay9
from lightning_imbal.data.sets.chula_rbc12 import ChulaRBC12
from lightning_imbal.data.sets.dogs import StanfordDogsLT
from lightning_imbal.data.sets.eyepacs import EyePACS
from lightning_imbal.data.sets.flowers import Flowers102LT
from lightning_imbal.data.sets.fundus_dr import TOP as FUNDUS_TOP
from lightning_imbal.data.sets.fundus_dr import FundusDR
from lightning_imbal.data.sets.hyper_kvasir import HyperKvasir
from lightning_imbal.data.sets.isic import ISIC2018, ISIC2019
from lightning_imbal.data.sets.medmnist import MedMNIST, StackedImages
from lightning_imbal.data.sets.messidor import Messidor2
from lightning_imbal.data.sets.own_csv import CSVData
from lightning_imbal.data.sets.own_folder import FolderData
from lightning_imbal.data.splits import Holdout, KFold, Official, OfficialFold
from lightning_imbal.errors import DatasetNotFoundError, UserError

TINY = [
    *("--model.backbone", "test_resnet", "--data.image_size", "32", "--data.batch_size", "16"),
    *("--data.num_workers", "0", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"),
    *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
]

# Name, class, its arguments, layout, parts of the default split, files that are looked for.
CASES = {
    "isic2019": (
        *(ISIC2019, {}, layouts.isic2019, "train test"),
        ["ISIC_2019_Training_Input", "ISIC_2019_Training_GroundTruth.csv", "ISIC_2019_Training_Metadata.csv"],
    ),
    "aptos2019": (APTOS2019, {}, layouts.aptos, "train test", ["train.csv", "train_images"]),
    "eyepacs": (
        *(EyePACS, {}, layouts.eyepacs, "train val test"),
        ["trainLabels.csv", "train", "retinopathy_solution.csv", "test"],
    ),
    "messidor2": (Messidor2, {}, layouts.messidor2, "test", ["messidor_data.csv", "IMAGES"]),
    "hyper_kvasir": (
        *(HyperKvasir, {}, layouts.hyper_kvasir, "train val test"),
        ["image-labels.csv", "labeled-images"],
    ),
    "chest_xray14": (
        *(ChestXray14, {}, layouts.chest_xray14, "train test"),
        ["Data_Entry_2017_v2020.csv.gz", "train_val_list.txt", "test_list.txt"],
    ),
    "xray9": (XRay9, {}, layouts.chest_xray14, "train val test", []),
    "xray6": (XRay6, {}, layouts.chest_xray14, "train test", []),
    "medmnist": (MedMNIST, {"flag": "retinamnist"}, layouts.medmnist, "train val test", ["retinamnist.npz"]),
    "pathmnist_lt": (MedMNIST, {"flag": "pathmnist", "ratio": 100}, layouts.pathmnist, "train val test", []),
    "octmnist": (MedMNIST, {"flag": "octmnist"}, layouts.octmnist, "train val test", []),
    "flowers102_lt": (
        *(Flowers102LT, {}, layouts.flowers, "train val test"),
        ["jpg", "imagelabels.mat", "setid.mat"],
    ),
    "stanford_dogs_lt": (StanfordDogsLT, {}, layouts.dogs, "train val test", ["Images", "lists"]),
    "chula_rbc12": (ChulaRBC12, {}, layouts.chula_rbc12, "train val test", ["Dataset", "Label"]),
    "fundus_dr": (FundusDR, {}, layouts.fundus_dr, "train val test", [FUNDUS_TOP]),
    "csv": (
        *(CSVData, {"labels": "labels.csv", "split_column": "part", "group_column": "patient"}, layouts.csv_data),
        *("train val test", []),
    ),
    "folder": (FolderData, {}, layouts.folder_data, "train val test", []),
}
SHIPPED = [name for name in CASES if name not in ("csv", "folder", "chest_xray14")]
TRAINED = [name for name in SHIPPED if name not in ("eyepacs", "messidor2", "medmnist")]


@pytest.fixture(scope="session")
def layout(tmp_path_factory):
    """The folder of a generated data set, made once; do not write into it."""
    made = {}

    def make(name):
        write = CASES[name][2]
        if write not in made:
            made[write] = write(tmp_path_factory.mktemp(name))
        return made[write]

    return make


@pytest.fixture
def make(layout):
    """Builds the data set of a case on its generated folder."""

    def build(name, root=None, **kwargs):
        cls, own = CASES[name][:2]
        settings = {"image_size": 16, "batch_size": 8, "num_workers": 0, **own, **kwargs}
        return cls(str(root or layout(name)), **settings)

    return build


@pytest.fixture
def linked(layout, tmp_path):
    """A folder with links to all but some files of a generated data set, which a test may change."""

    def link(name, without=()):
        root = tmp_path / "linked"
        root.mkdir()
        for entry in layout(name).iterdir():
            if entry.name not in without:
                (root / entry.name).symlink_to(entry)
        return root

    return link


def part_counts(data):
    return data.table["part"].value_counts().to_dict()


def by_class(data, part=None):
    label = data.table["label"] if part is None else data.table["label"][data.rows(part)]
    return np.bincount(label, minlength=len(data.class_names)).tolist()


@pytest.mark.parametrize("name", CASES)
class TestLayouts:
    def test_no_picture_is_opened_for_the_split(self, name, make, no_decoder):
        data = make(name)
        expected = set(CASES[name][3].split())
        assert set(data.table["part"]) - {""} == expected
        assert min(by_class(data)) >= 6 and len(set(data.class_names)) == len(data.class_names)
        if "train" in expected:
            assert data.class_counts == by_class(data, "train")

    def test_labels_belong_to_their_images(self, name, make):
        data = make(name)
        rows = np.random.default_rng(0).permutation(len(data.index))[:150]
        label = data.index["label"].to_numpy()
        colour = [layouts.class_of(data.images[row]) for row in rows]
        names = getattr(data, "default_findings", None)
        expected = [list(XRAY_FINDINGS).index(names[i]) for i in label[rows]] if names else label[rows].tolist()
        assert colour == expected

    def test_batch(self, name, make):
        batch = next(iter(make(name).test_dataloader()))
        assert batch["image"].shape[1:] == (3, 16, 16) and batch["image"].dtype == torch.uint8

    def test_every_missing_file_is_named(self, name, make, linked):
        for file in CASES[name][4]:
            root = linked(name, without=[file])
            with pytest.raises(DatasetNotFoundError, match="http") as refusal:
                _ = make(name, root).index
            pattern = {"Data_Entry_2017_v2020.csv.gz": "Data_Entry_2017", "IMAGES": "images", "lists": "test_list.mat"}
            assert pattern.get(file, file) in str(refusal.value) and str(root) in str(refusal.value)
            shutil.rmtree(root)


@pytest.mark.parametrize("split", [Holdout(test=0.3, val=0.2), KFold(folds=3, fold=1)], ids=["holdout", "fold"])
@pytest.mark.parametrize("name", ["isic2019", "eyepacs", "xray9", "fundus_dr", "csv"])
def test_groups_stay_on_one_side(name, split, make):
    table = make(name, split=split, group_by=CASES[name][0].group_name or "patient").table
    known = table[table["group"].notna()]
    assert (known.groupby("group")["part"].nunique() == 1).all()
    assert known.groupby("group").size().max() == 2
    assert {"train", "test"} <= set(table["part"])


@pytest.mark.parametrize(
    "name, file, column",
    [
        ("aptos2019", "train.csv", "diagnosis"),
        ("eyepacs", "retinopathy_solution.csv", "level"),
        ("messidor2", "messidor_data.csv", "adjudicated_dr_grade"),
        ("hyper_kvasir", "image-labels.csv", "Finding"),
    ],
)
def test_label_that_is_no_class_is_named(name, file, column, make, layout, linked):
    root = linked(name, without=[file])
    table = pd.read_csv(layout(name) / file)
    table[column] = table[column].astype(object)
    table.loc[3, column] = 7
    table.to_csv(root / file, index=False)
    with pytest.raises(UserError, match=rf"{file} gives {table.iloc[3, 0]} the label .*7.* \(1 such rows\)"):
        _ = make(name, root).index


def test_diabetic_retinopathy_has_the_same_grades_everywhere():
    assert APTOS2019.class_names == EyePACS.class_names == Messidor2.class_names == FundusDR.class_names


class TestEyePACS:
    def test_parts_are_official(self, make):
        table = make("eyepacs").table
        assert (table["official"] == table["part"].replace("val", "train")).all()
        assert part_counts(make("eyepacs")) == {"train": 64, "val": 8, "test": 38}
        assert table.groupby("group").size().eq(2).all()

    def test_without_the_test_part_another_split_is_needed(self, make, linked):
        root = linked("eyepacs", without=["retinopathy_solution.csv", "test"])
        assert part_counts(make("eyepacs", root)) == {"train": 64, "val": 8}
        assert part_counts(make("eyepacs", root, split=Holdout())) == {"train": 50, "test": 22}


class TestMessidor2:
    def test_images_without_a_grade_are_left_out(self, make, layout):
        data = make("messidor2")
        assert part_counts(data) == {"test": 36}
        assert set(data.index["path"]) == {str(file) for file in (layout("messidor2") / "IMAGES").iterdir()}
        assert (data.index["image"].str.endswith(".jpg") & data.index["path"].str.endswith(".JPG")).any()

    def test_absent_picture_is_named(self, make, linked):
        root = linked("messidor2", without=["IMAGES"])
        layouts.paint([root / "IMAGES" / "other.png"], [0])
        with pytest.raises(DatasetNotFoundError, match=r"36 of the 36 images .* the first is .*/IM000000.jpg"):
            _ = make("messidor2", root).index


class TestHyperKvasir:
    @pytest.mark.parametrize("folds", [2, 5])
    def test_folds_are_joined_on_the_file_name(self, folds, make, layout):
        data = make("hyper_kvasir", folds=folds, split=OfficialFold(fold=1))
        official = pd.read_csv(layout("hyper_kvasir") / f"{folds}_fold_split.csv", sep=";", index_col="file-name")
        assert (official["split-index"][data.index["image"] + ".jpg"].to_numpy() == data.index["fold"]).all()
        assert ((data.table["part"] == "test") == (data.index["fold"] == 1)).all()

    def test_without_the_file_folds_are_refused_and_others_work(self, make, linked):
        root = linked("hyper_kvasir", without=["5_fold_split.csv"])
        with pytest.raises(UserError, match="no official folds: choose another split, such as Holdout or KFold"):
            _ = make("hyper_kvasir", root).table
        assert set(make("hyper_kvasir", root, split=KFold(5, val=0.1)).table["part"]) == {"train", "val", "test"}

    def test_image_in_no_fold_is_named(self, make, linked, layout):
        root = linked("hyper_kvasir", without=["5_fold_split.csv"])
        table = pd.read_csv(layout("hyper_kvasir") / "5_fold_split.csv", sep=";")
        table.iloc[1:].to_csv(root / "5_fold_split.csv", sep=";", index=False)
        with pytest.raises(UserError, match=rf"does not name {table.iloc[0, 0]} \(1 such"):
            _ = make("hyper_kvasir", root).index


class TestChestXray:
    def test_only_images_with_one_of_the_findings(self, make):
        assert by_class(make("chest_xray14")) == [24] * 14
        assert by_class(make("chest_xray14", findings=["No Finding", "Hernia"])) == [24, 24]
        assert make("xray6").class_names == ("Atelectasis", "Cardiomegaly", "Emphysema", "Hernia", "Mass", "Effusion")
        assert len(make("xray9").class_names) == 9
        assert make("xray9").official_counts == (4215, 1093, 3955, 2139, 2705, 322, 2194, 892, 110)

    def test_official_parts(self, make):
        table = make("xray9", split=Official(), group_by="patient").table
        assert (table["official"] == table["part"]).all()
        assert (table.loc[table["part"] == "test", "group"].astype(int) % 4 == 0).all()

    def test_pictures_in_one_folder(self, make, linked, layout):
        root = linked("xray6", without=["images_001", "images_002"])
        (root / "images").mkdir()
        for file in layout("xray6").glob("images_*/images/*.png"):
            (root / "images" / file.name).symlink_to(file)
        assert make("xray6", root).table["part"].equals(make("xray6").table["part"])

    def test_absent_picture_is_named(self, make, linked):
        root = linked("xray6", without=["images_002"])
        with pytest.raises(DatasetNotFoundError, match=r"\d+ of the 144 images of XRay6 are absent"):
            _ = make("xray6", root).index

    def test_lists_with_a_lost_line_end_are_read(self, make, linked, layout):
        root = linked("xray6", without=["test_list.txt"])
        text = (layout("xray6") / "test_list.txt").read_text()
        (root / "test_list.txt").write_text("".join(text.split()))
        assert make("xray6", root).index["official"].equals(make("xray6").index["official"])

    @pytest.mark.parametrize(
        "findings, said", [(["Mass", "Cough"], "no finding 'Cough': .*Hernia"), (["Mass", "Mass"], "name each once")]
    )
    def test_findings_are_checked(self, findings, said, make):
        with pytest.raises(UserError, match=said):
            make("xray9", findings=findings)


class TestMedMNIST:
    def test_pictures_are_those_of_the_file(self, make, layout):
        data = make("octmnist")
        with np.load(layout("octmnist") / "octmnist.npz") as arrays:
            expected = np.concatenate([arrays[f"{part}_images"] for part in ("train", "val", "test")])
        assert len(data.images) == len(expected) == len(data.index)
        assert all((image == one[..., None]).all() for image, one in zip(data.images, expected, strict=True))
        assert (data.index["official"] == data.table["part"]).all()

    def test_stack_copies_nothing(self):
        arrays = [np.zeros((2, 4, 4, 3), np.uint8), np.zeros((0, 4, 4, 3), np.uint8), np.ones((3, 4, 4, 3), np.uint8)]
        stack = StackedImages(arrays)
        assert len(stack) == 5 and [int(image.max()) for image in stack] == [0, 0, 1, 1, 1]
        assert np.shares_memory(stack[3], arrays[2]) and stack[-5].max() == 0
        with pytest.raises(IndexError):
            stack[5]

    @pytest.mark.parametrize("flag", ["chestmnist", "organmnist3d", "mnist"])
    def test_other_data_sets_are_refused(self, flag):
        with pytest.raises(UserError, match=f"no single-label 2-D data set '{flag}': choose from pathmnist"):
            MedMNIST("nowhere", flag=flag)

    def test_missing_file_says_where_to_get_it(self, tmp_path):
        with pytest.raises(DatasetNotFoundError) as refusal:
            _ = MedMNIST(tmp_path, flag="dermamnist", size=64).index
        for text in ("dermamnist_64.npz", "https://zenodo.org/records", "data.download=true", str(tmp_path)):
            assert text in str(refusal.value)

    def test_download(self, make, tmp_path, layout, monkeypatch):
        def fetch(url, root, filename, md5):
            assert url.startswith("https://zenodo.org") and len(md5) == 32
            shutil.copy(layout("medmnist") / filename, root)

        monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
        root = tmp_path / "new" / "medmnist"
        data = make("medmnist", root, download=True)
        assert data.class_counts == make("medmnist").class_counts
        assert [file.name for file in root.iterdir()] == ["retinamnist.npz"]
        (root / "retinamnist.npz").unlink()
        data.prepare_data()
        assert (root / "retinamnist.npz").is_file()

    def test_failed_download_leaves_nothing_behind(self, make, tmp_path, monkeypatch):
        def fetch(url, root, filename, md5):
            (Path(root) / filename).write_bytes(b"half")
            raise OSError("no network")

        monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
        with pytest.raises(DatasetNotFoundError, match="could not be downloaded .* by other means"):
            _ = make("medmnist", tmp_path, download=True).index
        assert not list(tmp_path.iterdir())

    def test_damaged_file_is_refused(self, make, tmp_path):
        (tmp_path / "retinamnist.npz").write_bytes(b"half a file")
        with pytest.raises(UserError, match="retinamnist.npz is no MedMNIST file or is damaged: delete it"):
            _ = make("medmnist", tmp_path).index

    def test_checksum_of_another_file_is_a_complaint(self, make):
        (complaint,) = make("medmnist").check_source()
        assert "retinamnist.npz has the MD5" in complaint


class TestLongTails:
    def test_ratio_is_by_class_number(self, make):
        counts = make("pathmnist_lt", ratio=10).class_counts
        assert counts == [round(20 * 10 ** (-i / 8)) for i in range(9)]
        assert by_class(make("pathmnist_lt"), "test") == [6] * 9
        assert make("pathmnist_lt", ratio=None).class_counts == [20 + i for i in range(9)]

    def test_flowers_are_ordered_by_size(self, make):
        data = make("flowers102_lt")
        sizes, counts = np.array(by_class(data)), np.array(data.class_counts)
        assert sorted(counts)[::-1] == [round(24 * 10 ** (-i / 101)) for i in range(102)]
        small, middle, large = (counts[sizes == size] for size in (20, 26, 32))
        assert large.min() >= middle.max() >= middle.min() >= small.max()
        assert data.class_names[0] == "pink primrose" and data.class_names[101] == "blackberry lily"
        assert sum(by_class(data, "test")) == 531  # a fifth of 2,652, rounded up

    def test_flowers_know_the_official_parts(self, make, layout):
        table = make("flowers102_lt", split=Official(), ratio=1).table
        assert table["official"].value_counts().to_dict() == {"train": 1020, "val": 180, "test": len(table) - 1200}

    def test_dogs_are_thinned_in_the_official_training_part(self, make):
        data = make("stanford_dogs_lt")
        assert data.class_names == ("Chihuahua", "Shih-Tzu", "beagle", "Labrador retriever")
        assert data.class_counts == [18, 8, 4, 2]
        assert by_class(data, "test") == [6] * 4 and by_class(data, "val") == [2] * 4
        assert (data.index["official"] == "train").sum() == 80

    def test_damaged_list_is_refused(self, make, linked):
        root = linked("flowers102_lt", without=["setid.mat"])
        (root / "setid.mat").write_text("not this")
        with pytest.raises(UserError, match="setid.mat is no MATLAB file with trnid, valid, tstid"):
            _ = make("flowers102_lt", root).index


def overlay(name):
    return EXPERIMENTS / "data" / f"{name}.yaml"


def options(name, root):
    configs = with_configs(EXPERIMENTS / "marrakchi_isic.yaml", EXPERIMENTS / "methods" / "ce.yaml", overlay(name))
    return [*configs, "--data.root", str(root), *TINY]


def fit(name, root, run_dir):
    assert main(["fit", *options(name, root), "--run_dir", str(run_dir)]) == 0
    return json.loads((run_dir / "metrics.json").read_text())


class TestOverlays:
    def test_there_is_one_for_every_data_set(self):
        files = {file.stem for file in EXPERIMENTS.glob("data/*.yaml")}
        assert files == {"isic2018", *SHIPPED}
        for file in EXPERIMENTS.glob("data/*.yaml"):
            assert file.read_text().startswith("# ")
            assert yaml.safe_load(file.read_text())["data"]["class_path"] in data_sets.__all__

    @pytest.mark.parametrize("name", [name for name in SHIPPED if name != "messidor2"])
    def test_it_has_all_that_is_not_the_default(self, name, layout, make):
        data, expected = built(parsed("fit", *options(name, layout(name)))).data, make(name)
        assert type(data) is type(expected) and list(data.class_names) == list(expected.class_names)
        if name != "isic2019":  # its overlay has the split of a paper, not the default
            assert type(data.split) is type(expected.split) and vars(data.split) == vars(expected.split)
            assert data.class_counts == expected.class_counts

    # The experiments of the papers train on the other data sets, too.
    @pytest.mark.parametrize("name", ["medmnist", *(pytest.param(name, marks=pytest.mark.slow) for name in TRAINED)])
    def test_a_method_trains_on_it(self, name, layout, make, tmp_path):
        results = fit(name, layout(name), tmp_path / "run")
        data = make(name)
        assert [row["name"] for row in results["classes"]] == list(data.class_names)
        assert results["identity"]["data"] == type(data).__name__
        expected = {"kind": type(data.split).__name__, **vars(data.split)}
        if name != "isic2019":  # its overlay has the split of a paper, not the default
            assert {key: results["identity"]["split"][key] for key in expected} == expected
            assert [row["train_images"] for row in results["classes"]] == data.class_counts

    @pytest.mark.slow  # read with its overlay by the tests of the papers
    def test_isic2018(self, isic_root, tmp_path):
        results = fit("isic2018", isic_root, tmp_path / "run")
        assert [row["name"] for row in results["classes"]] == list(ISIC2018.class_names)

    def test_a_model_of_eyepacs_is_tested_on_messidor(self, layout, tmp_path):
        results = fit("eyepacs", layout("eyepacs"), tmp_path / "run")
        assert [row["name"] for row in results["classes"]] == list(EyePACS.class_names)
        checkpoint = tmp_path / "run" / "stage1" / "checkpoints" / "best.ckpt"
        args = ["--config", str(overlay("messidor2")), "--data.root", str(layout("messidor2"))]
        args += ["--run_dir", str(tmp_path / "messidor")]
        assert main(["test", "--ckpt_path", str(checkpoint), *args]) == 0
        external = json.loads((tmp_path / "messidor" / "metrics.json").read_text())
        assert external["identity"]["data"] == "Messidor2"
        assert sum(row["images"] for row in external["classes"]) == 36


def real_copy(name, files, root):
    """A folder with the real label files, and empty files in place of the pictures."""
    for file in real_folder(name).iterdir():
        (root / file.name).symlink_to(file)
    for folder in {file.parent for file in files}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for file in files:
        (root / file).touch()
    return root


@pytest.mark.usefixtures("no_decoder")
class TestRealLabels:
    def test_skin7(self):
        data = ISIC2018(real_folder("isic2018"), split=Holdout(test=0.2, val=0.05))
        assert by_class(data) == list(ISIC2018.official_counts) == [1113, 6705, 514, 327, 1099, 115, 142]
        assert (min(data.class_counts), max(data.class_counts)) == (86, 5029)
        assert {part: len(data.rows(part)) for part in ("train", "val", "test")} == {
            "train": 7511,
            "val": 501,
            "test": 2003,
        }

    @pytest.mark.slow
    def test_isic2019(self, tmp_path):
        names = pd.read_csv(real_folder("isic2019") / "ISIC_2019_Training_GroundTruth.csv")["image"]
        root = real_copy("isic2019", [Path("ISIC_2019_Training_Input") / f"{name}.jpg" for name in names], tmp_path)
        data = ISIC2019(root, split=KFold(5), group_by="lesion")
        assert by_class(data) == list(ISIC2019.official_counts) and len(data.index) == 25331
        table = data.table
        assert table["group"].isna().sum() == 2084 and table["group"].nunique() == 11847
        assert (table.groupby("group")["part"].nunique() == 1).all()
        share = (table["part"] == "test").groupby(table["label"]).mean()
        assert share.between(0.17, 0.23).all()

    @pytest.mark.slow
    def test_chest_xray(self, tmp_path):
        table = pd.read_csv(real_folder("chest_xray14") / "Data_Entry_2017_v2020.csv.gz")
        names = table["Image Index"][table["Finding Labels"].isin(XRay9.default_findings)]
        root = real_copy("chest_xray14", [Path("images") / name for name in names], tmp_path)
        nine, six = XRay9(root), XRay6(root)
        for data in (nine, six):
            assert tuple(by_class(data)) == data.official_counts
        assert (min(nine.class_counts), max(nine.class_counts)) == (83, 3161)
        assert (min(six.class_counts), max(six.class_counts)) == (88, 3372)
        assert set(nine.index["official"]) == {"train", "test"}
        assert (nine.index.groupby("group")["official"].nunique() == 1).all()

    def test_hyper_kvasir(self, tmp_path):
        table = pd.read_csv(real_folder("hyper_kvasir") / "image-labels.csv")
        rows = zip(table["Organ"], table["Classification"], table["Finding"], table["Video file"], strict=True)
        names = [Path("labeled-images", *row[:3], f"{row[3]}.jpg") for row in rows]
        root = real_copy("hyper_kvasir", names, tmp_path)
        data = HyperKvasir(root)
        assert by_class(data) == list(HyperKvasir.official_counts) and sum(HyperKvasir.official_counts) == 10662
        assert data.index["fold"].value_counts().to_dict() == {0: 2122, 1: 2122, 2: 2122, 3: 2122, 4: 2174}
        assert part_counts(data) == {"train": 7686, "val": 854, "test": 2122}
        assert min(data.class_counts) == 4 and min(by_class(data, "test")) == 1
        assert HyperKvasir(root, folds=2).index["fold"].value_counts().to_dict() == {0: 5324, 1: 5338}

    def test_retinamnist(self):
        data = MedMNIST(real_folder("medmnist"), flag="retinamnist", image_size=28, num_workers=0)
        assert part_counts(data) == {"train": 1080, "val": 120, "test": 400}
        assert data.class_counts == [486, 128, 206, 194, 66] and data.class_names == ("0", "1", "2", "3", "4")
        assert data.check_source() == []
        batch = next(iter(data.train_dataloader()))
        assert batch["image"].shape == (32, 3, 28, 28) and batch["image"].float().std() > 25


class TestTrueSizes:
    """MedMNIST with the class sizes of the official files, on pictures of one pixel."""

    @pytest.mark.parametrize(
        "flag, train, ratio, expected",
        [
            (
                "pathmnist",
                [9366, 9509, 10360, 10401, 8006, 12182, 7886, 9401, 12885],
                100,
                [9366, 5267, 2962, 1666, 937, 527, 296, 167, 94],
            ),
            ("octmnist", [33484, 10213, 7754, 46026], None, [33484, 10213, 7754, 46026]),
        ],
    )
    def test_training_part(self, flag, train, ratio, expected, tmp_path):
        grey = flag == "octmnist"
        counts = {"train": train, "val": [10] * len(train), "test": [250] * len(train)}
        layouts.medmnist(tmp_path, flag, counts, side=1, grey=grey)
        data = MedMNIST(tmp_path, flag=flag, ratio=ratio)
        assert data.class_counts == expected
        assert by_class(data, "test") == counts["test"] and by_class(data, "val") == counts["val"]
        rows = data.rows("train")[::997]
        assert [layouts.class_of(data.images[row]) for row in rows] == data.index["label"][rows].tolist()
