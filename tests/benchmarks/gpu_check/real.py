"""What does it reach? Five methods on ISIC 2018 by lesion at 128 pixels, as many seeds as the time allows.

They are rows of experiments/tables/isic2018_small.yaml, written in the form that `make results` publishes.
"""

import os
import shutil
import time
from pathlib import Path

import pandas as pd

from gpu_check import commands
from gpu_check.report import last_lines
from gpu_check.setting import EXPERIMENTS, Setting

SPEC = EXPERIMENTS / "tables" / "isic2018_small.yaml"
COLUMN = "By lesion"
ROWS = ("CE", "RS", "Square-root sampling", "CL + resample", "ECL")
SEEDS = 3
SECONDS_TO_WRITE = 40
RESULTS = (".md", ".csv", "_classes.csv", "_gap.csv", ".png")
SIZE = {"cuda": "128px", "cpu": "64px"}
TINY = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"]


def run(setting: Setting) -> None:
    """Runs seed after seed, then writes and reads what there is."""
    if setting.images is None:
        setting.skip("Methods on ISIC 2018", "no pictures were given: --images FOLDER, --weights FILE")
        return
    if setting.weights is None:
        setting.add("Weights", note="none were given (--weights FILE): from scratch, not to be compared with others")
    log, seconds = setting.work / "real.log", 0.0
    for seed in range(SEEDS if setting.on_gpu else 1):
        if setting.seconds_left - SECONDS_TO_WRITE < seconds:
            setting.skip(f"Seed {seed}", f"no time was left{f': a seed takes {seconds:.0f} s' if seed else ''}")
            break
        began = time.monotonic()
        status = commands.run(_earlier(setting), _command(setting, seed + 1, _jobs(setting)), log)
        seconds = time.monotonic() - began
        if status is None:
            setting.skip(f"Seed {seed}", f"no time was left: stopped after {seconds:.0f} s, finished runs are below")
            break
        setting.add(f"Seed {seed}", seconds, "s", "ends", status == 0, "" if status == 0 else last_lines(log))
    if commands.run(setting, _command(setting, SEEDS, 0), log) != 0:
        setting.add("Table", wanted="written", good=False, note=last_lines(log))
        return
    _keep(setting)


def _jobs(setting: Setting) -> int:
    """Runs at once: three processors each, as many as there are rows at most."""
    return max(1, min(len(ROWS), (os.cpu_count() or 1) // 3)) if setting.on_gpu else 1


def _earlier(setting: Setting) -> Setting:
    """The same with its end earlier, so that what was run can be written."""
    return Setting(**vars(setting) | {"ends": setting.ends - SECONDS_TO_WRITE})


def _command(setting: Setting, seeds: int, jobs: int) -> list[str]:
    rows = ROWS if setting.on_gpu else ROWS[:1]
    given = {
        "config": EXPERIMENTS / "variants" / f"{SIZE[setting.device]}.yaml",
        "runs": _runs(setting),
        "jobs": jobs,
        "data.root": setting.images,
        "data.cache_dir": setting.work / "cache",
        "model.pretrained": setting.weights or "false",
    }
    options = [word for option, value in given.items() for word in (f"--{option}", str(value))]
    return ["table", str(SPEC), "--only", COLUMN, *rows, "--seeds", *map(str, range(seeds)), *options] + (
        [] if setting.on_gpu else TINY
    )


def _runs(setting: Setting) -> Path:
    return setting.work / f"tables-{SIZE[setting.device]}"


def _keep(setting: Setting) -> None:
    """Takes over the files of the table, and the scores of its rows that were run."""
    written = _runs(setting) / SPEC.stem
    for ending in RESULTS:
        source = written.with_name(written.name + ending)
        if source.is_file():
            shutil.copyfile(source, setting.out / f"{SPEC.stem}-{SIZE[setting.device]}{ending}")
    table = pd.read_csv(written.with_name(f"{written.name}.csv"))
    for cell in table[(table["dataset"] == COLUMN) & table["value"].notna() & ~table["floor"]].itertuples():
        setting.add(f"{cell.row}: {cell.metric}", cell.value, f"mean of {cell.runs} of {cell.planned} seeds")
