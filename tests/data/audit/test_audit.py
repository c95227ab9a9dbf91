"""What leaks between the parts of a split: found where it is, not where it is not, and counted exactly."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.audit import duplicates
from lightning_imbal.data.audit.audit import PAIRS, audit
from lightning_imbal.data.audit.lists import read_lists
from lightning_imbal.data.copies import candidates, find
from lightning_imbal.data.look.suspected import suspected_groups
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.errors import UserError
from lightning_imbal.report.audit import print_audit

ISIC2018_GROUPS = "ISIC2018_Task3_Training_LesionGroupings.csv"
ISIC2019_GROUPS = "ISIC_2019_Training_Metadata.csv"


def make_table(*rows):
    return pd.DataFrame(rows, columns=["image", "part", "class", "group", "path"])


def quiet_audit(table, **kwargs):
    report = audit(table, progress=False, **kwargs)
    assert json.loads(json.dumps(report)) == report
    return report


def random_picture(seed, side=64):
    """Smooth noise: a coarse random pattern, enlarged."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def save(tmp_path):
    """Writes a picture (or bytes) and returns its path."""

    def write(name, picture, quality=95):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(picture, bytes):
            path.write_bytes(picture)
        else:
            assert cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return str(path)

    return write


@pytest.fixture
def write_csv(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def lists(write_csv):
    """Three lists of the images a to f."""
    return {
        "train": write_csv("train.csv", "image,category,label\na,NV,0\nb,NV,0\nc,MEL,1\n"),
        "val": write_csv("val.csv", "image,class,label\nd,MEL,0\n"),
        "test": write_csv("test.csv", "image,label\ne,NV\nf,None\n"),
    }


def shared_by_loops(rows, first, second):
    """Images, of, groups and counts per class, one image after the other."""
    there = {group for _, part, _, group, _ in rows if part == second and group is not None}
    own = [(label, group) for _, part, label, group, _ in rows if part == first]
    per_class = {label: {"images": 0, "of": 0} for label, _ in own}
    for label, group in own:
        per_class[label]["of"] += 1
        per_class[label]["images"] += group in there
    shared = [group for _, group in own if group in there]
    return {"images": len(shared), "of": len(own), "per_class": per_class, "groups": len(set(shared))}


@pytest.mark.parametrize("seed", range(5))
def test_shared_groups_equal_a_slow_count(seed):
    rng = np.random.default_rng(seed)
    parts, labels = rng.choice(PARTS, 120), rng.choice(["MEL", "NV", "DF"], 120, p=[0.3, 0.68, 0.02])
    groups = [f"L{number}" if number else None for number in rng.integers(0, 60, 120)]
    rows = [(f"i{i}", parts[i], labels[i], groups[i], None) for i in range(120)]
    found = quiet_audit(make_table(*rows))["groups"]
    assert found.pop("unknown") == groups.count(None)
    assert list(found) == ["val_vs_train", "test_vs_train", "test_vs_val"]
    for first, second in PAIRS:
        assert found[f"{first}_vs_{second}"] == shared_by_loops(rows, first, second)


def test_a_class_without_shared_groups_is_counted_as_zero():
    table = make_table(
        ("a", "train", "NV", "L1", None), ("b", "test", "NV", "L1", None), ("c", "test", "DF", "L2", None)
    )
    report = quiet_audit(table, class_names=["MEL", "NV", "DF"])
    assert report["leaks"] is True
    assert list(report["groups"]) == ["test_vs_train", "unknown"]
    assert report["groups"]["test_vs_train"] == {
        "images": 1,
        "of": 2,
        "per_class": {"NV": {"images": 1, "of": 1}, "DF": {"images": 0, "of": 1}},
        "groups": 1,
    }


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_group_in_any_two_parts_leaks(first, second):
    assert quiet_audit(make_table(("a", first, "x", "g", None), ("b", second, "x", "g", None)))["leaks"] is True
    assert quiet_audit(make_table(("a", first, "x", "g", None), ("b", second, "x", "h", None)))["leaks"] is False


def test_unknown_groups_are_shared_with_nobody():
    table = make_table(
        ("a", "train", "NV", None, None), ("b", "test", "NV", None, None), ("c", "test", "NV", "L", None)
    )
    report = quiet_audit(table)
    assert report["groups"]["test_vs_train"]["images"] == 0
    assert report["groups"]["unknown"] == 2
    assert report["leaks"] is False


def test_without_groups_and_paths_they_are_not_reported():
    report = quiet_audit(make_table(("a", "train", "NV", None, None), ("b", "test", "NV", None, None)))
    names = ["groups", "identical_files", "near_duplicates", "near_duplicate_pairs", "images", "absent_files"]
    assert [report[name] for name in names] == [None] * len(names)
    assert report["leaks"] is False and report["group_name"] == "group" and report["unreadable"] == []


def test_columns_that_are_absent_count_as_unknown_and_rows_of_no_part_are_left_out():
    table = pd.DataFrame({"image": [1, 2, 1], "part": ["train", "test", ""]})
    report = quiet_audit(table)
    assert report["parts"] == {"train": {"images": 1, "classes": {}}, "test": {"images": 1, "classes": {}}}
    assert report["same_id"] == []
    assert report["missing_classes"] == {"train": [], "test": []}


def test_same_id():
    rows = [("a", "train"), ("a", "test"), ("b", "train"), ("b", "train"), ("c", "val")]
    report = quiet_audit(pd.DataFrame(rows, columns=["image", "part"]))
    assert report["same_id"] == [
        {"image": "a", "parts": ["train", "test"]},
        {"image": "b", "parts": ["train", "train"]},
    ]
    assert report["leaks"] is True


def test_an_id_twice_in_one_part_is_listed_but_no_leak():
    report = quiet_audit(pd.DataFrame([("a", "train"), ("a", "train"), ("b", "val")], columns=["image", "part"]))
    assert len(report["same_id"]) == 1 and report["leaks"] is False


def test_classes_missing_single_and_unknown():
    rows = [("a", "train", "NV"), ("b", "train", "NV"), ("c", "train", "MEL"), ("d", "test", "NV"), ("e", "test", "X")]
    table = pd.DataFrame(rows, columns=["image", "part", "class"])
    report = quiet_audit(table, class_names=["NV", "MEL", "DF"])
    assert report["parts"]["train"]["classes"] == {"NV": 2, "MEL": 1}
    assert report["missing_classes"] == {"train": ["DF"], "test": ["MEL", "DF"]}
    assert report["single_image_classes"] == {"train": ["MEL"], "test": ["NV"]}
    assert report["unknown_labels"] == {"X": 1}

    report = quiet_audit(table)
    assert report["missing_classes"] == {"train": ["X"], "test": ["MEL"]}
    assert report["unknown_labels"] == {}


def test_identical_files(save):
    same = save("a.png", random_picture(0))
    copy = save("b.png", Path(same).read_bytes())
    inside = [save(name, random_picture(1)) for name in ("c.png", "d.png")]
    other = save("e.png", random_picture(2))
    rows = zip("abcde", ["train", "test", "val", "val", "test"], [same, copy, *inside, other], strict=True)
    report = quiet_audit(make_table(*((image, part, "NV", None, path) for image, part, path in rows)))
    assert report["identical_files"] == {
        "across_parts": [[{"image": "a", "part": "train"}, {"image": "b", "part": "test"}]],
        "within_parts": 1,
    }
    assert report["near_duplicates"] == [] and report["near_duplicate_pairs"] == 0
    assert report["leaks"] is True


def test_one_file_in_two_parts_is_the_same_id_and_nothing_else(save):
    path = save("a.png", random_picture(0))
    report = quiet_audit(make_table(("a", "train", "NV", None, path), ("a", "test", "NV", None, path)))
    assert report["same_id"] == [{"image": "a", "parts": ["train", "test"]}]
    assert report["identical_files"] == {"across_parts": [], "within_parts": 0}
    assert report["near_duplicates"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b.jpg", "picture": random_picture(0), "quality": 60},
        {"name": "b.png", "picture": cv2.resize(random_picture(0), (48, 48), interpolation=cv2.INTER_AREA)},
        {"name": "b.jpg", "picture": cv2.resize(random_picture(0), (800, 800)), "quality": 80},
        {"name": "b.png", "picture": cv2.convertScaleAbs(random_picture(0), alpha=0.8, beta=5)},
    ],
    ids=["jpeg", "smaller", "larger", "darker"],
)
def test_a_picture_saved_again_is_found_across_parts_only(save, change):
    original, copy = save("a.jpg", random_picture(0)), save(**change)
    others = [
        (f"o{i}", part, "DF", None, save(f"o{i}.png", random_picture(i))) for i, part in [(1, "train"), (2, "val")]
    ]
    report = quiet_audit(make_table(("a", "train", "NV", None, original), ("b", "test", None, None, copy), *others))
    (pair,) = report["near_duplicates"]
    assert 0 <= pair.pop("distance") <= candidates.DISTANCE and pair.pop("likeness") > 0.9
    assert pair == {
        "turned": False,
        "first": {"image": "b", "part": "test", "class": None},
        "second": {"image": "a", "part": "train", "class": "NV"},
    }
    assert report["near_duplicate_pairs"] == 1 and report["leaks"] is True
    assert report["identical_files"]["across_parts"] == []

    inside = make_table(("a", "train", "NV", None, original), ("b", "train", "NV", None, copy), *others)
    assert quiet_audit(inside)["near_duplicates"] == []


def test_near_duplicates_of_one_group_are_not_listed_again(save):
    paths = [save("a.jpg", random_picture(0)), save("b.jpg", random_picture(0), quality=60)]
    for groups, number in ((("L", "L"), 0), (("L", "K"), 1), ((None, None), 1), (("L", None), 1)):
        rows = zip("ab", ("train", "val"), groups, paths, strict=True)
        report = quiet_audit(make_table(*((image, part, "NV", group, path) for image, part, group, path in rows)))
        assert len(report["near_duplicates"]) == number


def test_mirrored_copies_are_found_on_wish(save, capsys):
    table = make_table(
        ("a", "train", "NV", None, save("a.png", random_picture(0))),
        ("b", "test", "NV", None, save("b.png", random_picture(0)[:, ::-1])),
    )
    report = quiet_audit(table)
    assert report["near_duplicates"] == [] and report["mirrored"] is report["leaks"] is False
    report = quiet_audit(table, mirrored=True)
    (pair,) = report["near_duplicates"]
    assert pair["turned"] is True and pair["likeness"] > 0.95 and report["leaks"] is True
    assert ", turned: b (test, NV) ~ a (train, NV)" in printed(report, capsys)


def test_what_the_pixels_reject_is_no_leak_but_said(save, capsys, monkeypatch):
    rows = [(f"i{i}", PARTS[i % 2], "NV", None, save(f"{i}.png", random_picture(i))) for i in range(4)]
    report = quiet_audit(make_table(*rows), distance=200)
    assert report["leaks"] is False and report["near_duplicate_pairs"] == 0 and report["distance"] == 200
    assert report["rejected_pairs"] == 4 and report["unlooked_pairs"] == 0
    text = printed(report, capsys)
    assert "4 other pairs across parts look alike at first sight, but not by the pixels (likeness below 0." in text

    monkeypatch.setattr(find, "LEAST_CANDIDATES", 1)
    report = quiet_audit(make_table(*rows), distance=200)
    assert report["unlooked_pairs"] == 2 and "2 pairs that may look alike were not compared" in printed(report, capsys)


def test_flat_pictures_do_not_look_alike(save):
    rng = np.random.default_rng(0)
    flat = [np.full((30, 40, 3), 7 * i, np.uint8) for i in range(6)]
    flat.append((rng.integers(0, 2, (200, 200, 3)) + 99).astype(np.uint8))
    rows = [(f"f{i}", PARTS[i % 3], "NV", None, save(f"f{i}.png", picture)) for i, picture in enumerate(flat)]
    report = quiet_audit(make_table(*rows))
    assert report["near_duplicates"] == [] and report["flat_images"] == len(flat)
    assert report["unreadable"] == [] and report["leaks"] is False


def test_unreadable_pictures_do_not_stop_the_audit(save, tmp_path):
    rows = [
        ("a", "train", "NV", None, save("a.jpg", random_picture(0))),
        ("b", "test", "NV", None, save("b.jpg", random_picture(0), quality=60)),
        ("c", "test", "NV", None, save("c.jpg", b"no picture")),
        ("d", "val", "NV", None, save("d.jpg", b"")),
        ("e", "val", "NV", None, str(tmp_path / "gone.jpg")),
        ("f", "val", "NV", None, None),
    ]
    report = quiet_audit(make_table(*rows))
    assert [entry["image"] for entry in report["unreadable"]] == ["c", "d", "e"]
    assert all(row[4] in entry["cause"] for row, entry in zip(rows[2:5], report["unreadable"], strict=True))
    assert len(report["near_duplicates"]) == 1 and report["absent_files"] == 1
    assert report["images"]["modes"] == {"RGB": 2}


def test_sizes_and_modes(save, monkeypatch):
    pictures = [random_picture(i, side) for i, side in enumerate([20, 20, 20, 24, 24, *range(30, 52)])]
    pictures[0] = pictures[0][..., 0]
    rows = [(f"i{i}", PARTS[i % 2], "NV", None, save(f"{i}.png", picture)) for i, picture in enumerate(pictures)]
    images = quiet_audit(make_table(*rows))["images"]
    assert list(images["sizes"].items())[:2] == [("20x20", 3), ("24x24", 2)]
    assert len(images["sizes"]) == 21 and images["sizes"]["other"] == len(pictures) - 3 - 2 - 18
    assert images["modes"] == {"RGB": 26, "L": 1}


def test_lists_are_read_as_text(lists, write_csv, save):
    groups = write_csv("groups.csv", "image,lesion_id,x\na,007,\nb,,\nd,7,\nf,007,\nelsewhere,9,\n")
    for name in ("a.jpg", "sub/b.png", "sub/deep/c.JPG", "d.txt", "z.jpg"):
        folder = save(name, random_picture(0)) if not name.endswith("txt") else save(name, b"no picture")
    folder = folder.removesuffix("/z.jpg")
    table = read_lists(**lists, groups=groups, images=folder)
    assert table.columns.tolist() == ["image", "part", "class", "group", "path"]
    assert table["image"].tolist() == list("abcdef")
    assert table["part"].tolist() == ["train"] * 3 + ["val"] + ["test"] * 2
    assert table["class"].tolist() == ["NV", "NV", "MEL", "MEL", "NV", "None"]
    assert table["group"].dropna().to_dict() == {0: "007", 3: "7", 5: "007"}
    names = {0: "a.jpg", 1: "sub/b.png", 2: "sub/deep/c.JPG"}
    assert table["path"].dropna().to_dict() == {row: f"{folder}/{name}" for row, name in names.items()}
    assert table.attrs["group_name"] == "lesion"
    report = quiet_audit(table)
    assert report["group_name"] == "lesion" and report["absent_files"] == 3
    assert report["groups"]["test_vs_train"]["images"] == 1 and report["groups"]["unknown"] == 3


def test_blank_cells_are_missing(write_csv):
    train = write_csv("train.csv", "image,label\n a ,NV\nb, \n")
    test = write_csv("test.csv", "label,image\n,c\n,d\n")
    table = read_lists(train, None, test, write_csv("groups.csv", "patient,image\n ,a\nNA,c\n P1,d\n"))
    assert table["image"].tolist() == list("abcd")
    assert table["class"].dropna().to_dict() == {0: "NV"} and table["group"].dropna().to_dict() == {3: "P1"}
    assert table.attrs["group_name"] == "patient"
    assert quiet_audit(table)["groups"]["test_vs_train"] == {"images": 0, "of": 2, "per_class": {}, "groups": 0}


def test_lists_alone_are_enough(lists):
    table = read_lists(lists["train"], None, lists["test"], None, None)
    assert table[["group", "path"]].isna().all(axis=None)
    assert quiet_audit(table)["group_name"] == "group"


@pytest.mark.parametrize("name", ["x/1.jpg", "x/1", "2.jpg", "2"])
def test_an_image_is_named_by_its_path_or_by_its_file_name(write_csv, save, name):
    folder = save("y/1.jpg", random_picture(0)).removesuffix("/y/1.jpg")
    for other in ("x/1.jpg", "y/2.jpg"):
        save(other, random_picture(1))
    lists = write_csv("train.csv", f"image\n{name}\n"), write_csv("test.csv", "image\nabsent\n")
    table = read_lists(lists[0], None, lists[1], None, folder)
    expected = f"{folder}/x/1.jpg" if name.startswith("x") else f"{folder}/y/2.jpg"
    assert table["path"][0] == expected and pd.isna(table["path"][1])


@pytest.mark.parametrize(
    "changed, content, said",
    [
        ("train", "", "train.csv cannot be read as CSV"),
        ("train", "image,label\n", "train.csv has no rows"),
        ("train", "what,label\na,0\n", "train.csv has no column 'image', only 'what', 'label'"),
        ("train", 'image\n"a\n', "train.csv cannot be read as CSV"),
        ("train", "image,label\na,0\n,1\n", "train.csv has no image in row 2"),
        ("groups", "what,group\na,1\n", "groups.csv has no column 'image'"),
        ("groups", "image,lesion\na,1\n", "groups.csv has no column 'lesion_id', 'group', 'patient', 'patient_id'"),
        ("groups", "image,group\nISIC_1,1\n", "groups.csv has none of the 6 images of the lists (it has ISIC_1, they"),
        ("groups", "image,group\na,1\na,2\n", "groups.csv puts a into two groups"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(lists, write_csv, changed, content, said):
    files = {**lists, changed: write_csv(f"{changed}.csv", content)}
    with pytest.raises(UserError) as refusal:
        read_lists(**files)
    message = str(refusal.value)
    assert said in message and "\n" not in message


@pytest.mark.parametrize("changed", ["train", "val", "test", "groups"])
def test_a_file_that_is_not_there_is_refused(lists, changed):
    with pytest.raises(UserError, match=f"no file /nowhere/{changed}.csv"):
        read_lists(**{**lists, changed: f"/nowhere/{changed}.csv"})


def test_one_list_is_refused(lists):
    with pytest.raises(UserError, match="at least two of train, val and test, or one file with a column 'split'"):
        read_lists(None, None, lists["test"], None, None)


def test_one_file_may_hold_all_parts(write_csv):
    file = write_csv("split.csv", "file_name,split,label\na,Training,x\nb,test,y\nc,train,x\n")
    whole = read_lists(file, None, None)
    assert dict(zip(whole["image"], whole["part"], strict=True)) == {"a": "train", "b": "test", "c": "train"}
    assert whole["class"].tolist() == ["x", "y", "x"]
    assert read_lists(file, None, file).sort_values("image")["part"].tolist() == ["train", "test", "train"]


def test_a_folder_that_does_not_fit_is_refused(lists, save, tmp_path):
    with pytest.raises(UserError, match="no pictures below"):
        read_lists(**lists, images=str(tmp_path / "nowhere"))
    folder = save("other.jpg", random_picture(0)).removesuffix("/other.jpg")
    with pytest.raises(UserError, match=r"None of the 6 images .* \(there is other.jpg, they name a\)"):
        read_lists(**lists, images=folder)
    save("x/a.jpg", random_picture(0))
    save("y/a.png", random_picture(0))
    with pytest.raises(UserError, match="The image a of the lists may be .*x/a.jpg or .*y/a.png"):
        read_lists(**lists, images=folder)


def printed(report, capsys):
    print_audit(report, "a [set]")
    return capsys.readouterr().out


def test_printed_verdict_of_leaks(save, capsys):
    copies = [save("a.jpg", random_picture(0)), save("b.jpg", random_picture(0), quality=60)]
    rows = [(f"i{i}", part, "[NV]", "L", None) for i, part in enumerate(["train", "test", "test"])]
    rows += [("a", "train", "MEL", None, copies[0]), ("b", "test", "MEL", None, copies[1])]
    rows += [(f"twice{i}", part, "[NV]", None, None) for i in range(30) for part in ("train", "test")]
    out = printed(quiet_audit(make_table(*rows), class_names=["[NV]", "DF"], group_name="lesion"), capsys)
    assert "2 of 33 test images share a lesion with training images" in out
    title, verdict, *rest = out.splitlines()
    assert title == "a [set]"
    assert verdict == (
        "LEAKS: 2 of 33 test images share a lesion with training images, 30 ids in several parts, "
        "1 pair of near-duplicates across parts."
    )
    assert rest[0] == "Not checked: 62 images without a known lesion; 63 images whose file was not found."
    text = "\n".join(rest)
    assert "test images whose lesion is also in train: 1 lesion in both" in text
    assert "│ [NV]  │      2 │ 32 │  6.2% │" in text and "│ all   │      2 │ 33 │  6.1% │" in text
    assert "twice19: train, test" in text and "twice20" not in text
    assert "... and 10 more: --json FILE has all" in text
    assert re.search(r"\d bits, likeness 0\.\d\d: b \(test, MEL\) ~ a \(train, MEL\)", text)
    assert "MEL: 2 images" in text and "test has no image of: DF." in text


def test_near_duplicates_that_are_not_listed_are_counted(save, monkeypatch, capsys):
    monkeypatch.setattr(duplicates, "MAX_LISTED", 1)
    rows = [
        (f"{part}{i}", part, "NV", None, save(f"{part}{i}.{end}", random_picture(i)))
        for i in (0, 1)
        for part, end in (("train", "png"), ("test", "jpg"))
    ]
    report = quiet_audit(make_table(*rows))
    assert len(report["near_duplicates"]) == 1
    assert "LEAKS: 2 pairs of near-duplicates across parts." in printed(report, capsys)


def test_printed_verdict_without_leaks(capsys):
    table = make_table(("a", "train", "NV", "L", None), ("b", "test", "NV", "K", None))
    pictures = "identical and near-duplicate pictures (no folder of images is known)"
    lines = printed(quiet_audit(table), capsys).splitlines()
    assert lines[1] == f"Not checked: {pictures}. Nothing leaks in the rest: no group and no id is in two parts."
    lines = printed(quiet_audit(table.assign(group=None)), capsys).splitlines()
    assert lines[1].startswith(f"Not checked: groups in several parts (no group is known); {pictures}. Nothing leaks")


def test_suspected_groups_come_first(capsys):
    rows = [
        (f"{i // 2}_{'left' if i % 2 else 'right'}", ["train", "test"][i % 4 // 2 or i % 2], "NV") for i in range(12)
    ]
    table = make_table(*(row + (None, None) for row in rows))
    lines = printed(quiet_audit(table, suspected=suspected_groups(table, table["image"])), capsys).splitlines()
    said = "groups (names look like 6 patients: 12 of 12 images share one with others, and 3 are in several parts"
    assert lines[1].startswith(f"Not checked: {said}")
    assert lines[2].startswith("To keep patients together: --data.group_pattern '")


def test_printed_pictures(save, capsys):
    rows = [
        ("a", "train", "NV", "L", save("a.jpg", random_picture(0))),
        ("b", "test", "NV", "K", save("b.jpg", random_picture(1))),
        ("c", "test", "NV", "K", save("c.jpg", np.zeros((8, 8, 3), np.uint8))),
    ]
    out = printed(quiet_audit(make_table(*rows)), capsys)
    assert "No leak found: no group and no id and no identical file and no near-duplicate is in two parts." in out
    assert "Not checked: 1 picture of a single colour, for near-duplicates." in out
    rows[1] = ("b", "test", "NV", "K", save("b.jpg", b"broken"))
    out = printed(quiet_audit(make_table(*rows)), capsys)
    assert "1 picture that cannot be read" in out and "  b: Cannot decode the image" in out
    assert "Sizes: 64x64 (1), 8x8 (1)." in out and "Modes: RGB (2)." in out


@pytest.mark.parametrize("year, groups_file", [("2018", ISIC2018_GROUPS), ("2019", ISIC2019_GROUPS)])
def test_released_lists_of_zhang(real_isic, year, groups_file):
    root = real_isic.parent / f"isic{year}"
    files = {part: root / f"zhang_{part}.csv" for part in PARTS}
    if not all(file.is_file() for file in files.values()):
        pytest.skip(f"released lists not found: {root} has no zhang_train.csv, zhang_val.csv, zhang_test.csv")
    report = quiet_audit(read_lists(**{part: str(file) for part, file in files.items()}, groups=root / groups_file))

    header, *lines = (root / groups_file).read_text().splitlines()
    column = header.split(",").index("lesion_id")
    lesion = {line.split(",")[0]: line.split(",")[column] for line in lines}
    rows = {part: [line.split(",")[:2] for line in file.read_text().split()[1:]] for part, file in files.items()}
    lesions = {part: {lesion[image] for image, _ in rows[part]} - {""} for part in PARTS}
    assert report["groups"]["unknown"] == sum(lesion[image] == "" for part in PARTS for image, _ in rows[part])
    for first, second in PAIRS:
        found = report["groups"][f"{first}_vs_{second}"]
        shared = [label for image, label in rows[first] if lesion[image] in lesions[second]]
        labels = [label for _, label in rows[first]]
        assert (found["images"], found["of"]) == (len(shared), len(labels))
        assert found["groups"] == len(lesions[first] & lesions[second])
        expected = {label: {"images": shared.count(label), "of": labels.count(label)} for label in set(labels)}
        assert found["per_class"] == expected
    assert report["leaks"] and report["same_id"] == []


def test_real_near_duplicate_under_two_lesions(real_isic):
    """Of these only the first pair is one picture; 64 bits of hash could not tell it from the others."""
    folder, groups = real_isic / "ISIC2018_Task3_Training_Input", real_isic / ISIC2018_GROUPS
    if not folder.is_dir():
        pytest.skip(f"real ISIC2018 images not found: {folder}")
    look_alike = ("0025226", "0030074"), ("0032228", "0033598"), ("0031896", "0032242"), ("0027757", "0032082")
    lesion = pd.read_csv(groups, index_col="image")["lesion_id"]
    rows = [
        (f"ISIC_{number}", part, "NV", lesion[f"ISIC_{number}"], f"{folder}/ISIC_{number}.jpg")
        for pair in look_alike
        for number, part in zip(pair, ("train", "test"), strict=True)
    ]
    report = quiet_audit(make_table(*rows))
    found = [(pair["second"]["image"], pair["first"]["image"]) for pair in report["near_duplicates"]]
    assert found == [("ISIC_0025226", "ISIC_0030074")]
    assert report["groups"]["test_vs_train"]["images"] == 0
