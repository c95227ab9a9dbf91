"""What each augmentation recipe does to a picture, measured on pixels."""

import random
from functools import partial

import albumentations as A
import cv2
import numpy as np
import pytest
from albumentations.pytorch import ToTensorV2

from lightning_imbal.data.recipes import (
    CenterCrop,
    FlipJitter,
    ImageNetCrop,
    RotateCrop,
    ScaleShiftRotate,
    ShiftCrop,
    Squash,
    StrongCrop,
)

CropFlip = partial(RotateCrop, rotation=0)
ResizeFlip = partial(RotateCrop, rotation=0, ratio=1)
TRAIN = {
    "ImageNetCrop": ImageNetCrop,
    "StrongCrop": StrongCrop,
    "FlipJitter": FlipJitter,
    "RotateCrop": RotateCrop,
    "CropFlip": CropFlip,
    "ResizeFlip": ResizeFlip,
    "ScaleShiftRotate": ScaleShiftRotate,
    "ShiftCrop": ShiftCrop,
}
RECIPES = TRAIN | {"Squash": Squash, "CenterCrop": CenterCrop}
FLIPS_VERTICALLY = {"StrongCrop", "ScaleShiftRotate"}
FLIPS_HORIZONTALLY = TRAIN.keys() - {"ShiftCrop"}

SIZE = 32


def draw(transform, picture, seed):
    """Applies a transform with the random state that `ImageDataset` gives it."""
    transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return transform(image=picture)["image"]


def draws(transform, picture, number):
    return [draw(transform, picture, seed) for seed in range(number)]


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(height, width, colour):
    return np.full((height, width, 3), colour, np.uint8)


def middle(picture):
    quarter = len(picture) // 4
    return picture[quarter:-quarter, quarter:-quarter]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
class TestEveryRecipe:
    @pytest.mark.parametrize(
        "shape",
        [(90, 40), (40, 90), (50, 50), (5, 7), (1, 1), (1, 60), (SIZE, SIZE), (43, 43)],
        ids="{0[0]}x{0[1]}".format,
    )
    def test_any_read_only_picture_becomes_a_square(self, recipe, shape):
        picture = noise(*shape)
        before = picture.copy()
        picture.flags.writeable = False
        for image in draws(recipe(SIZE), picture, 20):
            assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
        assert np.array_equal(picture, before)

    @pytest.mark.parametrize("side", [SIZE, 43])
    def test_a_picture_is_not_written_into(self, recipe, side):
        # At these sides some resize hands on the very array that it got.
        picture = noise(side, side)
        before = picture.copy()
        draws(A.Compose([recipe(SIZE), A.Normalize(), ToTensorV2()]), picture, 20)
        assert np.array_equal(picture, before)

    def test_drawn_from_the_seed_alone(self, recipe):
        picture = noise(40, 60)
        nested = A.Compose([recipe(SIZE)])
        first = draws(nested, picture, 5)
        assert all(np.array_equal(draw(nested, picture, seed), first[seed]) for seed in (4, 1, 3))
        assert all(map(np.array_equal, draws(A.Compose([recipe(SIZE)]), picture, 5), first))
        varies = recipe in TRAIN.values()
        assert any(not np.array_equal(image, first[0]) for image in first) == varies


# Crops are interpolated: the DataModule reduces larger pictures before.
@pytest.mark.parametrize("recipe", [RECIPES[name] for name in RECIPES if name not in ("ImageNetCrop", "StrongCrop")])
def test_downscaling_averages_over_the_area(recipe):
    # Noise of 74 grey levels, reduced sixfold or more: 12 remain where areas are averaged, 37 between four pixels.
    assert all(middle(image).std() < 20 for image in draws(recipe(SIZE), noise(260, 260), 10))


@pytest.mark.parametrize("recipe", [ImageNetCrop, StrongCrop])
def test_crops_of_twice_the_side_do_not_alias(recipe):
    # Interpolating at half the size averages four pixels: 37 of 74 grey levels remain, 74 if pixels were left out.
    recipe = recipe(SIZE, min_scale=0.99, jitter=0, hue=0)
    assert all(middle(image).std() < 50 for image in draws(recipe, noise(2 * SIZE, 2 * SIZE), 10))


@pytest.mark.parametrize("name", RECIPES)
class TestFlips:
    def darker_side_moved(self, name, picture, axis):
        """Tells of each draw whether the half that was dark is the bright one now."""
        halves = [np.array_split(image, 2, axis) for image in draws(RECIPES[name](SIZE), picture, 60)]
        return [dark.mean() > bright.mean() for dark, bright in halves]

    def test_vertical_flips(self, name):
        ramp = np.broadcast_to(np.linspace(0, 255, 48).astype(np.uint8)[:, None, None], (48, 48, 3))
        share = np.mean(self.darker_side_moved(name, ramp, axis=0))
        assert 0.3 < share < 0.7 if name in FLIPS_VERTICALLY else share == 0

    def test_horizontal_flips(self, name):
        ramp = np.broadcast_to(np.linspace(0, 255, 48).astype(np.uint8)[:, None], (48, 48, 3))
        share = np.mean(self.darker_side_moved(name, ramp, axis=1))
        assert 0.3 < share < 0.7 if name in FLIPS_HORIZONTALLY else share == 0


class TestColour:
    colour = (150, 110, 90)
    grey = (128, 128, 128)  # of the jitter, brightness alone changes it

    @pytest.mark.parametrize(
        "recipe",
        [
            *(Squash, CenterCrop, CropFlip, ResizeFlip),
            *(partial(recipe, jitter=0, hue=0) for recipe in (ImageNetCrop, FlipJitter)),
        ],
        ids=["Squash", "CenterCrop", "CropFlip", "ResizeFlip", "ImageNetCrop", "FlipJitter"],
    )
    def test_is_kept_everywhere(self, recipe):
        for image in draws(recipe(SIZE), flat(60, 45, self.colour), 10):
            assert (image == self.colour).all()

    @pytest.mark.parametrize("recipe", [RotateCrop, ShiftCrop])
    def test_is_kept_but_for_black_borders(self, recipe):
        images = draws(recipe(SIZE), flat(60, 45, self.colour), 20)
        assert all((middle(image) == self.colour).all() for image in images)
        assert any((image == 0).all(axis=2).any() for image in images)

    def test_jitter_of_scale_shift_rotate_is_a_quarter(self):
        seen = np.array([image[16, 16] for image in draws(ScaleShiftRotate(SIZE), flat(60, 45, self.colour), 100)])
        change = seen / self.colour - 1
        # Contrast and saturation pull the channels together or apart by up to a quarter, here a little more.
        assert (np.abs(change) < 0.4).all()
        assert change.max() > 0.15 and change.min() < -0.15

    @pytest.mark.parametrize("recipe", [ImageNetCrop, StrongCrop, FlipJitter])
    def test_jitter_is_two_fifths(self, recipe):
        seen = np.array([image[16, 16, 0] for image in draws(recipe(SIZE), flat(60, 45, self.grey), 100)])
        assert 0.59 < seen.min() / 128 < 0.65 and 1.35 < seen.max() / 128 < 1.41

    @pytest.mark.parametrize("recipe, limit", [(ImageNetCrop, 36), (StrongCrop, 18), (FlipJitter, 18)])
    def test_hue_turns_by_up_to_its_share_of_the_circle(self, recipe, limit):
        images = draws(recipe(SIZE, jitter=0), flat(60, 45, (0, 255, 255)), 100)
        coloured = [image[16:17, 16:17] for image in images if len(set(image[16, 16].tolist())) > 1]
        hue = np.array([cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0, 0] for pixel in coloured])
        # Half degrees: cyan is at 90.
        assert 90 - limit - 1 <= hue.min() < 90 - 0.8 * limit and 90 + 0.8 * limit < hue.max() <= 90 + limit + 1

    @pytest.mark.parametrize(
        "recipe, kept",
        [
            *((ImageNetCrop, 0), (StrongCrop, 0), (partial(StrongCrop, jitter_probability=0.8), 0.2)),
            *((FlipJitter, 0.2), (partial(FlipJitter, jitter_probability=0.5), 0.5)),
        ],
        ids=["ImageNetCrop", "StrongCrop", "StrongCrop 0.8", "FlipJitter", "FlipJitter 0.5"],
    )
    def test_share_of_pictures_that_keep_their_colours(self, recipe, kept):
        images = draws(recipe(SIZE), flat(60, 45, self.grey), 300)
        assert abs(np.mean([(middle(image) == self.grey).all() for image in images]) - kept) < 0.07

    def test_strong_crop_is_grey_in_a_fifth(self):
        def share(recipe):
            images = draws(recipe(SIZE), noise(40, 40), 300)
            return np.mean([(image == image[..., :1]).all() for image in images])

        assert 0.13 < share(StrongCrop) < 0.27
        assert share(ImageNetCrop) == 0


def two_dots(side):
    """A picture with a red dot left and a blue one right of its centre, half a side apart."""
    picture = flat(side, side, 0)
    centre = (side - 1) / 2
    y, x = np.mgrid[:side, :side] - centre
    for channel, sign in ((0, -1), (2, 1)):
        picture[np.hypot(y, x - sign * side / 4) < side / 16, channel] = 255
    return picture


def pose(image):
    """Reads a picture of two dots.

    Returns:
        Scale; shift of the centre in x and y, as a fraction of the side; angle of the line in degrees, -90 to 90.
    """
    side = len(image)
    difference = image[..., 0].astype(int) - image[..., 2]
    red, blue = (np.argwhere(mask).mean(axis=0) for mask in (difference > 60, difference < -60))
    (y, x), (shift_y, shift_x) = blue - red, (blue + red) / 2 - (side - 1) / 2
    angle = np.degrees(np.arctan2(y, x))
    return np.hypot(y, x) / (side / 2), shift_x / side, shift_y / side, (angle + 90) % 180 - 90


class TestGeometry:
    def test_center_crop_is_the_centre(self):
        picture = noise(300, 300)
        assert np.array_equal(draw(CenterCrop(224), picture, 0), picture[38:262, 38:262])
        oblong = noise(90, 120)
        squashed = draw(Squash(64), oblong, 0)
        assert np.array_equal(draw(CenterCrop(32, ratio=2), oblong, 0), squashed[16:48, 16:48])

    def test_strong_crop_begins_with_the_first_view_of_ecl(self):
        first = ImageNetCrop(SIZE, hue=0.1).transforms
        assert list(map(repr, StrongCrop(SIZE).transforms[: len(first)])) == list(map(repr, first))

    @pytest.mark.parametrize("recipe", [ResizeFlip, partial(FlipJitter, jitter=0, hue=0)])
    def test_resize_and_flip_is_the_squashed_picture_or_its_mirror_image(self, recipe):
        picture = noise(60, 45)
        squashed = draw(Squash(SIZE), picture, 0)
        images = draws(recipe(SIZE), picture, 20)
        straight = [np.array_equal(image, squashed) for image in images]
        mirrored = [np.array_equal(image[:, ::-1], squashed) for image in images]
        assert 0 < sum(straight) < 20 and sum(straight) + sum(mirrored) == 20

    def test_crop_comes_from_anywhere_in_the_resized_square(self):
        side = 43  # 32 * 300 / 224
        row, column = np.mgrid[:side, :side]
        picture = np.stack([row, column, row], axis=2).astype(np.uint8)
        corners = set()
        for image in draws(CropFlip(SIZE), picture, 200):
            straight = image if image[0, 0, 1] < image[0, -1, 1] else image[:, ::-1]
            y, x = straight[0, 0, :2].tolist()
            assert np.array_equal(straight, picture[y : y + SIZE, x : x + SIZE])
            corners.add((y, x))
        assert {y for y, _ in corners} == {x for _, x in corners} == set(range(side - SIZE + 1))

    def test_no_rotation_is_no_step(self):
        def steps(transform):
            return [type(step) for step in transform.transforms]

        assert A.Rotate in steps(RotateCrop(SIZE))
        assert steps(RotateCrop(SIZE, rotation=0)) == [A.Resize, A.RandomCrop, A.HorizontalFlip]

    @pytest.mark.parametrize(
        "recipe, limit",
        [
            (partial(RotateCrop, ratio=1), 30),
            (partial(RotateCrop, ratio=1, rotation=10), 10),
            (partial(StrongCrop, min_scale=1, jitter=0, hue=0), 90),
        ],
        ids=["RotateCrop", "RotateCrop 10", "StrongCrop"],
    )
    def test_angles_fill_their_range(self, recipe, limit):
        images = draws(recipe(64), two_dots(64), 100)
        angles = [pose(image)[3] for image in images if (image != image[..., :1]).any()]
        assert -limit - 1 < min(angles) < -0.8 * limit and 0.8 * limit < max(angles) < limit + 1
        assert np.mean(np.abs(angles) < 0.1 * limit) < 0.25  # about 0.1, not the half that would stay as they are

    def test_picture_is_rotated_before_it_is_squashed(self):
        # A disc stays what it is under rotation, the ellipse that the squash makes of it does not.
        wide = cv2.circle(flat(200, 400, 0), (200, 100), 80, (255, 255, 255), -1)
        squashed = draw(Squash(64), wide, 0) > 127
        for image in draws(RotateCrop(64, ratio=1), wide, 20):
            assert ((image > 127) != squashed).sum() < 0.05 * squashed.sum()

    def test_scaling_keeps_the_aspect(self):
        disc = cv2.circle(flat(128, 128, 0), (64, 64), 40, (255, 255, 255), -1)
        for image in draws(ScaleShiftRotate(128), disc, 60):
            bright = image[..., 0] > 100
            assert abs(int(bright.any(axis=0).sum()) - int(bright.any(axis=1).sum())) <= 2

    def test_scale_shift_or_rotate_but_one_alone(self):
        poses = np.array([pose(image) for image in draws(ScaleShiftRotate(128), two_dots(128), 150)])
        scale, shift_x, shift_y, angle = poses.T
        done = np.stack([np.abs(scale - 1) > 0.015, np.abs(shift_x) > 0.006, np.abs(angle) > 1])
        assert (done.sum(axis=0) <= 1).all()
        assert (done.mean(axis=1) > 0.2).all()
        assert 0.94 < scale.min() < 0.97 and 1.17 < scale.max() < 1.21
        assert -0.052 < shift_x.min() < -0.04 and 0.04 < shift_x.max() < 0.052
        assert np.abs(shift_y).max() < 0.006
        assert -46 < angle.min() < -38 and 38 < angle.max() < 46
