"""Batches and epochs of the small variant: steps enough for a small set, nothing else for a large one."""

import pytest

from lightning_imbal.cli.parts.budget import FLOOR_OF_STEPS, Budget, laptop_budget


@pytest.mark.parametrize(
    ("images", "budget"),
    [(20, Budget(16, 300, 113)), (414, Budget(32, 47, 18)), (2600, Budget(64, 15, 6)), (7000, Budget(128, 8, 3))],
)
def test_follows_the_number_of_images(images, budget):
    assert laptop_budget(images) == budget


def test_there_are_never_fewer_steps_than_the_floor():
    for images in range(2, 5000):
        budget = laptop_budget(images)
        assert budget.batch_size <= images
        assert budget.max_epochs * -(-images // budget.batch_size) >= FLOOR_OF_STEPS


def test_follows_a_batch_that_was_given():
    assert laptop_budget(400, 100) == Budget(100, 150, 57)
