"""The curves of a run in Weights & Biases (W&B), which may fail without the run.

wandb is imported when it is used: a run without it starts faster, and needs no wandb.
"""

import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_warn

from lightning_imbal.processes import is_first

if TYPE_CHECKING:
    import wandb

INIT_SECONDS, FINISH_SECONDS = 30, 120
SENDS_ALL = "LIGHTNING_IMBAL_WANDB"  # this variable set to "all": W&B gets what it collects by itself too
# What tells who trained where: command line, host, paths, packages, git remote, code, and all that the terminal shows.
LEFT_OUT: dict[str, Any] = {
    "host": "",
    "x_disable_meta": True,
    "x_save_requirements": False,
    "disable_git": True,
    "disable_code": True,
    "console": "off",
}


@contextmanager
def without_wandb_if_it_fails() -> Iterator[None]:
    """Lets a run go on when W&B breaks down in the middle of it."""
    import wandb

    try:
        yield
    except (wandb.Error, OSError) as error:
        rank_zero_warn(f"W&B failed ({type(error).__name__}): the run goes on without it, metrics.csv has every curve.")


@contextmanager
def tables_in_folder_of(run: "wandb.Run") -> Iterator[None]:
    """Has W&B keep tables until their upload in the folder of the run, not in the home of whoever trained it."""
    before = os.environ.get("WANDB_DATA_DIR")
    os.environ["WANDB_DATA_DIR"] = str(Path(run.dir).parent)
    try:
        yield
    finally:
        del os.environ["WANDB_DATA_DIR"]
        os.environ.update({} if before is None else {"WANDB_DATA_DIR": before})


class TolerantWandbLogger(WandbLogger):
    """A WandbLogger that a run survives, and that sends no path unless it is told to send all."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs the metrics, or warns."""
        with without_wandb_if_it_fails():
            super().log_metrics(metrics, step)

    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Logs the hyper-parameters, or warns."""
        with without_wandb_if_it_fails():
            given = vars(params) if isinstance(params, Namespace) else params
            super().log_hyperparams(given if _sends_all() else without_folders(given))


def without_folders(settings: Any) -> Any:
    """Settings in which every path is cut to its last part: `/home/me/weights.pth` to `weights.pth`.

    A text counts as a path if it starts as one (`/`, `~`, `./`, `../`, `C:\\`) or if there is such a file or folder.

    Args:
        settings: A value, or dicts and lists of them to any depth.
    """
    if isinstance(settings, Mapping):
        return {key: without_folders(value) for key, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [without_folders(value) for value in settings]
    if isinstance(settings, PurePath):
        return settings.name
    if isinstance(settings, str) and ("/" in settings or "\\" in settings) and _is_path(settings):
        return PureWindowsPath(settings).name  # which knows both separators
    return settings


def _is_path(text: str) -> bool:
    if re.match(r"[/\\~]|\.\.?[/\\]|[A-Za-z]:[/\\]", text):
        return True
    try:
        return Path(text).exists()
    except OSError:  # such as a text that is too long for a name
        return False


def _sends_all() -> bool:
    return os.environ.get(SENDS_ALL) == "all"


def finish_wandb() -> None:
    """Closes the W&B run of a stage, so that the next stage has one of its own."""
    if "wandb" not in sys.modules:
        return
    import wandb

    with without_wandb_if_it_fails():
        wandb.finish()


def wandb_logger(folder: Path, run: str, stage: str, title: str = "") -> WandbLogger | None:
    """Logs to W&B, one run per stage, called after the title of the whole; None with WANDB_MODE=disabled.

    All stages of a run are in one group, and those of a table in the group of their row (WANDB_RUN_GROUP).

    Without a login, or when W&B cannot be reached, the run is recorded offline and one line says how to upload it.
    Project and entity are taken from WANDB_PROJECT and WANDB_ENTITY. It gets numbers, settings, class names, the
    title and the name of the run's folder; with LIGHTNING_IMBAL_WANDB=all also what W&B collects by itself: see
    docs/privacy.md.
    """
    mode = os.environ.get("WANDB_MODE", "online")
    if mode == "disabled" or not is_first():
        return None
    import wandb

    about: dict[str, Any] = {
        "project": os.environ.get("WANDB_PROJECT", "lightning_imbal"),
        "group": os.environ.get("WANDB_RUN_GROUP") or run,
        # W&B reads its environment once in a process, which may have been before these were set.
        "tags": [tag for tag in os.environ.get("WANDB_TAGS", "").split(",") if tag],
        "job_type": stage,
        "name": f"{title or run} {stage}",
        "dir": folder,
        "settings": wandb.Settings(
            silent=True,
            init_timeout=INIT_SECONDS,
            finish_timeout=FINISH_SECONDS,
            **({} if _sends_all() else LEFT_OUT),
        ),
    }
    experiment, reason = None, "WANDB_MODE=offline"
    if mode == "online":
        try:
            reason = "not logged in"
            if wandb.login(prompt=False):
                experiment = wandb.init(mode="online", **about)
                print(f"W&B: {experiment.url}")
        except wandb.Error as error:
            reason = f"W&B cannot be used now, {type(error).__name__}"
    if experiment is None:
        experiment = wandb.init(mode="offline", **about)
        print(f"W&B: recorded offline ({reason}); upload it with: wandb sync {experiment.settings.sync_dir}")
    experiment.define_metric("trainer/global_step")
    experiment.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    return TolerantWandbLogger(experiment=experiment)
