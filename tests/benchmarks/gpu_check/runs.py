"""Does it run? `fit` by the command line, for a method of each paper, in each precision; killed and continued once."""

import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from gpu_check import commands
from gpu_check.pictures import COUNTS, paint_classes
from gpu_check.report import last_lines
from gpu_check.setting import EXPERIMENTS, Setting

METHODS = {
    "CE": ("ce", []),
    "SupCon -> FrozenHead (stored)": ("supcon", ["--then.model.init_args.cache_views", "1"]),
    "ECL": ("ecl", []),
    "Balanced-MixUp": ("balanced_mixup", []),
    "Metric learning -> cRW": ("center_crw", []),
    "Perturbed input": ("perturbed", []),
}
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
NOT_IN_16_MIXED = {"ECL", "Metric learning -> cRW"}  # have parameters with a step of their own: refused in a sentence
UNBROKEN = ("CE", "32-true")
EPOCHS = {"cuda": 8, "cpu": 2}
TEST_IMAGES = round(0.2 * sum(COUNTS))


def run(setting: Setting) -> None:
    """Runs all of them, several at once on a GPU, then one that is killed."""
    pictures = paint_classes(setting.work / "pictures", side=72)
    precisions = PRECISIONS if setting.on_gpu else PRECISIONS[:1]
    wanted = [(name, precision) for precision in precisions for name in METHODS]
    at_once = max(1, min(6, (os.cpu_count() or 1) // 2)) if setting.on_gpu else 1
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda cell: _fit(setting, pictures, *cell), wanted))
    _killed(setting, pictures)


def folder_of(setting: Setting, name: str, precision: str) -> Path:
    """Folder of a run."""
    return setting.work / "runs" / f"{METHODS[name][0]}-{precision}"


def arguments(setting: Setting, pictures: Path, name: str, precision: str, folder: Path) -> list[str]:
    """The command line of a run."""
    overlay, options = METHODS[name]
    small = {"backbone": "resnet18", "side": 64, "workers": 2} if setting.on_gpu else {"backbone": "test_resnet"}
    given = {
        "data.root": pictures,
        "data.split": "Holdout",
        "data.split.test": 0.2,
        "data.split.val": 0.1,
        "data.image_size": small.get("side", 32),
        "data.num_workers": small.get("workers", 0),
        "model.backbone": small["backbone"],
        "trainer.accelerator": setting.trainer["accelerator"],
        "trainer.devices": 1,
        "trainer.precision": precision,
        "trainer.max_epochs": EPOCHS[setting.device],
        "then.trainer.max_epochs": EPOCHS[setting.device],
        "trainer.enable_progress_bar": "false",
        "laptop": "false",  # the same on every machine
        "run_dir": folder,
    }
    configs = [EXPERIMENTS / "own_folder.yaml", EXPERIMENTS / "methods" / f"{overlay}.yaml"]
    line = ["fit", *(word for config in configs for word in ("--config", str(config)))]
    line += [word for option, value in given.items() for word in (f"--{option}", str(value))]
    return [*line, "--monitor", "null", "--trainer.callbacks+", "gpu_check.callbacks.PeakMemory", *options]


def _fit(setting: Setting, pictures: Path, name: str, precision: str) -> None:
    folder = folder_of(setting, name, precision)
    log = setting.work / f"{folder.name}.log"
    what = f"{name}, {precision}"
    if setting.seconds_left <= 0:
        setting.skip(what, "no time was left")
        return
    began = time.monotonic()
    status = commands.run(setting, arguments(setting, pictures, name, precision, folder), log)
    seconds = f"{time.monotonic() - began:.0f} s"
    if status is None:
        setting.skip(what, f"no time was left: stopped after {seconds}")
    elif name in NOT_IN_16_MIXED and precision == "16-mixed":
        setting.add(what, wanted="refused", good=status == 2 and "16-mixed" in log.read_text(), note=last_lines(log))
    elif status or (lacking := _lacking(folder)):
        why = f"status {status}" if status else f"lacks {', '.join(lacking)}"
        setting.add(what, wanted="ends", good=False, note=f"{why}\n{last_lines(log)}")
    else:
        first, last = losses(folder / "stage1" / "metrics.csv")
        good = math.isfinite(last) and last < first
        setting.add(what, last / first, "of its first loss", "< 1", good, f"{last:.3g}, {seconds}")


def losses(metrics: Path) -> tuple[float, float]:
    """Training loss of the first and the last epoch."""
    loss = pd.read_csv(metrics)["train/loss"].dropna()
    return float(loss.iloc[0]), float(loss.iloc[-1])


def _lacking(folder: Path) -> list[str]:
    """What a finished run should have and does not."""
    stages = sorted(folder.glob("stage*"))
    files = [folder / "metrics.json", folder / "predictions.parquet"]
    files += [stage / name for stage in stages for name in ("config.yaml", "split.csv", "checkpoints/best.ckpt")]
    lacking = [str(file.relative_to(folder)) for file in files if not file.is_file()]
    if not lacking and abs(len(pd.read_parquet(folder / "predictions.parquet")) - TEST_IMAGES) > len(COUNTS):
        lacking.append("predictions of some test images")
    return lacking


def _killed(setting: Setting, pictures: Path) -> None:
    """Kills a run after its first epoch, continues it, and compares it with the one that was not killed."""
    what = f"{UNBROKEN[0]}, killed and continued"
    folder, unbroken = setting.work / "runs" / "killed", folder_of(setting, *UNBROKEN)
    log = setting.work / "killed.log"
    if not (unbroken / "metrics.json").is_file():
        setting.skip(what, "the run that was not killed did not end")
        return
    line = arguments(setting, pictures, *UNBROKEN, folder)
    process = commands.start(line, log)
    checkpoint = folder / "stage1" / "checkpoints" / "last.ckpt"
    while process.poll() is None and not checkpoint.exists() and setting.seconds_left > 0:
        time.sleep(0.01)
    commands.kill(process)
    if setting.seconds_left <= 0:
        setting.skip(what, "no time was left")
        return
    if not checkpoint.exists() or (folder / "metrics.json").is_file():
        setting.add(what, wanted="killed in training", good=False, note=last_lines(log))
        return
    status = commands.run(setting, [*line, "--ckpt_path", "last"], log)
    if status != 0 or _lacking(folder):
        setting.add(what, wanted="ends", good=False, note=f"status {status}\n{last_lines(log)}")
        return
    here, there = (pd.read_parquet(run / "predictions.parquet").set_index("image") for run in (folder, unbroken))
    columns = [name for name in here if name.startswith("probability/")]
    apart = float((here[columns] - there.loc[here.index, columns]).abs().to_numpy().max())
    note = "sums on a GPU may be rounded in another order" if setting.on_gpu and apart else ""
    setting.add(what, apart, "probability apart", "ends", True, note)


def peaks(setting: Setting) -> dict[str, int]:
    """The most memory that each run took in its first stage, in bytes."""
    cells = [(name, precision) for name in METHODS for precision in PRECISIONS]
    files = {f"{n}, {p}": folder_of(setting, n, p) / "stage1" / "peak.json" for n, p in cells}
    return {what: json.loads(file.read_text()) for what, file in files.items() if file.is_file()}
