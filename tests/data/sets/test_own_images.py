"""The user's own images: what works, and the one sentence for what does not. All before training starts."""

import itertools
import json
import random
import shutil

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lightning_imbal.cli import main
from lightning_imbal.data import APTOS2019, ISIC2018, EyePACS, MedMNIST, Messidor2
from lightning_imbal.data.sets.own_csv import CSVData
from lightning_imbal.data.sets.own_folder import FolderData
from lightning_imbal.data.splits import Official, Split
from lightning_imbal.errors import DatasetNotFoundError, UserError

SIZES = {"benign": 20, "malignant": 12, "unclear": 8}
TINY = [
    *("--model.backbone", "test_resnet", "--data.image_size", "16", "--data.num_workers", "0", "--laptop", "false"),
    *("--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
]


def write(path, colour, size=(9, 7), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


def test_it_is_called_by_its_folder_and_ordered_where_that_is_said(tmp_path, monkeypatch):
    plain = FolderData(root=str(tmp_path / "skin_pictures"))
    assert plain.title == "skin_pictures" and not plain.ordered
    grades = CSVData(root=str(tmp_path / "eyes") + "/", labels="labels.csv", label_column="grade", ordered=True)
    assert grades.title == "eyes" and grades.ordered
    monkeypatch.chdir(tmp_path)
    assert FolderData(root=".").title == tmp_path.name
    assert [each.ordered for each in (APTOS2019, EyePACS, Messidor2, ISIC2018)] == [True, True, True, False]
    retina, path = (MedMNIST(str(tmp_path), flag) for flag in ("retinamnist", "pathmnist"))
    assert (retina.title, retina.ordered, path.ordered) == ("retinamnist", True, False)


@pytest.fixture
def own(tmp_path):
    """A folder of images and the table of labels.csv beside it, to be changed and written by the test."""
    rows = []
    for number, (name, size) in enumerate(SIZES.items()):
        for i in range(size):
            write(tmp_path / "images" / f"{name}_{i}.png", (80 * number, 10 * i, 40))
            rows.append((f"{name}_{i}.png", name, f"{name}{i // 2}", ["train", "train", "val", "test"][i % 4]))
    return tmp_path / "images", pd.DataFrame(rows, columns=["image", "label", "patient", "part"])


def saved(root, table, **kwargs):
    file = root.parent / "labels.csv"
    table.to_csv(file, index=False, **kwargs)
    return str(file)


def make(own, **kwargs):
    root, table = own
    settings = {"batch_size": 8, "image_size": 16, "num_workers": 0}
    return CSVData(str(root), kwargs.pop("labels", None) or saved(root, table), **{**settings, **kwargs})


def fit(own, *args):
    root, table = own
    options = ["--data.root", str(root), "--data.labels", saved(root, table), "--run_dir", str(root.parent / "run")]
    return main(["fit", "--config", "experiments/own_csv.yaml", *options, *TINY, *args])


def refused(capsys, own, *args):
    assert fit(own, *args) == 2
    sentence = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]
    assert len(sentence) == 1
    return sentence[0]


class TestCSVData:
    def test_one_command(self, own):
        assert fit(own) == 0
        run = own[0].parent / "run"
        results = json.loads((run / "metrics.json").read_text())
        assert {row["name"]: row["images"] for row in results["classes"]} == {"benign": 4, "malignant": 2, "unclear": 2}
        split = pd.read_csv(run / "stage1" / "split.csv")
        assert split["part"].value_counts().to_dict() == {"train": 28, "test": 8, "val": 4}
        assert dict(zip(split["image"], split["class"], strict=True)) == dict(own[1][["image", "label"]].to_numpy())
        predictions = pd.read_parquet(run / "predictions.parquet")
        assert set(predictions["image"]) == set(split["image"][split["part"] == "test"])

    def test_own_split_and_groups(self, own):
        own[1]["part"] = own[1]["patient"].map(lambda name: ["train", "val", "test"][int(name[-1]) % 3])
        table = make(own, split_column="part", group_column="patient").table
        assert (table["part"] == own[1]["part"]).all()
        table = make(own, group_column="patient").table
        assert (table.groupby("group")["part"].nunique() == 1).all()

    def test_part_of_the_training_images_validates_if_the_file_names_none(self, own):
        own[1]["part"] = own[1]["part"].replace("val", "train")
        table = make(own, split_column="part").table
        assert table["part"].value_counts().to_dict() == {"train": 27, "test": 10, "val": 3}

    def test_rows_without_a_part_are_left_out(self, own):
        own[1].loc[own[1]["part"] == "train", "part"] = [None] * 10 + ["train"] * 10
        assert (make(own, split_column="part").table["part"] == "").sum() == 10

    def test_torn_patients_are_refused(self, own, capsys):
        sentence = refused(capsys, own, "--data.split_column", "part", "--data.group_column", "patient")
        assert "of one patient into several parts" in sentence and "benign" in sentence

    def test_classes_are_sorted_and_may_be_given(self, own):
        own[1]["label"] = own[1]["label"].map({"benign": "10", "malignant": "9", "unclear": "2"})
        assert make(own).class_names == ("2", "9", "10")
        data = make(own, classes=["10", "2", "9"])
        assert data.class_names == ("10", "2", "9")
        assert np.bincount(data.index["label"]).tolist() == [20, 8, 12]

    def test_names_without_ending(self, own):
        own[1]["image"] = own[1]["image"].str.removesuffix(".png")
        assert make(own, suffix=".png").table["path"].str.endswith(".png").all()

    def test_absolute_paths(self, own):
        expected = make(own).table["path"].tolist()
        own[1]["image"] = str(own[0]) + "/" + own[1]["image"]
        assert make(own).table["path"].tolist() == expected

    def test_spaces_do_not_count_and_na_is_a_label(self, own):
        own[1]["label"] = own[1]["label"].replace({"unclear": " NA", "malignant": "malignant "})
        assert make(own).class_names == ("NA", "benign", "malignant")

    def test_other_columns_and_a_file_below_the_root(self, own):
        root, table = own
        table.rename(columns={"image": "file", "label": "diagnosis"}).to_csv(root / "table.csv", index=False)
        data = make(own, labels="table.csv", image_column="file", label_column="diagnosis")
        assert len(data.table) == 40

    @pytest.mark.parametrize(
        ("spoil", "named"),
        [
            (lambda t: t.rename(columns={"label": "opinion"}), ["no column 'label'", "'opinion'"]),
            (lambda t: t.rename(columns={"label": "dx"}).assign(target=t["label"]), ["several columns", "dx, target"]),
            (lambda t: t.assign(label=t["label"].where(t.index != 3)), ["no label in line 5"]),
            (lambda t: t.assign(label=t["label"].where(t.index != 3, "  ")), ["no label in line 5"]),
            (lambda t: pd.concat([t, t[:1]]), ["benign_0.png twice"]),
            (lambda t: t.assign(image=t["image"].replace("benign_1.png", "gone.png")), ["1 of the 40", "gone.png"]),
            (lambda t: t[:0], ["no rows"]),
            (lambda t: t[t["label"] != "unclear"].assign(label="benign"), ["only the class benign"]),
        ],
    )
    def test_bad_table_gets_one_sentence(self, own, spoil, named):
        with pytest.raises(UserError) as caught:
            _ = make((own[0], spoil(own[1]))).table
        sentence = str(caught.value)
        assert all(word in sentence for word in named) and len(sentence.splitlines()) == 1, sentence

    @pytest.mark.parametrize(
        ("settings", "named"),
        [
            ({"classes": ["benign", "malignent"]}, ["names 'malignent'", "did you mean malignant?"]),
            ({"split_column": "fold"}, ["no column 'fold'"]),
            ({"label_column": "lable"}, ["no column 'lable' (did you mean 'label'?)"]),
            ({"group_column": "label"}, ["'label'", "is to be the label and the group", "another column"]),
            ({"split_column": "patient"}, ["'benign0'", "train, val, test"]),
        ],
    )
    def test_bad_setting_gets_one_sentence(self, own, settings, named):
        with pytest.raises(UserError) as caught:
            _ = make(own, **settings).table
        sentence = str(caught.value)
        assert all(word in sentence for word in named) and len(sentence.splitlines()) == 1, sentence

    @pytest.mark.parametrize(
        ("args", "named"),
        [
            (["--data.root", "nowhere"], ["no folder nowhere", "--data.root"]),
            (["--data.labels", "nowhere.csv"], ["no file nowhere.csv", "--data.labels"]),
            (["--data.label_column", "lable"], ["no column 'lable' (did you mean 'label'?)"]),
            (["--data.split", "KFold", "--data.split.fold", "7"], ["no fold 7", "between 0 and 4"]),
            (["--data.split", "OfficialFold"], ["no official folds", "Holdout"]),
            (["--data.split.val", "0.2"], ["data.split is not set", "--data.split Holdout --data.split.val 0.2"]),
            (["--data.sampler", "PKBatches", "--data.sampler.classes", "4", "--data.sampler.samples", "2"], ["only 3"]),
            (["--data.sampler", "PKBatches", "--data.sampler.classes", "2", "--data.sampler.samples", "3"], ["of 6"]),
        ],
    )
    def test_bad_argument_gets_one_sentence(self, own, capsys, args, named):
        sentence = refused(capsys, own, *args)
        assert all(word in sentence for word in named), sentence
        assert not (own[0].parent / "run").exists()

    def test_class_with_one_image(self, own, told):
        own[1].loc[len(own[1])] = ["benign_0.jpg", "rare", "x", "train"]
        write(own[0] / "benign_0.jpg", "red")
        with pytest.raises(UserError, match="give every class at least two images"):
            _ = make(own).table
        assert fit(own, "--data.split_column", "part") == 0
        assert "The test part has no image of: rare." in told.text

    def test_not_utf8(self, own, told):
        own[1]["label"] = own[1]["label"].replace("unclear", "gutartig-ähnlich")
        assert "gutartig-ähnlich" in make(own, labels=saved(*own, encoding="latin-1")).class_names
        assert "labels.csv was read as Latin-1" in told.text

    def test_labels_that_look_alike(self, own):
        own[1].loc[:4, "label"] = "Benign"
        with pytest.raises(UserError, match=r"'Benign' \(5 rows\) and 'benign' \(15 rows\).* list all classes with"):
            _ = make(own).index
        data = make(own, classes=["benign", "Benign", "malignant", "unclear"])
        assert np.bincount(data.index["label"]).tolist() == [15, 5, 12, 8]
        with pytest.raises(UserError, match=r"'Benign' \(5 rows\) and 'benign'"):
            _ = make(own, classes=["benign", "malignant", "unclear"]).index
        data = make(own, merge={"benign": ["Benign", "benign"]})
        assert np.bincount(data.index["label"]).tolist() == [20, 12, 8]

    def test_classes_and_groups_as_yaml_reads_them(self, own):
        own[1]["label"] = own[1]["label"].map({"benign": "0", "malignant": "yes", "unclear": "2"})
        data = make(own, classes=[2, True, 0], class_groups={"big": [0], "small": [True, "2"]})
        assert data.class_names == ("2", "yes", "0")
        assert data.class_groups == {"big": ["0"], "small": ["yes", "2"]} and make(own).class_groups is None
        with pytest.raises(UserError, match="data.classes names '2' twice"):
            _ = make(own, classes=[2, "2", 0]).class_names

    def test_groups_that_look_alike_stay_together(self, own):
        own[1]["patient"] = [name.upper() if row % 2 else name for row, name in enumerate(own[1]["patient"])]
        table = make(own, group_column="patient").table
        assert (
            table.groupby(table["image"].map(lambda name: own[1].set_index("image")["patient"][name].lower()))[
                "part"
            ].nunique()
            == 1
        ).all()

    def test_parts_by_other_words(self, own):
        expected = make(own, split_column="part").table["part"].tolist()
        own[1]["part"] = own[1]["part"].map({"train": "Training", "val": "VALID", "test": "testing"})
        assert make(own, split_column="part").table["part"].tolist() == expected

    def test_names_are_found_below_the_root(self, own, told):
        expected = make(own).index
        for number, name in enumerate(own[1]["image"]):
            (own[0] / f"part_{number % 2}").mkdir(exist_ok=True)
            (own[0] / name).rename(own[0] / f"part_{number % 2}" / name)
        own[1]["image"] = own[1]["image"].str.removesuffix(".png")
        data = make(own)
        assert data.index["label"].equals(expected["label"]) and (data.table["part"] != "").all()
        assert "does not say where 40 images lie" in told.text
        shutil.copy(own[0] / "part_0" / "benign_0.png", own[0] / "part_1")
        with pytest.raises(UserError, match=r"benign_0 of .* may be .*part_0/benign_0.png or .*part_1/benign_0.png"):
            _ = make(own).index
        assert len(make(own, exclude="part_1/benign_0.png").index) == 40

    def test_usual_names_of_columns(self, own, told):
        own[1].columns = ["img_id", "diagnostic", "patient_id", "part"]
        assert make(own).class_names == tuple(SIZES)
        assert (
            "the images are in its column 'img_id'" in told.text and "the labels in its column 'diag" not in told.text
        )
        assert "the labels are in its column 'diagnostic'" in told.text
        own[1]["target"] = own[1]["diagnostic"]
        with pytest.raises(
            UserError, match=r"several columns that may be the labels, diagnostic, target: name one with"
        ):
            _ = make(own).index
        assert make(own, label_column="target").class_names == tuple(SIZES)

    def test_the_column_of_the_images_is_the_one_that_names_pictures(self, own):
        table = own[1].rename(columns={"image": "file", "patient": "id"})
        assert make((own[0], table)).columns[0] == {"image": "file"}
        table = table.rename(columns={"file": "what"}).drop(columns="id")
        assert make((own[0], table)).columns[0] == {"image": "what"}

    def test_columns_of_classes(self, own, told):
        expected = make(own).index["label"]
        table = own[1].drop(columns="label").join(pd.get_dummies(own[1]["label"]).astype(float))
        assert make((own[0], table)).index["label"].equals(expected)
        assert "the classes are its columns benign, malignant, unclear" in told.text
        table.loc[0, "unclear"] = 1.0
        with pytest.raises(UserError, match=r"several findings per image, such as 'benign\|unclear' \(1 of 40 rows\)"):
            _ = make((own[0], table)).index
        assert "benign|unclear" in make((own[0], table), several_findings="join").class_names

    @pytest.mark.parametrize("ending", ["tsv", "parquet", "jsonl", "xlsx"])
    def test_other_formats(self, own, ending):
        if ending == "xlsx":
            pytest.importorskip("openpyxl", reason="openpyxl is not installed: pip install 'lightning_imbal[excel]'")
        expected, file = make(own).index, own[0].parent / f"labels.{ending}"
        table = own[1].assign(label=own[1]["label"].map({"benign": 0, "malignant": 1, "unclear": 10}))
        {
            "tsv": lambda: table.to_csv(file, sep="\t", index=False),
            "parquet": lambda: table.assign(patient=table["patient"].where(table.index > 3)).to_parquet(file),
            "jsonl": lambda: table.to_json(file, orient="records", lines=True),
            "xlsx": lambda: table.to_excel(file, index=False),
        }[ending]()
        data = make(own, labels=str(file), group_column="patient")
        assert data.class_names == ("0", "1", "10") and data.index["label"].equals(expected["label"])

    def test_long_numbers_are_as_they_are_written(self, own):
        table = pa.Table.from_pandas(own[1].drop(columns="patient"), preserve_index=False)
        numbers = pa.array([2**53 + 1, 2**53 + 3, None, None] * 10)
        pq.write_table(
            table.append_column("patient", numbers).replace_schema_metadata(), own[0].parent / "labels.parquet"
        )
        data = make(own, labels=str(own[0].parent / "labels.parquet"), group_column="patient")
        assert set(data.index["group"].dropna()) == {"9007199254740993", "9007199254740995"}

    def test_groups_in_names(self, own):
        data = make(own, group_pattern=r"(?P<patient>\w+_\d)")
        assert data.group_by == "patient" and data.group_name == "patient"
        assert (data.table.groupby("group")["part"].nunique() == 1).all() and data.index["group"].nunique() < 40
        with pytest.raises(UserError, match="data.group_column and data.group_pattern both say"):
            make(own, group_pattern=r"(\d)", group_column="patient")

    @pytest.mark.parametrize("settings", [{"exclude": "*"}, {"min_images": 50}], ids=str)
    def test_nothing_is_left(self, own, settings):
        with pytest.raises(UserError, match="CSVData has no images"):
            _ = make(own, **settings).table

    def test_selection_is_said(self, own, told):
        data = make(own, merge={"suspicious": ["malignant", "unclear"]}, min_images=2, exclude="benign_1?.png")
        assert np.bincount(data.index["label"]).tolist() == [10, 20]
        assert data.remarks == [
            "suspicious is malignant (12), unclear (8) together.",
            "10 pictures left out by data.exclude=benign_1?.png.",
        ]
        assert all(sentence in told.text for sentence in data.remarks)

    def test_masks_are_refused(self, own):
        masks = own[1].assign(image=own[1]["image"].str.replace(".png", "_mask.png"))
        for name in masks["image"]:
            write(own[0] / name, "white")
        both = (own[0], pd.concat([own[1], masks]))
        with pytest.raises(UserError, match="40 pictures that look like masks"):
            _ = make(both).table
        lone = own[1].assign(image=own[1]["image"].str.replace(".png", "_mask.png"))
        for name in lone["image"]:
            write(own[0] / name, "white")
            with Image.open(own[0] / name) as picture:
                picture.paste("black", (0, 0, 4, 7))
                picture.save(own[0] / name)
        with pytest.raises(UserError, match="40 pictures that look like masks"):
            _ = make((own[0], lone)).table
        assert len(make(both, exclude="*_mask*").index) == 40 and len(make(both, exclude=[]).index) == 80

    def test_extra_images_are_not_used(self, own):
        write(own[0] / "extra.png", "red")
        assert len(make(own).table) == 40


def damage(kind, path):
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
        encoded = cv2.imencode(".jpg", noise)[1].tobytes()
        path.write_bytes(encoded[: len(encoded) // 2])
    elif kind == "no picture":
        path.write_bytes(random.Random(0).randbytes(300))
    else:
        path.unlink()


KINDS, CACHES = ("empty", "truncated", "no picture", "absent"), ("none", "memory", "disk")
# Each kind once, and one with every cache.
LOOKED_AT = {
    ("empty", "none"),
    *(("truncated", cache) for cache in CACHES),
    ("no picture", "memory"),
    ("absent", "disk"),
}


@pytest.mark.parametrize(
    ("kind", "cache"),
    [
        pytest.param(*pair, marks=[] if pair in LOOKED_AT else [pytest.mark.slow])
        for pair in itertools.product(KINDS, CACHES)
    ],
)
class TestBadPictures:
    def test_raise_names_the_picture(self, own, tmp_path, kind, cache):
        damage(kind, own[0] / "malignant_3.png")
        with pytest.raises(UserError, match="malignant_3.png"):
            list(make(own, cache=cache, cache_dir=str(tmp_path), split=EveryImage(), batch_size=1).train_dataloader())

    def test_skip_leaves_it_out_and_says_so(self, own, told, tmp_path, kind, cache):
        whole = make(own).table
        damage(kind, own[0] / "malignant_3.png")
        data = make(own, cache=cache, cache_dir=str(tmp_path), on_bad_image="skip")
        bad = data.table["part"] == "unreadable"
        assert data.table["image"][bad].tolist() == ["malignant_3.png"]
        assert (data.table["part"] == whole["part"])[~bad].all(), "the other images must stay where they were"
        assert "Left out 1 of 40 images" in told.text and "malignant_3.png" in told.text
        drawn = [index for batch in data.train_dataloader() for index in batch["index"].tolist()]
        assert len(drawn) == sum(data.class_counts) // 8 * 8 and not bad[drawn].any()


class EveryImage(Split):
    """Trains on all images and tests on the first."""

    def __call__(self, index, group=None):
        return {"train": np.arange(1, len(index)), "val": np.arange(0), "test": np.arange(1)}


def test_bad_picture_found_in_training_is_named(own, capsys):
    damage("truncated", own[0] / "malignant_3.png")
    sentence = refused(capsys, own, "--data.batch_size", "2")
    assert "malignant_3.png" in sentence


def test_any_mode_trains_and_bad_pictures_are_left_out(own):
    root, table = own
    damage("truncated", root / "unclear_3.png")
    for row, mode in enumerate(np.repeat(["RGBA", "CMYK", "L", "I;16", "P"], 6)):
        table.loc[row, "image"] = f"{row}.{'jpg' if mode == 'CMYK' else 'png'}"
        if mode == "I;16":
            assert cv2.imwrite(str(root / f"{row}.png"), np.full((7, 9), 40000, np.uint16))
        else:
            write(root / table["image"][row], "red", mode=mode)
    assert fit((root, table), "--data.batch_size", "4", "--data.on_bad_image", "skip") == 0
    split = pd.read_csv(root.parent / "run" / "stage1" / "split.csv")
    assert split["image"][split["part"] == "unreadable"].tolist() == ["unclear_3.png"]


def test_paths_are_not_ascii_and_a_batch_is_larger_than_the_data(own):
    root, table = own
    (root / "Läsionen 皮膚").mkdir()
    shutil.move(root / "benign_0.png", root / "Läsionen 皮膚" / "bösartig.png")
    table.loc[0, "image"] = "Läsionen 皮膚/bösartig.png"
    assert fit((root, table), "--data.batch_size", "1000") == 0


class TestFolderData:
    @pytest.fixture
    def folders(self, tmp_path):
        for number, (name, size) in enumerate(SIZES.items()):
            for i in range(size):
                write(tmp_path / "all" / name / f"{i}.png", (80 * number, 10 * i, 40))
        return tmp_path / "all"

    def test_one_command(self, folders, tmp_path):
        args = ["--data.root", str(folders), "--run_dir", str(tmp_path / "run")]
        assert main(["fit", "--config", "experiments/own_folder.yaml", *args, *TINY]) == 0
        results = json.loads((tmp_path / "run" / "metrics.json").read_text())
        assert {row["name"]: row["images"] for row in results["classes"]} == {"benign": 4, "malignant": 2, "unclear": 2}

    def test_parts_are_folders(self, folders, tmp_path):
        for part, numbers in {"train": range(5), "val": range(5, 7), "test": [7]}.items():
            for name in SIZES:
                for i in numbers:
                    (tmp_path / "parts" / part / name).mkdir(parents=True, exist_ok=True)
                    shutil.copy(folders / name / f"{i}.png", tmp_path / "parts" / part / name)
        data = FolderData(str(tmp_path / "parts"))
        assert data.table["part"].value_counts().to_dict() == {"train": 15, "val": 6, "test": 3}
        assert (data.table["part"] == data.table["image"].str.split("/").str[0]).all()
        (tmp_path / "parts" / "val").rename(tmp_path / "parts" / "Valid")
        assert FolderData(str(tmp_path / "parts")).table["part"].value_counts().to_dict() == {
            "train": 15,
            "val": 6,
            "test": 3,
        }
        shutil.rmtree(tmp_path / "parts" / "Valid")
        data = FolderData(str(tmp_path / "parts"), split=Official(val=0.2))
        assert data.table["part"].value_counts().to_dict() == {"train": 12, "val": 3, "test": 3}

    def test_classes_that_look_alike(self, folders):
        write(folders / "Benign" / "0.png", "red")
        with pytest.raises(UserError, match=r"'Benign' \(1 image\) and 'benign' \(20 images\): write it"):
            _ = FolderData(str(folders)).index

    def test_classes_may_lie_deeper(self, folders, tmp_path):
        for number, name in enumerate(SIZES):
            for part in ("x", "y"):
                write(tmp_path / "deep" / f"patient{number}{part}" / name / "1.png", (80 * number, 10, 40))
        data = FolderData(str(tmp_path / "deep"), class_level=2, group_pattern=r"(?P<patient>patient\d)")
        assert data.class_names == tuple(SIZES) == FolderData(str(tmp_path / "deep"), class_level=-1).class_names
        assert data.index["group"].tolist() == [f"patient{i // 2}" for i in range(6)]
        assert len(FolderData(str(tmp_path / "deep")).class_names) == 6
        with pytest.raises(UserError, match="class_level is 0"):
            FolderData(str(folders), class_level=0)
        with pytest.raises(DatasetNotFoundError, match="no folders of classes"):
            _ = FolderData(str(folders), class_level=2).class_names

    def test_the_same_folders_again_are_no_class(self, folders, told):
        shutil.copytree(folders, folders.parent / "copy")
        shutil.move(folders.parent / "copy", folders / "all")
        assert FolderData(str(folders)).class_names == tuple(SIZES)
        assert "no classes are all (the others again)" in told.text

    def test_a_folder_too_high_or_too_low_is_told(self, folders):
        with pytest.raises(DatasetNotFoundError, match=rf"they are in {folders}: give data.root={folders}"):
            _ = FolderData(str(folders.parent)).index
        with pytest.raises(DatasetNotFoundError, match=rf"they are beside it, in {folders}: give"):
            _ = FolderData(str(folders / "benign")).index

    def test_hidden_files_are_no_pictures(self, folders):
        (folders / "benign" / "._0.png").touch()
        assert len(FolderData(str(folders)).table) == 40

    def test_no_test_part(self, folders, tmp_path, capsys):
        shutil.copytree(folders, tmp_path / "parts" / "train")
        args = ["--data.root", str(tmp_path / "parts"), "--run_dir", str(tmp_path / "run")]
        assert main(["fit", "--config", "experiments/own_folder.yaml", *args, *TINY]) == 2
        assert "leaves no image to test on" in capsys.readouterr().err

    def test_no_folders_of_classes(self, tmp_path):
        write(tmp_path / "1.png", "red")
        with pytest.raises(DatasetNotFoundError, match="no folders of classes"):
            _ = FolderData(str(tmp_path)).class_names

    def test_folders_that_are_no_classes_are_named(self, folders, told):
        for name in ("none", ".git", "__MACOSX/benign", "runs/ce/stage1/checkpoints"):
            (folders / name).mkdir(parents=True)
        (folders / "runs/ce/stage1/checkpoints/last.ckpt").touch()
        write(folders / "runs/ce/curve.png", "red")
        write(folders / "overview.png", "red")
        assert FolderData(str(folders)).class_names == tuple(SIZES)
        assert "no classes are .git, __MACOSX (hidden or left behind by a computer); none (without" in told.text
        assert "runs (of runs)" in told.text and "1 picture in no folder of a class, such as overview.png" in told.text
