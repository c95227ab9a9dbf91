"""Data sets with pictures of more than 8 bits: one range for all, kept by caches, records and checkpoints."""

import cv2
import numpy as np
import pytest
import torch
from made_depths import exact, write_png, write_tiff

from lightning_imbal.data import FolderData
from lightning_imbal.data.pictures import depths
from lightning_imbal.data.prepare import prepare
from lightning_imbal.data.recipes import ImageNetCrop, ScaleShiftRotate, StrongCrop
from lightning_imbal.errors import BadImageError, UserError

CACHES = ("none", "memory", "disk")
LOW, HIGH = 3, 4071


def values_of(number):
    """The values of a picture; all of them are within the range of the third and the fifth."""
    rng = np.random.default_rng(number)
    values = rng.integers(200, 3000, (8, 8), dtype=np.uint16)
    values[0, 0] = {2: LOW, 4: HIGH}.get(number, values[0, 0])
    return values


@pytest.fixture
def folder(tmp_path):
    """Twelve deep pictures of two classes, one of them a TIFF of floats."""
    for number in range(12):
        place = tmp_path / "images" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        write_png(place / f"{number}.png", values_of(number))
    (place / "11.png").unlink()
    write_tiff(place / "11.tif", values_of(11).astype(np.float32))
    return tmp_path / "images"


def data_of(folder, **settings):
    settings = {"image_size": 8, "num_workers": 0, "cache_dir": str(folder.parent / "cache"), **settings}
    return FolderData(root=str(folder), **settings)


def seen(data, number):
    """What training sees of a picture, in one grey."""
    dataset = data.dataset("train", [data.test_recipe])
    row = data.index["image"].str.contains(rf"\b{number}\.").to_numpy().argmax()
    dataset.rows = np.array([row])
    image = dataset[0]["image"]
    assert image.shape == (3, 8, 8) and (image == image[:1]).all()
    return image[0].numpy()


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("bits", [8, 16])
def test_what_training_sees_is_exact(folder, cache, bits):
    data = data_of(folder, cache=cache, bits=bits)
    for _ in range(2):  # the second time from what was kept
        for number in (0, 2, 4, 11):
            error = np.abs(seen(data, number) * (1 if bits == 8 else 255) - exact(values_of(number), LOW, HIGH))
            assert error.max() <= (1 if bits == 8 else 2 / 257)
        assert data.images[0].dtype == (np.uint8 if bits == 8 else np.uint16)
        data = data_of(folder, cache=cache, bits=bits)


@pytest.mark.parametrize("recipe", [ImageNetCrop, StrongCrop, ScaleShiftRotate])
def test_recipes_and_normalisation_take_16_bits(folder, recipe):
    data = data_of(folder, bits=16, train_transform=recipe, image_size=16)
    image = data.dataset("train", data.train_recipes)[0]["image"]
    assert image.dtype == torch.float32 and image.min() >= 0 and image.max() <= 1
    eight, sixteen = (data_of(folder, bits=bits) for bits in (8, 16))
    batches = [each.normalize(each.dataset("train", [each.test_recipe])[0]["image"]) for each in (eight, sixteen)]
    assert (batches[0] - batches[1]).abs().max() <= 0.51 / 255 / min(data.normalize.std) * 1.01


@pytest.mark.parametrize(
    "depth, low, high", [([0, 4095], 0, 4095), ({"percentile": [5, 95]}, None, None), ([500, 600], 500, 600)]
)
def test_other_ranges(folder, depth, low, high):
    data, values = data_of(folder, depth=depth), values_of(4)
    low, high = (low, high) if low is not None else np.percentile(values, [5, 95])
    assert np.abs(seen(data, 4) - exact(values, low, high)).max() <= 1


class TestDiskCache:
    def test_pictures_of_8_bits_keep_their_folder(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / "images" / name).mkdir(parents=True)
            cv2.imwrite(str(tmp_path / "images" / name / "1.png"), np.full((8, 8, 3), 9, np.uint8))
        data = data_of(tmp_path / "images", cache="disk", split=None)
        before = depths.look_for_depths(data.index["path"].tolist())
        chosen = data_of(tmp_path, depth=[0, 9]).depth.reading
        assert before.identity(data.depth.reading) == "" == before.identity(chosen)
        other = data_of(tmp_path / "images", cache="disk", depth=[0, 4095], window=[40, 400])
        assert data.images.folder == other.images.folder

    def test_another_reading_has_another_folder(self, folder):
        settings = [{}, {"bits": 16}, {"depth": [0, 4095]}, {"depth": {"percentile": [1, 99]}}]
        folders = {str(data_of(folder, cache="disk", **each).images.folder) for each in settings}
        assert len(folders) == len(settings)
        write_png(folder / "a" / "0.png", values_of(0) + np.uint16(9000))
        assert str(data_of(folder, cache="disk").images.folder) not in folders

    def test_a_damaged_one_of_16_bits_is_decoded_anew(self, folder):
        images = data_of(folder, cache="disk", bits=16).images
        file = images.folder / "shard-00000.bin"
        assert file.stat().st_size == 12 * 8 * 8 * 3 * 2 == images.nbytes and images.verify() == []
        content = bytearray(file.read_bytes())
        content[700] ^= 1
        file.write_bytes(content)
        assert images.verify() == [file.name]
        assert np.abs(seen(data_of(folder, cache="disk", bits=16), 4) * 255 - exact(values_of(4), LOW, HIGH)).max() < 1


class TestRange:
    def test_it_is_found_once(self, folder, monkeypatch):
        monkeypatch.setattr(depths, "LEAST_BYTES", 1)
        assert data_of(folder).depth.found.range == (LOW, HIGH)
        opened = []
        monkeypatch.setattr(depths, "decode_raw", lambda encoded, path, window: opened.append(path))
        monkeypatch.setattr(depths, "header_at", lambda path: opened.append(path))
        assert data_of(folder).depth.reading.range == (LOW, HIGH) and opened == []

    def test_only_what_has_changed_is_opened(self, folder, monkeypatch):
        monkeypatch.setattr(depths, "LEAST_BYTES", 1)
        assert data_of(folder).depth.found.range == (LOW, HIGH)
        write_png(folder / "a" / "4.png", values_of(0) + np.uint16(9000))
        whole, opened = depths.decode_raw, []
        monkeypatch.setattr(depths, "decode_raw", lambda *of: opened.append(of[1]) or whole(*of))
        assert data_of(folder).depth.found.range == (LOW, int(values_of(0).max()) + 9000)
        assert opened == [str(folder / "a" / "4.png")]

    def test_a_damaged_record(self, folder, monkeypatch):
        monkeypatch.setattr(depths, "LEAST_BYTES", 1)
        assert data_of(folder).depth.found.range == (LOW, HIGH)
        (record,) = (folder.parent / "cache").glob("*.depths")
        record.write_bytes(b"no table")
        assert data_of(folder).depth.found.range == (LOW, HIGH)

    def test_no_jpeg_is_opened(self, folder, monkeypatch):
        for file in folder.rglob("*.*"):
            cv2.imwrite(str(file.with_suffix(".jpg")), np.full((8, 8, 3), 9, np.uint8))
            file.unlink()
        monkeypatch.setattr(depths, "header_at", None)
        data = data_of(folder)
        assert data.depth.found.range is None and data.depth.said == [] and len(data.images) == 12

    def test_a_value_that_is_no_number_is_refused_by_name(self, folder):
        write_tiff(folder / "b" / "11.tif", np.full((8, 8), np.nan, np.float32))
        with pytest.raises(BadImageError, match=r"11\.tif has values that are no numbers \(NaN\)"):
            _ = data_of(folder, cache="memory").images
        assert data_of(folder, cache="memory", on_bad_image="skip").left_out.keys() == {7}  # ordered by class


class TestCheckpoint:
    def test_the_range_of_the_training_is_kept(self, folder, tmp_path):
        kept = data_of(folder).depth.kept
        assert kept == {"range": [LOW, HIGH]}
        other = tmp_path / "others"
        for name in "ab":
            (other / name).mkdir(parents=True)
            write_png(other / name / "20.png", values_of(20) // 2)
        data = data_of(other, split=None)
        data.split = data_of(folder).split
        before = data.images[0]
        data.take_depth(kept)
        assert data.depth.reading.range == (LOW, HIGH) and data.depth.kept == kept
        assert np.abs(data.images[0][..., 0] - exact(values_of(20) // 2, LOW, HIGH)).max() <= 1
        assert (before != data.images[0]).any()
        data.predict_pictures([other / "a" / "20.png"])
        assert (data.predicted[0]["image"][0].numpy() == data.images[0][..., 0]).all()

    def test_images_stay_open_where_nothing_changes(self, folder):
        data = data_of(folder)
        images = data.images
        data.take_depth(data.depth.kept)
        assert data.images is images

    def test_a_network_that_has_seen_none(self, folder):
        data = data_of(folder)
        data.take_depth({"range": None})
        with pytest.raises(UserError, match=r"12 of 12 pictures have more than 8 bits, .*data\.depth=\[low, high\]"):
            _ = data.images
        with pytest.raises(UserError, match=r"12 of 12 pictures have more than 8 bits"):
            data.predict_folder(folder)
        with_range = data_of(folder, depth=[LOW, HIGH])
        with_range.take_depth({"range": None})
        assert np.abs(seen(with_range, 4) - exact(values_of(4), LOW, HIGH)).max() <= 1

    def test_stages_share_what_was_found(self, folder, monkeypatch):
        first, second = data_of(folder), data_of(folder)
        images = first.images
        second.share_images(first)
        monkeypatch.setattr(depths, "decode_ahead", None)
        assert second.images is images and second.depth.kept == first.depth.kept
        third = data_of(folder, depth=[0, 9])
        monkeypatch.undo()
        third.share_images(first)
        assert third.images is not images


class TestWhatIsSaid:
    def test_one_depth(self, folder):
        (folder / "b" / "11.tif").unlink()
        assert data_of(folder).depth.said == ["11 pictures of 16 bits (values 3 to 4,071: read as black to white)."]

    def test_mixed(self, folder):
        cv2.imwrite(str(folder / "a" / "12.jpg"), np.full((8, 8, 3), 9, np.uint8))
        of_floats = f"{values_of(11).min():,} to {values_of(11).max():,}"
        assert data_of(folder).depth.said == [
            f"Mixed depths: 1 picture of 32 bits, floating point (values {of_floats}; 3 to 4,071 are read as "
            "black to white), 11 of 16 bits (values 3 to 4,071: read as black to white), 1 of 8 bits (as they are)."
        ]

    def test_values_outside(self, folder):
        (folder / "b" / "11.tif").unlink()
        report = prepare(data_of(folder, depth=[100, 5000], bits=16))
        assert report["depths"] == [
            "11 pictures of 16 bits (values 3 to 4,071; 100 to 5,000 are read as black to white).",
            "1 of them has values outside, which become black or white.",
            "All reach the network with 16 bits.",
        ]

    def test_kinds_with_too_little_of_the_range(self, folder):
        write_tiff(folder / "b" / "11.tif", values_of(11) / np.float32(4096))
        *told, last = data_of(folder).depth.said
        assert last.startswith("Those of 32 bits, floating point get fewer than 16 of 256 grey levels: convert them")
        assert len(told) == 1 and told[0].startswith("Mixed depths")

    def test_percentiles_and_pages(self, folder):
        for file in folder.rglob("*.png"):
            file.unlink()
        for name in "ab":
            write_tiff(folder / name / "11.tif", values_of(1), pages=[values_of(2)])
        values = f"{values_of(1).min():,} to {values_of(1).max():,}"
        assert prepare(data_of(folder, depth={"percentile": [1, 99]}))["depths"] == [
            f"2 pictures of 16 bits (values {values}; percentiles 1 and 99 of each picture are read as black "
            "and white).",
            "Of 2 pictures only the first page is read.",
        ]

    def test_nothing_of_8_bits(self, folder):
        for file in folder.rglob("*.*"):
            cv2.imwrite(str(file.with_suffix(".png")), np.full((8, 8, 3), 9, np.uint8))
        (folder / "b" / "11.tif").unlink()
        data = data_of(folder)
        assert prepare(data)["depths"] == [] and data.depth.identity == {}

    def test_the_identity_of_a_result(self, folder):
        assert data_of(folder).depth.identity == {"range": [LOW, HIGH], "bits": 8}
        assert data_of(folder, depth=[0, 9]).depth.identity == {"limits": [0, 9], "bits": 8}
