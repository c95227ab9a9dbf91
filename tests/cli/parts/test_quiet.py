"""Warnings of libraries that a user cannot act on are silenced by what they say; all others come through."""

import logging
import warnings

import pytest

from lightning_imbal.cli.parts.quiet import TOLD, quiet

HINTS = (
    "The 'train_dataloader' does not have many workers which may be a bottleneck.",
    "Consider setting `persistent_workers=True` in 'val_dataloader' to speed up the initialization.",
    "The number of unique classes is greater than 50% of the number of samples. `y` could represent a regression.",
    "A single label was found in 'y_true' and 'y_pred'. For the confusion matrix to have the correct shape, ...",
    "The number of training batches (5) is smaller than the logging interval",
)
LOGGED = (
    "TPU available: False, using: 0 TPU cores",
    "Restoring states from the checkpoint path at runs/a/stage1/checkpoints/best.ckpt",
    "Loaded model weights from the checkpoint at runs/a/stage1/checkpoints/best.ckpt",
    "`Trainer.fit` stopped: `max_epochs=2` reached.",
    "Trainer already configured with model summary callbacks: [Parts]. Skipping setting a default",
)
KEPT = ("Restored all states from the checkpoint at runs/a", "GPU available: True, used: False")


@pytest.mark.parametrize("kind", [UserWarning, FutureWarning, RuntimeWarning])
def test_hints_are_silent_and_other_warnings_of_their_kind_are_not(kind):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet():
            for message in (*HINTS, "The lesion of the image is unknown", "Loss is NaN"):
                warnings.warn(message, kind, stacklevel=1)
    assert [str(each.message) for each in caught] == ["The lesion of the image is unknown", "Loss is NaN"]


def test_what_is_as_it_should_be_is_not_logged(caplog):
    logger = logging.getLogger(TOLD)
    with caplog.at_level(logging.INFO, TOLD), quiet():
        for message in (*LOGGED, *KEPT):
            logger.info(message)
    assert caplog.messages == list(KEPT)
    with caplog.at_level(logging.INFO, TOLD):
        logger.info(LOGGED[0])
    assert caplog.messages[-1] == LOGGED[0], "afterwards all is as it was"
