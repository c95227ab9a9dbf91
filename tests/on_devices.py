"""Every method, trained for an epoch on the digits by one process and by several: how far do predictions differ?"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from forked import run_forked, run_ranks

from lightning_imbal.cli import main

NOT_OF_DIGITS = ("ce_metadata",)  # they have no attributes, and each device draws its own missing ones
METHODS = sorted({file.stem for file in Path("experiments/methods").glob("*.yaml")} - {*NOT_OF_DIGITS})
# Batches that a list of the digits fills; of two stages, both are trained.
SHORT = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "3", "--then.trainer.max_epochs", "1"),
    *("--then.trainer.limit_train_batches", "3", "--then.data.init_args.batch_size", "64"),
    *("--trainer.enable_model_summary", "false", "--trainer.enable_progress_bar", "false"),
]
WITHOUT_BATCH_NORM = ["--model.backbone", "test_efficientnet_ln"]
IN_PROJECTIONS = ("bcl", "ecl")


def differences(methods: Sequence[str], devices: int, folder: Path, batch_norm: bool) -> dict[str, float]:
    """The largest difference of a probability between one device and several, for each method.

    Args:
        methods: Files of `experiments/methods`.
        devices: How many.
        folder: Where to train.
        batch_norm: Whether the network and the projections have BatchNorm, and numbers are single.
    """
    run_forked(_train, methods, 1, folder, batch_norm, PL_GLOBAL_SEED="0", WANDB_MODE="disabled")
    run_ranks(_train, methods, devices, folder, batch_norm, ranks=devices)
    return {method: _difference(folder / f"1/{method}", folder / f"{devices}/{method}") for method in methods}


def _train(methods: Iterable[str], devices: int, folder: Path, batch_norm: bool) -> int:
    for method in methods:
        run = folder / str(devices) / method
        args = ["fit", "--config", "experiments/demo.yaml", "--config", f"experiments/methods/{method}.yaml", *SHORT]
        args += ["--trainer.devices", str(devices), "--run_dir", str(run)]
        if devices > 1:
            args += ["--trainer.strategy", "ddp"]
        if not batch_norm:
            args += [*WITHOUT_BATCH_NORM, "--trainer.precision", "64-true"]
            args += ["--model.batch_norm", "false"] if method in IN_PROJECTIONS else []
        if not (run / "metrics.json").exists() and (status := main(args)):
            return status
    return 0


def _difference(one: Path, several: Path) -> float:
    tables = [pd.read_parquet(run / "predictions.parquet").select_dtypes("floating") for run in (one, several)]
    return float(np.abs(tables[0].to_numpy() - tables[1].to_numpy()).max())
