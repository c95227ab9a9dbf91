"""Writes split.csv, and what an evaluation found: metrics.json and predictions.parquet."""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from torch import nn

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.backbones.named import told_name
from lightning_imbal.callbacks.base import ImbalModel, model_of
from lightning_imbal.contract import DeepData, data_of
from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.metrics.report import ImbalReport
from lightning_imbal.runs.digests import digests
from lightning_imbal.runs.folder import is_finished
from lightning_imbal.runs.identity import as_split, attributes_in, split_text
from lightning_imbal.runs.pooling import Pool, pooled
from lightning_imbal.runs.predictions import Predictions, as_predictions
from lightning_imbal.runs.reading import ATTRIBUTE
from lightning_imbal.runs.results import as_results

SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
SET_ASIDE = "metrics.before_resume.json"
REPORTED_VERSIONS = ("lightning_imbal", "torch", "torchvision", "lightning", "timm", "albumentations")


class ResultsWriter(Callback):
    """Writes what identifies a run and what it found.

    `split.csv` (the part of every image) appears when a stage starts; `metrics.json` (every score, per class and per
    group, with the identity of the run) and `predictions.parquet` (one row per image) at the end of `test` or
    `validate`; `predictions_val.parquet` (the same of the validation part, as logits) where that part is tested.

    Files appear whole or not at all. The results of a run that goes on are set aside until it has new ones; they hold
    digests of the files of its stages, so that those of another run are not taken for them.

    Args:
        folder: Where to write them.
        identity: What names the run: its name, seed, split, method, data set, ...
        pool: How the test images of each group are put together before they are scored; None leaves each by itself.
    """

    def __init__(self, folder: str | Path, identity: dict[str, Any], pool: Pool | None = None) -> None:
        self.folder, self.identity, self.pool = Path(folder), identity, pool
        self.results: dict[str, dict[str, Any]] = {}  # by the folder below; of the epoch that is about to end

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes which image is in which part, into the folder of the stage; earlier results are set aside."""
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]  # set by Lightning
            if is_finished(self.folder):
                os.replace(self.folder / "metrics.json", self.folder / SET_ASIDE)
                rank_zero_info(f"{self.folder}: the results so far are in {SET_ASIDE} until there are new ones.")
            text = split_text(data_of(trainer).table)
            file = Path(trainer.default_root_dir) / "split.csv"
            write_whole(file, lambda path: path.write_text(text, encoding="utf-8", newline=""))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the predictions of the tested part, and those of further reports into folders of their own.

        Those of the validation part, which decisions are fitted on, have no scores beside them.
        """
        model = model_of(pl_module)
        for side, report in [*model.side_reports.items(), ("", model.test_report)]:
            self._write_predictions(trainer, report, data_of(trainer).tested, side)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the predictions of the validation part when it is evaluated by itself, not during training."""
        if trainer.state.fn == "validate":
            self._write_predictions(trainer, model_of(pl_module).val_report, "val")

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the scores, last of all: that they are there says that the run is finished."""
        for side, results in self.results.items():
            write_results(self.folder / side, results)
            (self.folder / side / SET_ASIDE).unlink(missing_ok=True)
        self.results = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """As at the end of a test; in training there is nothing to write."""
        if self.results:
            self.on_test_end(trainer, pl_module)

    def _write_predictions(self, trainer: Trainer, report: ImbalReport, part: str, side: str = "") -> None:
        scores, predictions = report.compute(), report.predictions()
        if not trainer.is_global_zero:
            return
        sample_table, folder = data_of(trainer).table, self.folder / side
        image = sample_table["image"].to_numpy()[predictions["index"].numpy()]
        label, probability = predictions["label"].numpy(), predictions["probability"].float().numpy()
        attributes = sample_table[attributes_in(sample_table)].iloc[predictions["index"].numpy()]
        table = predictions_table(image, label, probability, report.class_names, attributes)
        results = summarize(scores, predictions, report)
        if self.pool:
            table, results = evaluated(pooled(as_predictions(table, results, as_split(sample_table)), self.pool))
        if trainer.state.fn == "test" and part == "val":
            write_whole(folder / "predictions_val.parquet", as_logits(table).to_parquet)
            return
        backbone = trainer.lightning_module.hparams.get("backbone")
        if isinstance(backbone, str):
            backbone = told_name(backbone)
        else:  # a network of the user's own
            backbone = type(model_of(trainer.lightning_module).backbone).__name__
        identity = {**self.identity, "backbone": backbone, **environment(trainer), "part": part}
        identity["name"] = " ".join(filter(None, [identity["name"], side]))
        if side:
            identity["title"] = {**identity.get("title", {}), "predictor": side}
        if trainer.state.fn == "test" and not side:
            identity["fitted"] = fitted_of(model_of(trainer.lightning_module))
        if tuning := getattr(trainer.lightning_module, "trained_of_backbone", ""):
            identity["tuning"] = tuning
        if self.pool:
            identity["pool"] = self.pool
        if isinstance(data := data_of(trainer), DeepData) and (depth := data.depth.identity):
            identity["depth"] = depth
        write_whole(folder / "predictions.parquet", table.to_parquet)
        self.results[side] = {"identity": identity, **results}


def add_to_identity(trainer: Trainer, **facts: Any) -> None:
    """Has the results that a Trainer will write say more of what they are of."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by Lightning
        if isinstance(callback, ResultsWriter):
            callback.identity |= facts


def fitted_of(model: ImbalModel) -> dict[str, float]:
    """What predictor and head have found on the validation part, such as a temperature; empty if nothing."""
    parts: list[tuple[nn.Module, Iterable[str]]] = []
    if model.predictor.needs_calibration:
        settings = signature(type(model.predictor)).parameters.items()
        parts.append((model.predictor, [name for name, setting in settings if setting.default is None]))
    if isinstance(model.head, ClosedFormHead):
        parts.append((model.head, model.head.chosen_on_validation))
    found = {name: getattr(part, name, None) for part, names in parts for name in names}
    return {name: float(value) for name, value in found.items() if isinstance(value, float | torch.Tensor)}


def evaluated(predictions: Predictions) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What `predictions.parquet` and `metrics.json`, but for the identity, hold of predictions that are known."""
    groups = {group: list(names) for group, names in predictions.groups.items()}
    report = ImbalReport(list(predictions.class_counts), list(predictions.class_names), groups)
    report.sync_on_compute = False  # they are those of all devices
    # As they are written: what is scored is what can be read again.
    probability, label = torch.tensor(predictions.probability).float(), torch.tensor(predictions.label)
    report.update(probability, label, torch.arange(len(label)))
    return table_of(predictions), summarize(report.compute(), report.predictions(), report)


def table_of(predictions: Predictions) -> pd.DataFrame:
    """What `predictions.parquet` holds of predictions that are known."""
    attributes = pd.DataFrame(predictions.attributes).add_prefix(ATTRIBUTE)
    probability = predictions.probability.astype(np.float32)
    return predictions_table(predictions.image, predictions.label, probability, predictions.class_names, attributes)


def predictions_table(
    image: np.ndarray, label: np.ndarray, probability: np.ndarray, class_names: Sequence[str], attributes: pd.DataFrame
) -> pd.DataFrame:
    """What `predictions.parquet` holds of images (N,), labels (N,) and probabilities (N, C) float32.

    Between labels and probabilities are the attributes of the images, columns of text.
    """
    names = pd.Index(class_names)
    table = pd.DataFrame(probability, columns="probability/" + names)
    table.insert(0, "image", image)
    table.insert(1, "label", names.to_numpy()[label])
    for place, (name, values) in enumerate(attributes.items(), start=2):
        table.insert(place, name, values.to_numpy())
    return table


def as_logits(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with `logit/<class>` in the place of `probability/<class>`.

    They are logarithms in double precision, so that their exponentials are the same single-precision probabilities.
    """
    columns = table.columns[table.columns.str.startswith("probability/")]
    kept = table.drop(columns=columns)
    logits = np.log(table[columns].to_numpy(dtype=np.float64).clip(SMALLEST))
    return kept.join(pd.DataFrame(logits, columns=columns.str.replace("probability/", "logit/", n=1)))


def write_results(folder: Path, results: dict[str, Any]) -> None:
    """Writes `metrics.json`, with digests of the files beside it, which must be there by then."""
    text = json.dumps(results | {"files": digests(folder)}, indent=2) + "\n"
    write_whole(folder / "metrics.json", partial(Path.write_text, data=text))


def summarize(scores: dict[str, float], predictions: dict[str, torch.Tensor], report: ImbalReport) -> dict[str, Any]:
    """Arranges the scores of a report as `metrics.json` holds them: summary, classes, groups, confusion."""
    names = report.class_names
    pairs = predictions["label"] * len(names) + predictions["probability"].argmax(dim=1)
    confusion = pairs.bincount(minlength=len(names) ** 2).reshape(len(names), -1).tolist()
    return as_results(scores, confusion, names, report.class_counts, report.class_groups)


def environment(trainer: Trainer) -> dict[str, Any]:
    """What a result depends on beside its configuration: versions, device, commit, and when it was made."""
    return {
        **software(),
        "device": torch.cuda.get_device_name() if trainer.strategy.root_device.type == "cuda" else "cpu",
        "devices": trainer.world_size,
        "precision": str(trainer.precision),
    }


def software() -> dict[str, Any]:
    """The commit, versions, and when this is."""
    return {
        "commit": _commit(),
        "versions": {name: version(name) for name in REPORTED_VERSIONS},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str | None:
    """The git commit of this package's source, with a mark if it was changed; None outside a checkout."""
    source = Path(__file__).resolve().parents[2]
    try:
        told = subprocess.run(
            ["git", "-C", str(source), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return None
    return told.stdout.strip() or None if (source / ".git").exists() else None
