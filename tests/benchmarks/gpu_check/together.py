"""Do two runs share one GPU? `table --jobs 2` on scikit-learn's digits, against one run after the other."""

import time
from pathlib import Path

import yaml

from gpu_check import commands
from gpu_check.report import last_lines
from gpu_check.setting import EXPERIMENTS, Setting

ROWS = {"CE": "methods/ce.yaml", "Square-root sampling": "methods/sqrt_sampling.yaml"}
EPOCHS = {"cuda": 20, "cpu": 1}


def run(setting: Setting) -> None:
    """Runs the table, on a GPU in both ways."""
    spec = setting.work / "digits.yaml"
    spec.write_text(yaml.safe_dump(_table()))
    together = _table_seconds(setting, spec, jobs=2)
    if together is None:
        return
    if not setting.on_gpu:
        setting.skip("Two runs, one after the other", "needs a GPU to compare with")
        return
    apart = _table_seconds(setting, spec, jobs=1)
    if apart is not None:
        setting.add("Two at once, of one after the other", together / apart, "of the time", "< 1", together < apart)


def _table() -> dict:
    rows = {name: {"configs": [str(EXPERIMENTS / overlay)]} for name, overlay in ROWS.items()}
    column = {"dataset": "Digits", "configs": [str(EXPERIMENTS / "demo.yaml")], "seeds": [0]}
    metrics = {"f1": {"score": "f1", "title": "Macro F1"}}
    return {"title": "Two runs on one GPU", "columns": [column], "rows": rows, "metrics": metrics}


def _table_seconds(setting: Setting, spec: Path, jobs: int) -> float | None:
    """Runs the table in a folder of its own and returns the seconds that it took; None if it failed."""
    what, runs = f"Two runs, {'both at once' if jobs == 2 else 'one after the other'}", setting.work / f"table{jobs}"
    log = setting.work / f"table{jobs}.log"
    given = {
        "runs": runs,
        "jobs": jobs,
        "trainer.accelerator": setting.trainer["accelerator"],
        "trainer.max_epochs": EPOCHS[setting.device],
    }
    options = [word for option, value in given.items() for word in (f"--{option}", str(value))]
    began = time.monotonic()
    status = commands.run(setting, ["table", str(spec), *options], log)
    seconds = time.monotonic() - began
    if status is None:
        setting.skip(what, f"no time was left: stopped after {seconds:.0f} s")
        return None
    ended = len([file for file in runs.rglob("metrics.json")])
    good = status == 0 and ended == len(ROWS)
    note = "" if good else f"status {status}, {ended} of {len(ROWS)} ended\n{last_lines(log)}"
    setting.add(what, seconds, "s", "both end", good, note)
    return seconds if good else None
