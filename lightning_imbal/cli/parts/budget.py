"""How large a batch and how many epochs `variants/laptop.yaml` has, by the number of training images."""

from dataclasses import dataclass

MANY_IMAGES = 5000
# Of a first stage on fewer. From ImageNet weights, 414 images of ISIC 2018 reached a macro F1 of 0.17 in 8 epochs of
# batches of 128, 0.20 in 300 steps and 0.30 in 600; the answer of the largest class alone has 0.12.
FLOOR_OF_STEPS = 600
EPOCHS, EPOCHS_AFTER = 8, 3  # of the file itself
BATCHES = {MANY_IMAGES: 128, 2500: 64, 0: 32}  # by the number of training images from which on


@dataclass(frozen=True)
class Budget:
    """The length of a training.

    Args:
        batch_size: Images of a batch.
        max_epochs: Of a first stage.
        max_epochs_after: Of a second stage.
    """

    batch_size: int
    max_epochs: int
    max_epochs_after: int


def laptop_budget(images: int, batch_size: int | None = None) -> Budget:
    """From 5,000 training images on, batches of 128 and 8 epochs; of fewer, smaller batches and at least 600 steps.

    A batch is never larger than the training part. A second stage has three eighths of the epochs of the first.

    Args:
        images: Of the training part.
        batch_size: What is given instead.
    """
    if batch_size is None:
        batch_size = next(size for least, size in BATCHES.items() if images >= least)
        while batch_size > max(images, 1):
            batch_size //= 2
    steps_of_epoch = -(-max(images, 1) // batch_size)
    max_epochs = EPOCHS if images >= MANY_IMAGES else max(EPOCHS, -(-FLOOR_OF_STEPS // steps_of_epoch))
    return Budget(batch_size, max_epochs, -(-max_epochs * EPOCHS_AFTER // EPOCHS))
