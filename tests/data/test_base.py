"""Data sets: their index, their parts, their batches, and what they refuse."""

import os
import resource
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from forked import run_forked
from lightning.pytorch import Trainer
from sklearn.datasets import load_digits

from lightning_imbal.data import CSVData
from lightning_imbal.data.recipes import ImageNetCrop, Squash
from lightning_imbal.data.sets.digits import DigitsLT
from lightning_imbal.data.sets.isic import ISIC2018
from lightning_imbal.data.splits import Holdout, KFold, Split
from lightning_imbal.errors import DatasetNotFoundError, UserError


@pytest.fixture
def make_isic(isic_root):
    def make(root=isic_root, **kwargs):
        return ISIC2018(root, **{"image_size": 16, "batch_size": 8, "num_workers": 0, **kwargs})

    return make


@pytest.fixture
def copied_root(isic_root, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(isic_root, tmp_path / "copy")


def table_counts(data):
    return dict(zip(data.class_names, np.bincount(data.table["label"]).tolist(), strict=True))


class TestIndex:
    def test_labels_are_read_without_a_picture(self, make_isic, no_decoder):
        data = make_isic()
        assert table_counts(data) == {
            "melanoma": 14,
            "nevus": 24,
            "basal cell carcinoma": 8,
            "actinic keratosis": 6,
            "benign keratosis": 11,
            "dermatofibroma": 4,
            "vascular lesion": 5,
        }
        assert data.table["image"].is_unique and data.table["part"].isin(["train", "test"]).all()
        assert data.class_counts == np.bincount(data.table["label"][data.rows("train")]).tolist()
        with pytest.raises(AssertionError, match="decoded"):
            data.images[0]

    def test_label_and_path_belong_to_the_image(self, make_isic, isic_root):
        table = make_isic().table
        truth = pd.read_csv(isic_root / f"{ISIC2018.prefix}GroundTruth.csv", index_col="image")
        assert (truth.loc[table["image"]].to_numpy().argmax(axis=1) == table["label"]).all()
        assert (table["path"] == [f"{isic_root}/{ISIC2018.prefix}Input/{image}.jpg" for image in table["image"]]).all()

    @pytest.mark.parametrize("split", [Holdout(val=0.1), KFold(fold=1, val=0.2)], ids=["holdout", "fold"])
    @pytest.mark.filterwarnings("ignore:The least populated class")
    def test_lesion_stays_in_one_part(self, make_isic, split):
        table = make_isic(split=split, group_by="lesion").table
        assert set(table["part"]) == {"train", "val", "test"}
        assert (table.groupby("group")["part"].nunique() == 1).all()
        assert make_isic(split=split).table.groupby("group")["part"].nunique().max() > 1

    @pytest.mark.parametrize("make", [ISIC2018, DigitsLT], ids=["isic", "digits"])
    def test_unknown_group_is_refused(self, make, isic_root):
        known = "only by lesion" if make is ISIC2018 else "not grouped"
        with pytest.raises(UserError, match=f"{make.__name__} cannot be split by 'patient': its images are {known}"):
            _ = make(root=str(isic_root), group_by="patient").table

    def test_class_without_training_images_is_named(self, make_isic):
        class NoFibroma(Split):
            def __call__(self, index, group=None):
                label = index["label"].to_numpy()
                train = np.flatnonzero(label != 5)
                return {"train": train, "val": train[:0], "test": np.flatnonzero(label == 5)}

        with pytest.raises(UserError, match="training part has no image of: dermatofibroma\\."):
            _ = make_isic(split=NoFibroma()).class_counts


class TestLayout:
    def test_all_that_is_missing_is_named(self, make_isic, tmp_path):
        with pytest.raises(DatasetNotFoundError) as refusal:
            _ = make_isic(tmp_path).table
        for text in (
            str(tmp_path),
            f"{ISIC2018.prefix}Input",
            f"{ISIC2018.prefix}GroundTruth.csv",
            f"{ISIC2018.prefix}LesionGroupings.csv",
        ):
            assert text in str(refusal.value)
        assert "https://challenge.isic-archive.com" in str(refusal.value) and "data.root=FOLDER" in str(refusal.value)

    def test_only_what_is_missing_is_named(self, make_isic, copied_root):
        (copied_root / f"{ISIC2018.prefix}GroundTruth.csv").unlink()
        with pytest.raises(DatasetNotFoundError, match=f"has no {ISIC2018.prefix}GroundTruth.csv\\. Get"):
            _ = make_isic(copied_root).table

    def test_absent_picture_is_named(self, make_isic, copied_root):
        (copied_root / f"{ISIC2018.prefix}Input" / "ISIC_0024310.jpg").unlink()
        with pytest.raises(
            DatasetNotFoundError, match="1 of the 72 images of ISIC2018 are absent, the first is .*ISIC_0024310.jpg"
        ):
            _ = make_isic(copied_root).table

    def test_sub_folders_of_the_archives_are_accepted(self, make_isic, copied_root):
        folder = copied_root / f"{ISIC2018.prefix}GroundTruth"
        folder.mkdir()
        for name in ("GroundTruth", "LesionGroupings"):
            (copied_root / f"{ISIC2018.prefix}{name}.csv").rename(folder / f"{ISIC2018.prefix}{name}.csv")
        columns = ["image", "label", "group", "part"]
        assert make_isic(copied_root).table[columns].equals(make_isic().table[columns])


class TestBatches:
    @pytest.mark.parametrize("cache", ["none", "memory"])
    def test_keys_shapes_and_types(self, make_isic, cache):
        data = make_isic(cache=cache, split=Holdout(val=0.2))
        for loader, part in [
            (data.train_dataloader(), "train"),
            (data.val_dataloader(), "val"),
            (data.test_dataloader(), "test"),
        ]:
            batch = next(iter(loader))
            assert set(batch) == {"image", "label", "index"}
            assert batch["image"].shape == (8, 3, 16, 16) and batch["image"].dtype == torch.uint8
            assert batch["label"].shape == batch["index"].shape == (8,)
            assert batch["label"].dtype == batch["index"].dtype == torch.int64
            row = data.table.loc[batch["index"].tolist()]
            assert row["label"].tolist() == batch["label"].tolist()
            assert set(row["part"]) == {part}

    def test_evaluation_sees_every_image_once_in_order(self, make_isic):
        data = make_isic()
        index = torch.cat([batch["index"] for batch in data.test_dataloader()])
        assert index.tolist() == data.rows("test").tolist()
        assert data.val_dataloader() == []

    def test_views_are_independent(self, make_isic):
        data = make_isic(views=2, train_transform=ImageNetCrop)
        image = next(iter(data.train_dataloader()))["image"]
        assert image.shape == (8, 2, 3, 16, 16)
        assert not any(torch.equal(first, second) for first, second in image)
        assert next(iter(data.test_dataloader()))["image"].shape == (8, 3, 16, 16)

    def test_each_view_may_have_its_recipe(self, make_isic):
        data = make_isic(train_transform=Squash, more_views=[ImageNetCrop])
        batch = next(iter(data.train_dataloader()))
        assert batch["image"].shape == (8, 2, 3, 16, 16)
        plain = make_isic(train_transform=Squash).images
        squashed = [torch.from_numpy(Squash(16)(image=plain[row])["image"]).permute(2, 0, 1) for row in batch["index"]]
        assert torch.equal(batch["image"][:, 0], torch.stack(squashed))
        assert not torch.equal(batch["image"][:, 0], batch["image"][:, 1])

    def test_normalisation(self):
        mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
        data = DigitsLT(image_size=8, mean=mean, std=std, num_workers=0)
        batch = next(iter(data.test_dataloader()))
        gray = torch.from_numpy(load_digits().images[batch["index"]] / 16)[:, None]
        expected = (gray - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        image = data.normalize(batch["image"])
        assert image.dtype == torch.float32 and batch["image"].dtype == torch.uint8
        assert torch.allclose(image.double(), expected, atol=0.5 / 255 / 0.2 + 1e-5)
        exact = data.normalize(batch["image"], torch.float64)
        assert exact.dtype == torch.float64 and torch.allclose(exact, image.double(), atol=1e-5)

    def test_cache_changes_no_small_picture(self, make_isic):
        decoded, kept = (next(iter(make_isic(cache=cache).test_dataloader())) for cache in ("none", "memory"))
        assert all(torch.equal(kept[name], decoded[name]) for name in decoded)

    def test_batch_that_devices_cannot_share_is_refused(self, make_isic):
        data = make_isic(batch_size=3)
        data.trainer = SimpleNamespace(world_size=2, global_rank=0)
        with pytest.raises(UserError, match="batch of 3 images cannot be shared by 2 devices.*a multiple of 2"):
            data.setup("fit")

    def test_batch_is_shared_by_devices(self, make_isic):
        data = make_isic(batch_size=8)
        begun = Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False).fit_loop
        data.trainer = SimpleNamespace(world_size=2, global_rank=1, max_epochs=1, fit_loop=begun)
        data.setup("fit")
        assert [len(batch["label"]) for batch in data.train_dataloader()] == [4] * (sum(data.class_counts) // 8)

    def test_a_resumed_run_begins_with_the_draws_of_its_epoch(self, make_isic):
        data = make_isic(num_workers=0)
        progress = SimpleNamespace(epoch_progress=SimpleNamespace(current=SimpleNamespace(processed=3)))
        data.trainer = SimpleNamespace(world_size=1, global_rank=0, max_epochs=7, fit_loop=progress)
        [sampler] = data.train_samplers()
        assert sampler.max_epochs == 7
        draws = data.train_dataloader().sampler
        assert draws.epoch == draws.samplers[0].epoch == 3

    def test_folder_is_read_in_order(self, make_isic, tmp_path):
        (tmp_path / "b").mkdir()
        for name in ("b/2.PNG", "1.jpg"):
            cv2.imwrite(str(tmp_path / name), np.zeros((5, 5, 3), np.uint8))
        (tmp_path / "notes.txt").touch()
        data = make_isic()
        assert data.predict_folder(tmp_path) == [tmp_path / "1.jpg", tmp_path / "b" / "2.PNG"]
        assert next(iter(data.predict_dataloader()))["index"].tolist() == [0, 1]
        with pytest.raises(UserError, match="no folder"):
            data.predict_folder(tmp_path / "absent")


class TestShareImages:
    def test_same_pictures_are_handed_over(self, make_isic):
        first, second = make_isic(cache="memory"), make_isic(cache="memory", batch_size=4)
        images = first.images
        second.share_images(first)
        assert second.images is images

    def test_nothing_is_decoded_for_it(self, make_isic, no_decoder):
        make_isic(cache="memory").share_images(make_isic(cache="memory"))

    @pytest.mark.parametrize("difference", ["root", "class", "cache", "image_size"])
    def test_other_pictures_are_not(self, make_isic, isic_root, tmp_path, difference):
        (tmp_path / "link").symlink_to(isic_root)
        first = make_isic()
        second = {
            "root": lambda: make_isic(tmp_path / "link"),
            "class": lambda: type("Other", (ISIC2018,), {})(isic_root, image_size=16),
            "cache": lambda: make_isic(cache="memory"),
            "image_size": lambda: make_isic(image_size=8),
        }[difference]()
        images = first.images
        second.share_images(first)
        assert second.images is not images


class TestDigits:
    @pytest.mark.parametrize("ratio", [1, 10, 20.0])
    def test_training_part_falls_exponentially(self, ratio):
        counts = DigitsLT(ratio=ratio).class_counts
        assert counts == [round(counts[0] * ratio ** (-i / 9)) for i in range(10)]
        assert counts[0] > 110

    def test_test_part_stays_balanced(self):
        data = DigitsLT()
        test = np.bincount(data.table["label"][data.rows("test")])
        assert (abs(test - 0.3 * np.bincount(load_digits().target)) <= 1).all()
        assert (data.table["part"] == "").any()


@pytest.mark.usefixtures("no_decoder")
class TestRealISIC:
    def test_index(self, real_isic):
        data = ISIC2018(real_isic)
        assert len(data.table) == 10015 and data.table["group"].nunique() == 7470
        assert table_counts(data) == {
            "melanoma": 1113,
            "nevus": 6705,
            "basal cell carcinoma": 514,
            "actinic keratosis": 327,
            "benign keratosis": 1099,
            "dermatofibroma": 115,
            "vascular lesion": 142,
        }
        sizes = data.table["part"].value_counts()
        assert (sizes["train"], sizes["test"]) in [(7010, 3005), (7011, 3004)]

    def test_lesions_stay_in_one_part(self, real_isic):
        table = ISIC2018(real_isic, group_by="lesion").table
        assert (table.groupby("group")["part"].nunique() == 1).all()
        test_share = (table["part"] == "test").groupby(table["label"]).mean()
        assert test_share.between(0.27, 0.33).all()


def read_a_hundred_thousand(folder):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = CSVData(str(folder), str(folder / "labels.csv"), num_workers=0)
    draws = iter(data.train_dataloader().sampler)
    assert len(data.table) == 100_000 and sum(data.class_counts) == 70_000 and next(draws)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200


@pytest.mark.slow
def test_a_hundred_thousand_images_take_little_memory(tmp_path):
    names = [f"patient_{i:06d}_a_rather_long_name.png" for i in range(100_000)]
    for name in names[:10]:
        (tmp_path / name).touch()
    for place, name in enumerate(names[10:]):  # a link is made faster than a file, but a file has at most 65,000
        os.link(tmp_path / names[place % 10], tmp_path / name)
    table = pd.DataFrame({"image": names, "label": np.resize(["benign", "malignant", "unclear"], len(names))})
    table.to_csv(tmp_path / "labels.csv", index=False)
    run_forked(read_a_hundred_thousand, tmp_path)
