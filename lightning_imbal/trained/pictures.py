"""What a trained classifier answers for pictures without labels, as a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from lightning.pytorch import Trainer

from lightning_imbal.callbacks.predictions import CollectPredictions
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.decisions.base import Decision
from lightning_imbal.modules.base_classifier import ImbalClassifier


def predict_pictures(
    trainer: Trainer, model: ImbalClassifier, data: ImbalDataModule, names: Sequence[str], ckpt_path: str | None = None
) -> pd.DataFrame:
    """Predicts what `data.predict_folder` or `data.predict_pictures` was given.

    Args:
        trainer: Runs the prediction.
        model: Predicts.
        data: Its test transform prepares the pictures.
        names: Of the pictures, in the order of the data.
        ckpt_path: File of the weights; None takes those that the model has.

    Returns:
        A row for each picture that was predicted, with its name as index, and a column of float32 for each class.
    """
    data.cache = "none"  # which is of the data set, not of these pictures
    collect = CollectPredictions()
    trainer.callbacks.append(collect)  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
    trainer.predict(model, datamodule=data, ckpt_path=ckpt_path, return_predictions=False)
    index = np.asarray(names, dtype=object)[collect.found["index"].numpy()]
    return pd.DataFrame(collect.found["probability"].float().numpy(), index, list(model.class_names))


def answered(probability: pd.DataFrame, named: str, decision: Decision | None = None) -> pd.DataFrame:
    """Adds the answers to the probabilities of pictures, as `predict` writes them.

    Args:
        probability: A row for each picture or group, by its name, and a column for each class.
        named: What the name is called.
        decision: What answers; None: the class with the largest probability.

    Returns:
        The columns `named`, `predicted` (empty where the decision gives no answer) and `probability/<class>`.
    """
    classes = tuple(probability.columns)
    answer = (decision or Decision(classes)).answer(probability.to_numpy(dtype=np.float64))
    table = probability.set_axis([f"probability/{name}" for name in classes], axis=1)
    table.insert(0, "predicted", np.array([*classes, ""], dtype=object)[answer])
    table.insert(0, named, probability.index)
    return table.reset_index(drop=True)
