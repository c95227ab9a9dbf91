"""Copies of the data sets that are arranged in other ways: the same images, labels, groups and order."""

import os
import re

import layouts
import pandas as pd
import pytest

from lightning_imbal.data.index.listing import pictures_below
from lightning_imbal.data.sets.aptos import APTOS2019
from lightning_imbal.data.sets.chest_xray import ChestXray14
from lightning_imbal.data.sets.eyepacs import EyePACS
from lightning_imbal.data.sets.hyper_kvasir import HyperKvasir
from lightning_imbal.data.sets.isic import ISIC2018, ISIC2019
from lightning_imbal.errors import DatasetNotFoundError, UserError

OFFICIAL = {
    ISIC2019: layouts.isic2019,
    APTOS2019: layouts.aptos,
    EyePACS: layouts.eyepacs,
    HyperKvasir: layouts.hyper_kvasir,
    ChestXray14: layouts.chest_xray14,
}
THINNED = {HyperKvasir: ("image-labels.csv", "Video file")}
THINNED |= {ChestXray14: ("Data_Entry_2017_v2020.csv.gz", "Image Index")}
HAM = {
    "LesionGroupings.csv": "",
    "ISIC2018_Task3_Training_GroundTruth.csv": "",
    "ISIC2018_Task3_Training_Input": "images",
}
PARTS = {
    r".*_Input/(\w+[02468]\.)": r"HAM10000_images_part_1/\1",
    r".*_Input/(\w+[13579]\.)": r"HAM10000_images_part_2/\1",
}
# Data set, what is added, and what becomes of the places of the official archives.
COPIES = {
    "isic2018_on_kaggle": (ISIC2018, "HAM10000_metadata.csv", PARTS | HAM),
    "isic2018_small_letters": (ISIC2018, "HAM10000_metadata.csv", PARTS | HAM | {"HAM10000_i": "ham10000_i"}),
    "isic2018_in_one_folder": (ISIC2018, "data/HAM10000_metadata", HAM),
    "isic2018_from_dataverse": (ISIC2018, "HAM10000_metadata.tab", HAM | {"^images": "dataverse_files/part_1"}),
    "isic2018_nested": (ISIC2018, None, {r"^(.*_Input)/": r"\1/\1/"}),
    "isic2019_nested": (ISIC2019, None, {r"^(.*_Input)/": r"\1/\1/"}),
    "isic2019_higher": (ISIC2019, None, {"^": "archive/"}),
    "isic2019_other_ending": (ISIC2019, None, {r"\.jpg$": ".png"}),
    "aptos_higher": (APTOS2019, None, {"^": "aptos2019-blindness-detection/"}),
    "aptos_nested": (APTOS2019, None, {"^train_images": "train_images/train_images"}),
    "aptos_resized": (APTOS2019, None, {r"^train_images/(.*)\.png": r"train_images_resized/\1.jpg"}),
    "aptos_of_2015_and_2019": (
        *(APTOS2019, None),
        {"^train.csv": "labels/trainLabels19.csv", r"^train_images/(.*)\.png": r"resized train 19/\1.jpg"},
    ),
    "eyepacs_resized": (EyePACS, None, {"^train/": "resized_train/resized_train/", "^test/": "resized_test/"}),
    "eyepacs_of_2015_and_2019": (
        *(EyePACS, None),
        {
            "^trainLabels": "labels/trainLabels15",
            "^retinopathy_solution": "labels/testLabels15",
            r"^(train|test)/(.*)\.jpeg": r"resized \1 15/\2.jpg",
        },
    ),
    "hyper_kvasir_higher": (HyperKvasir, None, {"^": "hyper-kvasir-labeled-images/"}),
    "hyper_kvasir_lower": (HyperKvasir, None, {"^labeled-images/(.)": r"\1"}),
    "hyper_kvasir_labels_inside": (
        HyperKvasir,
        None,
        {"^image-labels": "hk/labeled-images/image-labels", "^l": "hk/l"},
    ),
    "chest_xray14_resized": (
        *(ChestXray14, None),
        {r"^images_\d+/images": "images-224/images-224", r"_list\.txt": "_list_NIH.txt", "_v2020": "_"},
    ),
    "chest_xray14_higher": (ChestXray14, None, {"^": "archive/"}),
    "chest_xray14_as_jpeg": (ChestXray14, None, {r"images_\d+/images/(.*)\.png": r"images/\1.jpg"}),
}


@pytest.fixture(scope="module")
def official(tmp_path_factory, isic_root):
    """The folder of a data set as its archives have it, made once."""
    made = {ISIC2018: isic_root}

    def make(cls):
        if cls not in made:
            made[cls] = OFFICIAL[cls](tmp_path_factory.mktemp(cls.__name__))
            if cls in THINNED:
                thin(made[cls], *THINNED[cls])
        return made[cls]

    return make


def thin(root, labels, column):
    """Keeps a few images, as links take their time."""
    table = pd.read_csv(root / labels)[::7]
    table.to_csv(root / labels, index=False)
    names = {name.removesuffix(".png") for name in table[column]}
    for file in pictures_below(root):
        if file.stem not in names:
            file.unlink()


def rearranged(official, root, places):
    """Links to the files of a data set, at other places; those without a place are left out."""
    for file in official.rglob("*"):
        name = file.relative_to(official).as_posix()
        if file.is_dir() or any(re.search(pattern, name) for pattern, place in places.items() if not place):
            continue
        for pattern, place in places.items():
            name = re.sub(pattern, place, name)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(file)
    return root


def write_metadata(official, file):
    """The label file of HAM10000 as it is passed on: other codes, another order."""
    table = pd.read_csv(official / "ISIC2018_Task3_Training_GroundTruth.csv").set_index("image")
    lesion = pd.read_csv(official / "ISIC2018_Task3_Training_LesionGroupings.csv").set_index("image")["lesion_id"]
    metadata = pd.DataFrame({"lesion_id": lesion, "image_id": lesion.index, "dx": table.idxmax(axis=1).str.lower()})
    file.parent.mkdir(exist_ok=True)
    metadata[::-1].assign(dx_type="histo", age=80).to_csv(file, index=False, sep="\t" if file.suffix == ".tab" else ",")


def check_same(copy, official):
    expected = official.index.drop(columns="path")
    pd.testing.assert_frame_equal(copy.index.drop(columns="path"), expected)
    assert [os.path.realpath(path) for path in copy.index["path"]] == official.index["path"].tolist()
    assert copy.index.columns.tolist() == official.index.columns.tolist()


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_the_same_data_set(name, official, tmp_path):
    cls, added, places = COPIES[name]
    root = rearranged(official(cls), tmp_path, places)
    if added:
        write_metadata(official(cls), root / added)
    check_same(cls(str(root)), cls(str(official(cls))))


class TestISIC2018:
    def test_twice_in_folders_of_the_same_name_and_with_masks(self, official, tmp_path):
        """A well-known copy has HAM10000_images_part_1 and ham10000_images_part_1."""
        for places in (PARTS | HAM, PARTS | HAM | {"HAM10000_i": "ham10000_i"}):
            rearranged(official(ISIC2018), tmp_path, places)
        masks = {r".*_Input/(\w+)\.jpg": r"HAM10000_segmentations_lesion_tschandl/\1_segmentation.png"}
        rearranged(official(ISIC2018), tmp_path, masks | HAM)
        write_metadata(official(ISIC2018), tmp_path / "HAM10000_metadata.csv")
        check_same(ISIC2018(str(tmp_path)), ISIC2018(str(official(ISIC2018))))

    def test_the_official_files_come_first(self, official, tmp_path):
        rearranged(official(ISIC2018), tmp_path, {})
        rearranged(official(ISIC2018), tmp_path / "small", HAM)
        (tmp_path / "HAM10000_metadata.csv").write_text("not this one")
        index = ISIC2018(str(tmp_path)).index
        assert index["path"].str.startswith(f"{tmp_path}/ISIC2018_Task3_Training_Input/").all()

    def test_unknown_code_is_named(self, official, tmp_path):
        root = rearranged(official(ISIC2018), tmp_path, HAM)
        (root / "HAM10000_metadata.csv").write_text("lesion_id,image_id,dx\nHAM_1,ISIC_0024306,scc\n")
        with pytest.raises(UserError, match=r"HAM10000_metadata.csv gives ISIC_0024306 the label 'scc'.*mel, nv, bcc"):
            _ = ISIC2018(str(root)).index

    def test_isic2019_has_no_such_file(self, official, tmp_path):
        write_metadata(official(ISIC2018), tmp_path / "HAM10000_metadata.csv")
        with pytest.raises(DatasetNotFoundError, match=r"ISIC2019 not found: .* no ISIC_2019_Training_GroundTruth.csv"):
            _ = ISIC2019(str(tmp_path)).index

    def test_what_is_missing_is_what_the_archives_have(self, tmp_path):
        with pytest.raises(DatasetNotFoundError, match=r"has no ISIC2018_Task3_Training_GroundTruth.csv, no .*http"):
            _ = ISIC2018(str(tmp_path)).index


class TestAPTOS2019:
    def test_labels_in_three_files(self, official, tmp_path):
        places = {
            "^train.csv": "",
            r"^train_images/(\w+[0-7]\.)": r"train_images/train_images/\1",
            r"^train_images/(\w+[89a-f]\.)": r"val_images/val_images/\1",
        }
        root = rearranged(official(APTOS2019), tmp_path, places)
        table = pd.read_csv(official(APTOS2019) / "train.csv", dtype=str)
        for number, name in enumerate(["train_1.csv", "valid.csv", "test.csv"]):
            table[number::3][::-1].to_csv(root / name, index=False)
        check_same(APTOS2019(str(root)), APTOS2019(str(official(APTOS2019))))


class TestEyePACS:
    CROPPED = {"^test/.*": "", "^retinopathy.*": "", "^train/": "resized_train_cropped/resized_train_cropped/"}

    def test_labels_of_the_cropped_pictures(self, official, tmp_path):
        root = rearranged(official(EyePACS), tmp_path, {**self.CROPPED, "^trainLabels.csv": ""})
        table = pd.read_csv(official(EyePACS) / "trainLabels.csv").rename_axis("Unnamed: 0").reset_index()
        table.to_csv(root / "trainLabels_cropped.csv", index_label="")
        expected = EyePACS(str(official(EyePACS))).index.query("official == 'train'")
        assert EyePACS(str(root)).index.drop(columns="path").equals(expected.drop(columns="path"))

    def test_two_versions_of_the_pictures(self, official, tmp_path):
        """Both are named, and the mend works: the labels are beside the folder then."""
        root = rearranged(official(EyePACS), tmp_path, self.CROPPED)
        rearranged(official(EyePACS), tmp_path, {r"^(trainLabels|test|ret).*": "", "^train/": "resized_train/"})
        both = r"resized_train/1_left.jpeg or .*resized_train_cropped/resized_train_cropped/1_left.jpeg: give .*root"
        with pytest.raises(UserError, match=f"image 1_left of .*trainLabels.csv may be .*{both}=FOLDER the folder of"):
            _ = EyePACS(str(root)).index
        for folder in ("resized_train", "resized_train_cropped"):
            index = EyePACS(str(root / folder)).index
            assert len(index) == 72 and index["path"].str.startswith(f"{root}/{folder}/").all()


class TestDataFolder:
    def test_two_label_files(self, official, tmp_path):
        for folder in ("a", "b"):
            rearranged(official(APTOS2019), tmp_path / folder, {})
        with pytest.raises(UserError, match=r"labels of APTOS2019 may be .*/a/train.csv or .*/b/train.csv: give with"):
            _ = APTOS2019(str(tmp_path)).index
        check_same(APTOS2019(str(tmp_path / "b")), APTOS2019(str(official(APTOS2019))))

    def test_the_label_file_in_the_fewest_folders(self, official, tmp_path):
        root = rearranged(official(APTOS2019), tmp_path, {"^": "data/"})
        (root / "data" / "old").mkdir()
        (root / "data" / "old" / "train.csv").write_text("not this one")
        check_same(APTOS2019(str(root)), APTOS2019(str(official(APTOS2019))))

    def test_the_folder_of_the_archive_comes_first(self, official, tmp_path):
        """Elsewhere may be other pictures of the same names, and in it what is no picture."""
        root = rearranged(official(HyperKvasir), tmp_path, {})
        rearranged(official(HyperKvasir), tmp_path / "small", {r"\.csv$": ""})
        for file in list(root.glob("labeled-images/*/*/*/*")):
            file.with_suffix(".json").write_text("{}")
        check_same(HyperKvasir(str(root)), HyperKvasir(str(official(HyperKvasir))))
        assert HyperKvasir(str(root)).index["path"].str.startswith(f"{root}/labeled-images/").all()

    def test_the_usual_places_are_not_listed(self, official, monkeypatch):
        """It would take long where there are many files, or a slow disk."""
        for cls in (ISIC2018, ISIC2019, APTOS2019, EyePACS, ChestXray14):
            root = str(official(cls))
            with monkeypatch.context() as patched:
                patched.setattr("lightning_imbal.data.index.data_folder.files_below", lambda folder: 1 / 0)
                assert len(cls(root).index)

    def test_missing_pictures_are_counted(self, official, tmp_path):
        """Also where the folder of the archive is empty, or a copy lacks some."""
        root = rearranged(official(APTOS2019), tmp_path, {"^train_images/.*": ""})
        with pytest.raises(DatasetNotFoundError, match=r"APTOS2019 not found: .* has no train_images\. Get"):
            _ = APTOS2019(str(root)).index
        (root / "train_images").mkdir()
        with pytest.raises(DatasetNotFoundError, match=r"60 of the 60 .* first is .*/train_images/000000000000.png"):
            _ = APTOS2019(str(root)).index
        rearranged(official(APTOS2019), root, {"^train.csv": "", "^train_images/.*[05].png": "", "^train_i": "i"})
        with pytest.raises(DatasetNotFoundError, match=r"8 of the 60 .* first is .*/train_images/000000000000.png"):
            _ = APTOS2019(str(root)).index

    def test_pictures_of_several_folders_are_missing_from_the_first(self, official, tmp_path):
        root = rearranged(official(ChestXray14), tmp_path, {r"^images_002/.*[1-8]\.png": ""})
        with pytest.raises(DatasetNotFoundError, match=rf"the first is {root}/images_001/images/\d+_\d+.png"):
            _ = ChestXray14(str(root)).index

    def test_what_was_found_elsewhere_is_said(self, official, tmp_path, caplog):
        root = rearranged(official(APTOS2019), tmp_path, {"^train_images": "pngs"})
        with caplog.at_level("INFO", logger="lightning.pytorch.utilities.rank_zero"):
            _ = APTOS2019(str(root)).index, HyperKvasir(str(official(HyperKvasir))).index
        (said,) = caplog.messages
        assert said == f"APTOS2019: the pictures are not in {root}/train_images: they were found below {root} by name."
