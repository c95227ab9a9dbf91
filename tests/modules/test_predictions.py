"""A prediction is that of the test: of the test part, and of the same pictures in a folder."""

from functools import partial

import cv2
import pandas as pd
import pytest
import torch
from jsonargparse import Namespace
from lightning.pytorch import Callback
from small_runs import build, digits, make_trainer

from lightning_imbal.cli.parts.predict_folder import folder_to_csv
from lightning_imbal.data import Holdout
from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.modules import Classifier, PerturbedClassifier
from lightning_imbal.predictors import PerturbedInput, TemperatureScaled

PIXELS = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.4, 0.3)}


class Tested(Callback):
    """Keeps what a test makes of each image."""

    def on_test_epoch_end(self, trainer, pl_module):
        self.probability = pl_module.test_report.predictions()["probability"]


def decided(kind, data, **kwargs):
    """A module whose logits are far apart."""
    model = build(kind, data, **kwargs)
    model.head.weight.data *= 20
    return model


def few_digits():
    return digits(split=Holdout(test=0.02, val=0.05), train_transform=ShiftCrop, **PIXELS)


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        (Classifier, {"predictor": TemperatureScaled}),
        (PerturbedClassifier, {"perturb": partial(PerturbedInput, epsilon=0.1, space="unit")}),
    ],
    ids=["temperature", "perturbed"],
)
def test_prediction_is_that_of_the_test(kind, kwargs, tmp_path):
    data, tested = few_digits(), Tested()
    make_trainer(tmp_path, callbacks=[tested]).test(decided(kind, data, **kwargs), data, verbose=False)
    plain = torch.cat(make_trainer(tmp_path).predict(decided(Classifier, data), data))
    assert (tested.probability - plain).abs().max() > 0.01

    # Another module each time: what the test has fitted would stay in it.
    predicted = torch.cat(make_trainer(tmp_path).predict(decided(kind, data, **kwargs), few_digits()))
    torch.testing.assert_close(predicted, tested.probability)

    pictures, table = tmp_path / "pictures", tmp_path / "table.csv"
    pictures.mkdir()
    for place, row in enumerate(data.rows("test")):
        cv2.imwrite(str(pictures / f"{place:03d}.png"), data.images[row])
    asked = Namespace(images=str(pictures), output=str(table), ckpt_path=None, pool=None)
    folder_to_csv(make_trainer(tmp_path), decided(kind, data, **kwargs), few_digits(), asked)
    of_folder = torch.tensor(pd.read_csv(table).filter(like="probability/").to_numpy())
    assert len(of_folder) > 30
    torch.testing.assert_close(of_folder.float(), tested.probability)
