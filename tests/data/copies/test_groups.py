"""What shows the same photograph stays together, with the groups that are known."""

import os
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from made_pictures import write

from lightning_imbal.data.checks import check_split
from lightning_imbal.data.copies import find, store
from lightning_imbal.data.copies.find import find_candidates, look_at_files, read_small
from lightning_imbal.data.copies.groups import copies_of_files, copies_of_pictures, join_groups
from lightning_imbal.data.copies.likeness import LEAST
from lightning_imbal.data.sets.own_csv import CSVData
from lightning_imbal.data.splits.official import Official
from lightning_imbal.errors import BadImageError, UserError


def photograph(seed, side=64):
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def own(tmp_path):
    """Pictures 0 to 19 of two patients each; 5 is a copy of 0, 6 the same bytes as 1, 7 the mirror image of 2."""
    root = tmp_path / "own"
    for number in range(20):
        write(root / f"{number}.png", photograph(number))
    cv2.imwrite(str(root / "5.png"), cv2.convertScaleAbs(cv2.resize(photograph(0), (50, 50)), alpha=0.8))
    shutil.copy(root / "1.png", root / "6.png")
    write(root / "7.png", photograph(2)[:, ::-1])
    rows = [(f"{i}.png", "ab"[i % 2], f"p{i // 2}", "test" if i in (5, 6) else "train") for i in range(20)]
    pd.DataFrame(rows, columns=["image", "label", "patient", "part"]).to_csv(root / "labels.csv", index=False)
    return root


def made(own, **kwargs):
    return CSVData(root=str(own), labels="labels.csv", cache_dir=str(own.parent / "cache"), **kwargs)


def together(groups):
    return sorted(np.flatnonzero(groups == name).tolist() for name in pd.unique(groups) if (groups == name).sum() > 1)


def test_copies_are_kept_together(own, told):
    data = made(own, group_by="duplicates")
    assert together(data.groups) == [[0, 5], [1, 6]]
    assert "duplicates: 4 pictures in 2 sets of the same photograph are kept together." in told.text
    assert data.groups[5] == data.groups[0] == "image 0.png"
    assert data.table.groupby(data.groups)["part"].nunique().max() == 1


def test_copies_join_the_groups_that_are_known(own):
    table = pd.read_csv(own / "labels.csv")
    table["patient"] = table["patient"].where(table["patient"] != "p9")
    table.to_csv(own / "labels.csv", index=False)
    data = made(own, group_column="patient", group_by="duplicates")
    assert together(data.groups)[:2] == [[0, 1, 4, 5, 6, 7], [2, 3]]
    assert data.groups[7] == "p0" and data.groups[18:].tolist() == ["image 18.png", "image 19.png"]
    assert len(set(data.groups)) == 9


def test_a_column_of_that_name_is_taken_for_what_it_is(own):
    table = pd.read_csv(own / "labels.csv").rename(columns={"patient": "duplicates"})
    table.to_csv(own / "labels.csv", index=False)
    assert len(together(made(own, group_column="duplicates").groups)) == 10


def test_a_split_that_tears_copies_is_refused(own):
    data = made(own, group_by="duplicates", split=Official(), split_column="part")
    with pytest.raises(UserError, match=r"puts images of one photograph into several parts \(2 times, the first"):
        check_split(data)


def test_groups_are_found_once(own, monkeypatch):
    monkeypatch.setattr(store, "LEAST_PICTURES", 1)
    first = made(own, group_by="duplicates").groups
    monkeypatch.setattr(store, "look_at", None)
    monkeypatch.setattr(find, "near_pairs", None)
    assert (made(own, group_by="duplicates").groups == first).all()
    os.utime(own / "3.png", ns=(1, 1))
    with pytest.raises(TypeError):
        _ = made(own, group_by="duplicates").groups


def test_what_cannot_be_read_is_refused_or_left_out(own):
    (own / "3.png").write_bytes(b"no picture")
    with pytest.raises(BadImageError, match="1 of 20 images cannot be read. The first: Cannot decode"):
        _ = made(own, group_by="duplicates").groups
    assert together(made(own, group_by="duplicates", on_bad_image="skip").groups) == [[0, 5], [1, 6]]


def test_pictures_that_are_no_files_are_compared_too(monkeypatch):
    monkeypatch.setattr(find, "usual_distance", lambda *args: 200)  # all of them are candidates
    pictures = [photograph(0), photograph(1), photograph(0), cv2.convertScaleAbs(photograph(1), alpha=0.7)]
    assert copies_of_pictures(pictures).tolist() == [0, 1, 0, 1]
    assert copies_of_files(pd.Series([], dtype=str), "unused", "raise").tolist() == []


@pytest.mark.parametrize("group", [["a", "b", "c", "d", "e"], ["a", "b", "a", "b", "e"]])
def test_groups_hang_together(group):
    joined = join_groups(np.array(group, dtype=object), np.array([0, 0, 1, 2, 1]))
    expected = {"a b c d e": "a a c d c", "a b a b e": "a a a a a"}[" ".join(group)]
    assert joined.tolist() == expected.split()


def test_mirrored_copies_are_found_on_wish(own):
    paths = [str(own / f"{number}.png") for number in range(20)]
    looks = look_at_files(paths, None, progress=False)
    plain, mirrored = (
        find_candidates(looks, read_small(paths), mirrored=each, progress=False) for each in (False, True)
    )
    assert plain.pairs[plain.confirmed].tolist() == [[0, 5, plain.pairs[0, 2], 0]]
    assert mirrored.pairs[mirrored.confirmed, :2].tolist() == [[0, 5], [2, 7]]
    assert mirrored.pairs[mirrored.confirmed, 3].tolist() == [0, 4] and mirrored.likeness.max() > 0.95
    assert plain.threshold >= LEAST and plain.distance == 60 and plain.total == len(plain.pairs)
