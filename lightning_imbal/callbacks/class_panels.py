"""F1 per class and per subgroup at the end of a run, as W&B shows it: tables, bar charts and confusion matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.callbacks.results_writer import summarize
from lightning_imbal.contract import data_of
from lightning_imbal.decisions.confusions import Confusions, KnownClasses, mean
from lightning_imbal.loggers.weights_and_biases import tables_in_folder_of, without_wandb_if_it_fails
from lightning_imbal.runs.attributes import attributes_of
from lightning_imbal.runs.predictions import column_values
from lightning_imbal.runs.run import by_size

SUBGROUP_COLUMNS: list[str | int] = ["subgroup", "images", "f1", "balanced_accuracy"]
FEW_IMAGES = 10  # of a subgroup, below which it is not scored


class ClassF1Panels(Callback):
    """Sends the test part's per-class table, F1 bars and confusion matrix to W&B.

    Where columns of the labels are named (`data.metadata_columns`), also the scores of the subgroups that they make of
    the test images: names of columns and values, numbers of images, and scores.

    The curves `val/f1/<class>` are logged by the modules at every validation.
    """

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sends the panels, rarest class last as in the table of the terminal."""
        report = model_of(pl_module).test_report
        scores, predictions = report.compute(), report.predictions()  # of all devices: each one has to ask
        wandb_loggers = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        if not wandb_loggers or not trainer.is_global_zero:
            return
        import wandb  # only here: most runs of a table do without

        # Else W&B silently cuts the matrix of more than 100 classes.
        wandb.Table.MAX_ROWS = max(wandb.Table.MAX_ROWS, len(report.class_names) ** 2)
        classes = by_size(summarize(scores, predictions, report)["classes"])
        answer, subgroups = predictions["probability"].argmax(dim=1).numpy(), []
        table = getattr(data_of(trainer), "table", None)  # none of data of another kind
        if table is not None:
            about = table.iloc[predictions["index"].numpy()]
            subgroups = subgroup_rows(about, predictions["label"].numpy(), answer, report.class_names)
        for logger in wandb_loggers:
            table = wandb.Table(columns=list(classes[0]), data=[list(row.values()) for row in classes])
            panels = {
                "test/classes": table,
                "test/f1_per_class": wandb.plot.bar(table, "name", "f1", title="F1 per class (test)"),
                "test/confusion": wandb.plot.confusion_matrix(
                    probs=None,
                    y_true=predictions["label"].tolist(),
                    preds=answer.tolist(),
                    class_names=report.class_names,
                    title="Confusion matrix (test)",
                ),
            }
            if subgroups:
                of_subgroups = wandb.Table(columns=SUBGROUP_COLUMNS, data=subgroups)
                title = "Macro F1 per subgroup (test)"
                panels["test/subgroups"] = of_subgroups
                panels["test/f1_per_subgroup"] = wandb.plot.bar(of_subgroups, "subgroup", "f1", title=title)
            with without_wandb_if_it_fails(), tables_in_folder_of(logger.experiment):
                logger.experiment.log(panels)


def subgroup_rows(about: pd.DataFrame, label: np.ndarray, answer: np.ndarray, class_names: Sequence[str]) -> list[Any]:
    """Images, macro F1 and balanced accuracy of every subgroup, the latter over the classes that it has.

    Args:
        about: What is known of N images: a column `meta/<name>` for each attribute.
        label: True classes, (N,).
        answer: Predicted classes, (N,).
        class_names: In label order.
    """
    values, number = column_values(about), len(class_names)
    rows: list[Any] = []
    for attribute in attributes_of(values):
        place, subgroups = attribute.places(values[attribute.name]), len(attribute.subgroups)
        cell = (label * number + answer) * subgroups + place
        images = np.bincount(cell, minlength=number**2 * subgroups).reshape(number, number, subgroups)
        sets = Confusions(KnownClasses(tuple(class_names), {}, 0, np.ones(number, dtype=bool)), images.astype(float))
        scores = [mean(each, sets.true > 0) for each in (sets.f1, sets.recall)]
        for name, total, *found in zip(attribute.subgroups, sets.total.astype(int), *scores, strict=True):
            known = [float(score) if total >= FEW_IMAGES else None for score in found]
            rows.append([f"{attribute.name}: {name}", int(total), *known])
    return [row for row in rows if row[1]]
