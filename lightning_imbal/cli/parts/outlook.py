"""What is said before a stage is trained: the images, the split, the stage; and how much work it and the rest are."""

from collections.abc import Sequence
from dataclasses import dataclass

from jsonargparse import Namespace

from lightning_imbal.callbacks.time_left import TimeLeft
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.checks import groups_suspected
from lightning_imbal.data.sample_table import count_images
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.wording import number_of

FEW_IMAGES = 20  # of a class to test on
MAX_NAMED = 5


def about_images(data: ImbalDataModule) -> list[str]:
    """Sentences about the images, their classes and their split, and about classes with few test images."""
    parts = {part: len(data.rows(part)) for part in PARTS}
    sizes = dict(zip(data.class_names, data.class_counts, strict=True))
    largest, smallest = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    told = [
        f"{sum(parts.values()):,} images of {len(sizes)} classes: "
        f"{', '.join(f'{part} {images:,}' for part, images in parts.items())}. Largest class of the training part: "
        f"{largest} ({sizes[largest]:,}), smallest: {smallest} ({sizes[smallest]:,}), a ratio of "
        f"{sizes[largest] / sizes[smallest]:.1f}.",
        *data.depth.said,
        f"{type(data.split).__name__} keeps {_kept_together(data)}.",
    ]
    tested = count_images(data.labels_of("test"), data.class_names)
    few = [f"{name} ({images})" for name, images in tested.items() if images < FEW_IMAGES]
    if few:
        more = f" and {len(few) - MAX_NAMED} more" if len(few) > MAX_NAMED else ""
        told.append(f"Fewer than {FEW_IMAGES} test images, so uncertain scores: {', '.join(few[:MAX_NAMED])}{more}.")
    return told


def _kept_together(data: ImbalDataModule) -> str:
    if data.group_by:
        return f"all images of one {data.group_by} in one part"
    if data.group_name:
        return f"no images together, although their {data.group_name} is known (--data.group_by {data.group_name})"
    if suspected := groups_suspected(data):
        torn = f"{suspected['torn']} of them are in several parts ({suspected['option']} keeps them together)"
        return f"no images together, but {suspected['said']}, and {torn}"
    return "no images together: no group, such as the patient, is known"


def about_stage(number: int, stages: Sequence[Namespace], whole_batches: bool = False) -> str:
    """A sentence about a stage.

    Args:
        number: Of the stage, from 1.
        stages: The configurations of all.
        whole_batches: Whether a batch is all that is drawn in an epoch.
    """
    config = stages[number - 1]
    method = str(config.model.class_path).rpartition(".")[2]
    epochs = f", {number_of(config.trainer.max_epochs, 'epoch')}" if config.trainer.max_epochs else ""
    images = "all images" if whole_batches else config.data.init_args.batch_size
    return f"Stage {number} of {len(stages)}: {method}{epochs} in batches of {images}."


@dataclass(frozen=True)
class Work:
    """Forward passes of single images in a stage; the backward pass of one counts as two.

    Args:
        epoch: Of each epoch.
        validation: After each epoch.
        epochs: How many there are.
        before: Before the first epoch, whose features are stored.
    """

    epoch: int
    validation: int
    epochs: int
    before: int = 0

    @property
    def whole(self) -> int:
        """Of all epochs."""
        return self.before + self.epochs * (self.epoch + self.validation)


def work_of(config: Namespace, built: Namespace) -> Work:
    """The work of a stage.

    Args:
        config: That of the stage.
        built: Its data and model.
    """
    data, model, epochs = built.data, built.model, config.trainer.max_epochs or 0
    validation = len(data.rows("val"))
    if data.features is not None:
        return Work(0, 0, epochs)
    if views := getattr(model, "cache_views", None):
        return Work(0, 0, epochs, len(data.rows("train")) * views + validation)
    drawn = sum(map(len, data.train_samplers())) * len(data.train_recipes)
    return Work(drawn * (1 if model.freezes_backbone else 3), validation, epochs)


def time_left(stage: Work, later: Sequence[Work], test_images: int) -> list[TimeLeft]:
    """What says how long the rest will take; nothing in a stage that only sees stored features, and is short."""
    if not stage.epoch:
        return []
    following = sum(work.whole for work in later) + test_images
    whole = f"the whole run with its {number_of(len(later), 'later stage')}" if later else "the whole run"
    if len(later) == 1:
        whole = "the whole run with its second stage"
    return [TimeLeft(stage.epoch, stage.validation, following, whole)]
