"""The matrix of a colour jitter, beside the steps that it stands for and beside albumentations; and on the device."""

import colorsys
import itertools
import random

import albumentations as A
import cv2
import numpy as np
import pytest
import torch

from lightning_imbal.data.loading.colour import ColourMatrix, colour_matrix, hue_matrix
from lightning_imbal.data.recipes import FlipJitter, ImageNetCrop, RotateCrop, ScaleShiftRotate, StrongCrop
from lightning_imbal.data.sets.isic import ISIC2018
from lightning_imbal.errors import UserError
from lightning_imbal.samplers.class_power import ClassPower

LUMA = np.array([0.299, 0.587, 0.114])


def picture_of(low, high, side=48, seed=0):
    """A smooth RGB picture (side, side, 3), each channel between its two values, mostly light and dark together."""
    rng = np.random.default_rng(seed)
    coarse = 0.8 * rng.random((5, 5, 1), dtype=np.float32) + 0.2 * rng.random((5, 5, 3), dtype=np.float32)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.rint(np.array(low) + smooth * (np.array(high) - low)).astype(np.uint8)


def lesion():
    """Reddish brown, light and dark: all hues between red and yellow, far from both ends of each channel."""
    return picture_of((125, 108, 95), (140, 118, 102))


def turned(pixels, hue):
    """Pixels (N, 3) in 0..255, their hue turned one by one."""
    hsv = [colorsys.rgb_to_hsv(*pixel) for pixel in pixels]
    return np.array([colorsys.hsv_to_rgb((h + hue) % 1, s, v) for h, s, v in hsv])


def one_by_one(image, brightness, contrast, saturation, hue, order):
    """The four steps, each on the picture that the one before has made, never clipped."""
    pixels = image.reshape(-1, 3).astype(float)
    for step in order:
        if step == 0:
            pixels = brightness * pixels
        elif step == 1:
            pixels = contrast * pixels + (1 - contrast) * (pixels @ LUMA).mean()
        elif step == 2:
            pixels = saturation * pixels + (1 - saturation) * (pixels @ LUMA)[:, None]
        else:
            pixels = turned(pixels, hue)
    return pixels.reshape(image.shape)


def by(matrix, image):
    return image @ matrix[:, :3].T + matrix[:, 3]


def drawn(transform, image, seed):
    transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return transform(image=image)["image"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
@pytest.mark.parametrize("factors", [(1.3, 0.6, 1.4, 0.02), (0.7, 1.3, 0.6, -0.02)], ids=["more", "less"])
def test_a_matrix_is_the_steps_one_by_one(order, factors):
    image = picture_of((125, 108, 95), (140, 118, 102), side=16)
    expected, matrix = one_by_one(image, *factors, order), colour_matrix(image, *factors, list(order))
    assert np.abs(by(matrix, image) - expected).max() < 0.01
    assert np.abs(cv2.transform(image, matrix) - expected).max() < 1


class TestHue:
    @pytest.mark.parametrize("hue", [-0.2, -0.02, 0.1])
    def test_nearest_of_all_matrices_that_keep_grey(self, hue):
        image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        pixels = image.reshape(-1, 3).astype(float)
        chroma = np.stack([pixels[:, 0] - pixels[:, 1], pixels[:, 1] - pixels[:, 2]], axis=1)
        change, *_ = np.linalg.lstsq(chroma, turned(pixels, hue) - pixels, rcond=None)
        assert by(np.column_stack([hue_matrix(image, hue), np.zeros(3)]), pixels) == pytest.approx(
            pixels + chroma @ change, abs=1e-2
        )

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 9), (50, 30)])
    def test_pictures_of_one_colour_and_of_any_size(self, shape):
        image = np.full((*shape, 3), (200, 120, 90), np.uint8)
        expected = turned(image.reshape(-1, 3)[:1] / 255, 0.1) * 255
        assert hue_matrix(image, 0.1) @ image[0, 0] == pytest.approx(expected[0], abs=1e-2)


class TestSteps:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_grey_stays_grey_and_no_change_is_none(self, dtype):
        scale = 1 if dtype == np.uint8 else np.float32(255)
        colours, jitter = lesion().astype(dtype) / scale, ColourMatrix(0.4, 0.4, 0.4, 0.2, p=1)
        colours, grey = colours.astype(dtype), np.repeat(colours[..., :1], 3, axis=2).astype(dtype)
        for seed in range(10):
            image = drawn(jitter, grey, seed)
            assert image.dtype == dtype and np.ptp(image, axis=2).max() <= (0 if dtype == np.uint8 else 1e-6)
        assert np.array_equal(drawn(ColourMatrix(0, 0, 0, 0, p=1), colours, 0), colours)

    def test_only_contrast_changes_black(self):
        image = lesion()
        image[:4] = 0
        grey = (image @ LUMA).mean()
        assert not colour_matrix(image, 1.3, 1, 0.7, 0.1, [0, 1, 2, 3])[:, 3].any()
        assert colour_matrix(image, 1, 0.6, 1, 0, [0, 1, 2, 3])[:, 3] == pytest.approx([0.4 * grey] * 3)

    def test_what_a_rotation_leaves_empty_is_black(self):
        images = [drawn(StrongCrop(32), picture_of((60, 60, 60), (200, 180, 160)), seed) for seed in range(8)]
        corners = np.array([image[[0, 0, -1, -1], [0, -1, 0, -1]] for image in images])
        assert (corners == 0).all(axis=-1).mean() > 0.5


STRENGTHS = {"ImageNetCrop": (0.4, 0.2), "StrongCrop": (0.4, 0.1), "ScaleShiftRotate": (0.25, 0.01)}


def moments(images):
    """Of each picture: mean and deviation of each channel, mean saturation, and mean hue as a point of the circle."""
    told = []
    for image in images:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).reshape(-1, 3)
        angle = np.radians(hsv[:, 0])
        circle = [100 * np.cos(angle).mean(), 100 * np.sin(angle).mean()]
        told.append([*255 * image.mean((0, 1)), *255 * image.std((0, 1)), 100 * hsv[:, 1].mean(), *circle])
    return np.array(told)


@pytest.mark.parametrize("strengths", STRENGTHS.values(), ids=STRENGTHS)
@pytest.mark.parametrize("colours", [((120, 70, 60), (170, 130, 120)), ((120, 80, 130), (160, 150, 170))])
def test_moments_are_those_of_albumentations(strengths, colours):
    strength, hue = strengths
    image = picture_of(*colours, side=32).astype(np.float32) / 255  # floats: that of bytes rounds down at each step
    settings = ((1 - strength, 1 + strength),) * 3
    ours, theirs = (jitter(*settings, hue, p=1) for jitter in (ColourMatrix, A.ColorJitter))
    ours, theirs = (moments([drawn(each, image, seed) for seed in range(200)]) for each in (ours, theirs))
    error = theirs.std(axis=0) / np.sqrt(len(theirs))
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < error + 0.1).all()
    assert (np.abs(ours.std(axis=0) - theirs.std(axis=0)) < error + 0.1).all()


class TestOnDevice:
    @pytest.fixture
    def make(self, isic_root):
        def make(**settings):
            return ISIC2018(str(isic_root), image_size=16, batch_size=8, num_workers=0, **settings)

        return make

    @pytest.mark.parametrize("recipe", [ImageNetCrop, FlipJitter, ScaleShiftRotate])
    @pytest.mark.parametrize("settings", [{}, {"views": 2}, {"bits": 16, "more_views": [FlipJitter]}], ids=str)
    def test_pictures_are_those_of_the_processor_before_rounding(self, make, recipe, settings):
        both = [make(train_transform=recipe, colour_on_device=asked, **settings) for asked in (False, True)]
        before = [next(iter(data.train_dataloader())) for data in both]
        assert ["colour" in batch for batch in before] == [False, True]
        assert before[1]["colour"].shape == (*before[1]["image"].shape[:-3], 3, 4)
        here, there = (data.normalize.batch(batch, torch.float32) for data, batch in zip(both, before, strict=True))
        error = (there["image"] - here["image"]).abs() * both[0].normalize.std * 255
        assert here.keys() == there.keys() and torch.equal(here["index"], there["index"])
        assert error.max() < 1e-3 if "bits" in settings else 0.1 < error.max() < 1

    def test_second_images_too(self, make):
        data = make(train_transform=FlipJitter, colour_on_device=True, paired_sampler=ClassPower)
        batch = next(iter(data.train_dataloader()))
        before, after = batch["other"], data.normalize.batch(batch, torch.float32)["other"]
        plain = data.normalize(before["image"])
        changed = (after["image"] - plain).abs().amax((1, 2, 3)) > 1e-5
        assert torch.equal(changed, (before["colour"] - torch.eye(3, 4)).abs().amax((1, 2)) > 0) and changed.any()

    def test_of_the_seed_alone(self, make):
        data = make(train_transform=FlipJitter, colour_on_device=True)
        images = data.dataset("train", data.train_recipes)
        first = [images[3, seed]["colour"] for seed in range(12)]
        unchanged = [torch.equal(colour, torch.eye(3, 4)) for colour in first]
        assert any(unchanged) and not all(unchanged)
        assert all(torch.equal(images[3, seed]["colour"], first[seed]) for seed in (7, 0, 11, 5))

    def test_what_is_tested_keeps_its_colours(self, make):
        data = make(train_transform=FlipJitter, test_transform=FlipJitter, colour_on_device=True)
        assert "colour" not in next(iter(data.test_dataloader()))
        assert "colour" not in data.pictures([lesion()])[0]

    @pytest.mark.parametrize("recipe", [RotateCrop, StrongCrop, lambda size: A.Compose([A.HorizontalFlip()])])
    def test_recipes_that_do_not_end_by_it_are_refused(self, make, recipe):
        with pytest.raises(UserError, match=r"(RotateCrop|StrongCrop|Compose) does not end by changing colours, which"):
            make(more_views=[recipe], train_transform=FlipJitter, colour_on_device=True)
        make(test_transform=recipe, train_transform=FlipJitter, colour_on_device=True)
