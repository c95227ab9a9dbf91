"""Cells of smears: what is read, refused and cut, on generated smears and on the real ones."""

import json
import shutil

import cv2
import layouts
import numpy as np
import pytest
from real_data import real_folder

from lightning_imbal.cli import main
from lightning_imbal.data.checks import check_pictures
from lightning_imbal.data.prepare import prepare
from lightning_imbal.data.sets.chula_rbc12 import COUNTS, ChulaRBC12
from lightning_imbal.data.splits import Holdout
from lightning_imbal.data.thumbnails import thumbnails
from lightning_imbal.errors import BadImageError, DatasetNotFoundError, UserError


@pytest.fixture(scope="module")
def smears(tmp_path_factory):
    """The folder of generated smears; do not write into it."""
    return layouts.chula_rbc12(tmp_path_factory.mktemp("chula"))


@pytest.fixture
def root(smears, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(smears, tmp_path / "chula")


def data_of(root, **settings):
    return ChulaRBC12(str(root), **{"image_size": 36, "num_workers": 0, **settings})


def class_in(picture):
    """The class of a cell by its middle: another one may be near the border."""
    return layouts.class_of(picture[20:52, 20:52])


class TestIndex:
    def test_a_cell_is_a_line_of_its_smear(self, smears):
        index = data_of(smears).index
        assert len(index) == 144 and index["group"].value_counts().eq(6).all()
        last = index.iloc[-1]
        assert [last[name] for name in ("image", "group", "cut_from")] == ["24_6", "24", f"{smears}/Dataset/24.jpg"]
        lines = (smears / "Label/24.txt").read_text().splitlines()
        assert lines[5] == f"{last['x']} {last['y']} {last['label']}"

    def test_elliptocytes_are_an_option(self, smears, told):
        without, all_cells = data_of(smears), data_of(smears, elliptocytes=True)
        assert all_cells.index["image"][:144].tolist() == without.index["image"].tolist()
        assert all_cells.class_names == (*without.class_names, "elliptocyte")
        assert np.bincount(all_cells.index["label"])[12] == 6
        assert without.remarks[0].startswith("6 elliptocytes are left out")
        assert "white background" in all_cells.remarks[0] and all_cells.remarks[0] in told.text

    def test_smears_without_cells_are_told(self, smears):
        said = "left out: 26 (empty label file), 2 without a label file."
        assert data_of(smears).remarks[1].endswith(said)

    @pytest.mark.parametrize("line", ["9 9", "9 9 1 1", "x y 1", "640 9 1", "9 480 1", "9 9 13", "-9 9 1", "9 9 1.5"])
    def test_a_line_that_is_no_cell_is_named(self, line, root):
        file = root / "Label/3.txt"
        file.write_text(f"639 479 0\n\n{line}\n" + file.read_text())
        with pytest.raises(UserError, match=rf"Label/3.txt has no cell in line 3, '{line}' \(1 such lines\)") as error:
            _ = data_of(root).index
        assert len(str(error.value).splitlines()) == 1

    def test_the_last_pixel_is_in_the_smear(self, root):
        (root / "Label/3.txt").write_text("639 479 12\n0 0 0")
        assert len(data_of(root, elliptocytes=True).index) == 146

    def test_no_cell_at_all_is_refused(self, root):
        for file in (root / "Label").iterdir():
            file.write_text("")
        with pytest.raises(UserError, match="has no label file with a cell"):
            _ = data_of(root).index

    def test_an_absent_smear_is_named(self, root):
        (root / "Dataset/5.jpg").unlink()
        with pytest.raises(DatasetNotFoundError, match=r"1 of the 24 images .* are absent, the first is .*/5.jpg"):
            _ = data_of(root).index

    def test_it_is_found_one_folder_below(self, smears, tmp_path):
        (tmp_path / "Chula-RBC-12-Dataset-main").symlink_to(smears)
        below = data_of(tmp_path).index
        assert below["image"].tolist() == data_of(smears).index["image"].tolist()


class TestCells:
    @pytest.mark.parametrize("cache", ["none", "memory", "disk"])
    def test_a_cell_is_cut_where_it_is(self, cache, smears, tmp_path):
        data = data_of(smears, cache=cache, cache_dir=str(tmp_path))
        assert {data.images[row].shape for row in (0, 70, 143)} == {(72, 72, 3)}
        colours = [class_in(data.images[row]) for row in range(144)]
        assert colours == data.index["label"].tolist()

    def test_side_is_that_of_the_cut(self, smears):
        wide, narrow = (data_of(smears, side=side, short_side=88).images for side in (88, 40))
        assert (wide[7][24:64, 24:64] == narrow[7]).all()
        with pytest.raises(UserError, match="side must be at least 1"):
            data_of(smears, side=0)

    def test_cells_are_reduced_and_smears_are_not(self, smears):
        assert data_of(smears, short_side=18).images[3].shape == (18, 18, 3)

    def test_smears_of_another_size_are_refused(self, root):
        file = str(root / "Dataset/5.jpg")
        assert cv2.imwrite(file, cv2.resize(cv2.imread(file), (320, 240)))
        with pytest.raises(UserError, match=r"5.jpg has 320 x 240 pixels, but the labels count in 640 x 480"):
            _ = data_of(root).images

    def test_a_smear_that_cannot_be_read_is_told_before_training(self, root):
        (root / "Dataset/5.jpg").write_bytes(b"no picture")
        with pytest.raises(BadImageError, match=r"6 of 144 images cannot be read\. .*5.jpg"):
            check_pictures(data_of(root))
        part = data_of(root, on_bad_image="skip").table["part"]
        assert (part == "unreadable").sum() == 6

    def test_second_stage_takes_cells_of_the_same_side_alone(self, smears):
        first = data_of(smears, cache="memory")
        _ = first.images
        for side, shared in [(72, True), (40, False)]:
            later = data_of(smears, cache="memory", side=side)
            later.share_images(first)
            assert ("images" in vars(later)) == shared

    def test_page_shows_the_cell(self, smears, tmp_path):
        stage = tmp_path / "stage1"
        stage.mkdir()
        (stage / "config.yaml").write_text(f"data: {{class_path: ChulaRBC12, init_args: {{root: {smears}}}}}")
        shown = thumbnails(tmp_path, ["7_2", "nothing"])
        picture = cv2.imdecode(np.frombuffer(shown["7_2"], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        index = data_of(smears).index.set_index("image")
        assert [*shown] == ["7_2"] and picture.shape == (72, 72, 3)
        assert class_in(picture) == index.loc["7_2", "label"]


class TestCopies:
    @pytest.fixture
    def copied(self, root):
        """Smears of which one is there twice, with labels of other cells."""
        shutil.copy(root / "Dataset/3.jpg", root / "Dataset/27.jpg")
        (root / "Label/27.txt").write_text("300 300 7\n200 200 2\n")
        return root

    def test_duplicates_joins_smears(self, copied, tmp_path):
        data = data_of(copied, group_by="duplicates", cache_dir=str(tmp_path))
        assert set(data.groups[data.index["group"].isin(["3", "27"])]) == {"3"}
        assert len(set(data.groups)) == 24

    def test_audit_knows_them(self, copied, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        place = ["--data", "ChulaRBC12", "--data.root", str(copied), "--data.cache_dir", str(tmp_path)]
        place += ["--data.split", "Holdout", "--data.split.seed", str(next(filter(self.torn(copied), range(20))))]
        assert main(["audit", *place, "--json", "smear.json"]) == 1
        (found,) = json.loads((tmp_path / "smear.json").read_text())["identical_files"]["across_parts"]
        assert {row["image"].split("_")[0] for row in found} == {"3", "27"}
        assert main(["audit", *place, "--data.group_by", "duplicates"]) == 0

    def torn(self, root):
        """Whether a split with this seed has both copies in different parts, so that there is something to find."""

        def is_torn(seed):
            part = data_of(root, split=Holdout(seed=seed)).table.set_index("image")["part"]
            return part["3_1"] != part["27_1"]

        return is_torn

    def test_cell_by_cell_smears_are_in_several_parts(self, smears):
        table = data_of(smears, group_by=None, split=Holdout(test=0.3)).table
        assert (table.groupby("group")["part"].nunique() == 2).sum() > 12


def test_prepare_tells_what_is_there(smears, tmp_path):
    found = prepare(data_of(smears, cache_dir=str(tmp_path)))
    assert found["decoded"] == 24 and found["bytes"] == 24 * 640 * 480 * 3 and not found["unreadable"]
    assert [name.rpartition("/")[2] for name in found["unused"]] == ["25.jpg", "26.jpg", "27.jpg", "28.jpg"]
    assert found["remarks"] == data_of(smears).remarks
    assert found["complaints"] == [
        "ChulaRBC12 has 144 images, the official release 21054: see which classes differ.",
    ]
    assert prepare(data_of(smears, cache_dir=str(tmp_path), image_size=20))["decoded"] == 0  # smears are not reduced


def test_real_cells(no_decoder):
    data = ChulaRBC12(str(real_folder("chula_rbc12")), elliptocytes=True)
    assert len(data.index) == sum(COUNTS.values()) == 22_106
    assert tuple(np.bincount(data.index["label"])) == data.official_counts == tuple(COUNTS.values())
    assert data.index["group"].nunique() == 621
    assert data.remarks[1].endswith("left out: 53, 56 (empty label file), 115 without a label file.")
    default = ChulaRBC12(str(real_folder("chula_rbc12")))
    assert len(default.index) == sum(default.official_counts) == 21_054
    assert (default.table.groupby("group")["part"].nunique() == 1).all()
    assert set(default.table["part"]) == {"train", "val", "test"}
    for part in ("train", "val", "test"):
        assert len(set(default.labels_of(part))) == 12
