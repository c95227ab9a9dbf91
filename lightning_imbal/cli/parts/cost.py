"""Estimates what the runs of a table cost, before they are started."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jsonargparse import Namespace
from scipy.optimize import nnls
from torch.utils.flop_counter import FlopCounterMode

from lightning_imbal.backbones.create import create_backbone
from lightning_imbal.data.build import build_data
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.folder import read_record
from lightning_imbal.wording import duration_text, number_of


@dataclass(frozen=True)
class Cost:
    """Images that pass through networks in training, and the floating point operations of that.

    Args:
        images: How many.
        operations: Of their forward and backward passes.
        exact: Whether the data set was there to be counted.
    """

    images: float = 0.0
    operations: float = 0.0
    exact: bool = True

    def __add__(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(self.images + other.images, self.operations + other.operations, self.exact and other.exact)


def estimate(stages: dict[Job, list[Namespace]], jobs: int) -> str:
    """Says in a few lines what the unfinished runs will cost.

    How long they take is judged by the finished runs of the table, if there are any.

    Args:
        stages: What every run trains.
        jobs: How many run at once.
    """
    # Runs that differ in their seed alone have the same configurations.
    known = {(id(configs), job.after is None): configs for job, configs in stages.items()}
    # A first stage that is taken from another run costs nothing.
    of_line = {key: sum(map(cost_of, configs if key[1] else configs[1:]), Cost()) for key, configs in known.items()}
    costs = {job: of_line[id(configs), job.after is None] for job, configs in stages.items()}
    finished = {job: read_record(job.folder) for job in stages if job.finished}
    left = [job for job in stages if job not in finished]
    if not left:
        return "Nothing is left to train."
    total = sum((costs[job] for job in left), Cost())
    took = {job: record["seconds"] for job, record in finished.items() if record and record["seconds"]}
    operations = f", {_short(total.operations / 1e15)} PFLOP" if total.operations else ""
    lines = [f"{number_of(len(left), 'run')} to train: {total.images:,.0f} images through the network{operations}."]
    if took:
        seconds = _seconds(left, took, costs)
        duration = duration_text(max(sum(seconds) / jobs, *seconds))
        lines.append(f"Going by {number_of(len(took), 'finished run')}, that takes about {duration}.")
    else:
        lines.append("How long that takes is unknown until the first run has finished.")
    if not total.exact:
        lines.append(
            "A data set is not there: all images that it officially has are counted, or none if that is unknown."
        )
    return "\n".join(lines)


def _seconds(left: Iterable[Job], took: dict[Job, float], costs: dict[Job, Cost]) -> list[float]:
    """How long each run takes: as those of its row and column, else its operations and the start of a process."""
    of_cell = _means((job.labels, seconds) for job, seconds in took.items())
    of_size = _means((costs[job].operations, seconds) for job, seconds in took.items())
    sizes, seconds = np.array(list(of_size)), np.array(list(of_size.values()))
    start, each = seconds[0], 0.0
    if len(sizes) > 1:
        # Least squares of the relative errors: the runs may be of very different sizes.
        parts = np.column_stack([np.ones(len(sizes)), sizes / max(sizes)]) / seconds[:, None]
        start, each = nnls(parts, np.ones(len(sizes)))[0] / [1, max(sizes)]
    return [of_cell.get(job.labels, start + each * costs[job].operations) for job in left]


def _means(pairs: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    """The mean of the numbers of each key."""
    numbers = defaultdict(list)
    for key, number in pairs:
        numbers[key].append(number)
    return {key: fmean(of_key) for key, of_key in numbers.items()}


def cost_of(config: Namespace) -> Cost:
    """What one stage costs: forward and backward passes (3 times a forward one), a frozen network's forward alone."""
    data, model = config.data.init_args, config.model.init_args
    epoch, images, exact = _sizes(json.dumps(config.data.as_dict(), default=str, sort_keys=True))
    if data.get("features"):  # no network is asked
        return Cost()
    frozen = resolve_name(config.model.class_path).freezes_backbone
    passes = config.trainer.max_epochs * (data.get("views", 1) + len(data.get("more_views") or []))
    passes *= epoch * (2 if data.get("paired_sampler") else 1)
    if frozen and model.get("cache_views"):
        passes = images * model.cache_views
    each = operations(model.backbone, data.image_size) * (1 if frozen else 3)
    return Cost(passes, passes * each, exact)


@cache
def _sizes(data: str) -> tuple[int, int, bool]:
    """Images that the sampler draws in an epoch, those to train on, and whether they were counted.

    Of a data set that is absent, both are all that it has.
    """
    built = build_data(json.loads(data))
    try:
        drawn = len(built.train_samplers()[0])  # type: ignore[arg-type]  # torch leaves it to each sampler
        return drawn, sum(built.class_counts), True
    except UserError:
        images = sum(built.official_counts or [])
        return images, images, False


@cache
def operations(backbone: str, size: int) -> int:
    """Floating point operations of a forward pass of one image."""
    with torch.device("meta"):
        network = create_backbone(backbone, image_size=size).eval()
        image = torch.empty(1, 3, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return counter.get_total_flops()


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
