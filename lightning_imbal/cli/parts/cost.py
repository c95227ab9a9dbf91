"""Estimates what the runs of a table cost, before they are started."""

import json
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name

import timm
import torch
from jsonargparse import Namespace
from torch.utils.flop_counter import FlopCounterMode

from lightning_imbal.data.build import build_data
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import processors
from lightning_imbal.runs.folder import read_record
from lightning_imbal.wording import number_of

# Operations per second in such training, of a current GPU and of a processor core; said beside the estimate.
GPU_RATE, CORE_RATE = 10e12, 0.03e12


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

    The speed is that of the finished runs of the table, if there are any, else it is assumed.

    Args:
        stages: What every run trains.
        jobs: How many run at once.
    """
    # A first stage that is taken from another run costs nothing.
    costs = {job: sum(map(cost_of, configs[job.after is not None :]), Cost()) for job, configs in stages.items()}
    records = {job: read_record(job.folder) for job in stages if job.finished}
    finished = {job: record["seconds"] for job, record in records.items() if record and record["seconds"]}
    seconds = sum(finished.values())
    done = sum((costs[job] for job in finished), Cost())
    left = sum((costs[job] for job in stages if not job.finished), Cost())
    number = sum(not job.finished for job in stages)
    if not number:
        return "Nothing is left to train."
    if seconds and done.operations:
        rate, of = done.operations / seconds * jobs, f"that of {number_of(len(finished), 'finished run')}"
    else:
        rate, what = _assumed()
        of = f"assumed for {what}; that of the first finished run is used instead"
    images, operations = f"{left.images:,.0f} images", f"{_short(left.operations / 1e15)} PFLOP"
    lines = [f"{number_of(number, 'run')} to train: {images} through the network, {operations}."]
    if left.operations:
        duration = _duration(left.operations / rate)
        lines.append(f"At {rate / 1e12:,.2g} TFLOP/s ({of}) that takes about {duration}.")
    if not left.exact:
        lines.append(
            "A data set is not there: all images that it officially has are counted, or none if that is unknown."
        )
    return "\n".join(lines)


def _assumed() -> tuple[float, str]:
    if torch.cuda.is_available():
        return GPU_RATE, "a GPU"
    cores = processors(1)
    return cores * CORE_RATE, f"{number_of(cores, 'processor core')} without a GPU"


def cost_of(config: Namespace) -> Cost:
    """What one stage costs: forward and backward passes (3 times a forward one), a frozen network's forward alone."""
    data, model = config.data.init_args, config.model.init_args
    epoch, images, exact = _sizes(json.dumps(config.data.as_dict(), default=str, sort_keys=True))
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
        network = timm.create_model(backbone, num_classes=0).eval()
        image = torch.empty(1, 3, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return counter.get_total_flops()


def _duration(seconds: float) -> str:
    for unit, length in {"days": 86400, "hours": 3600}.items():
        if seconds > 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return number_of(max(1, round(seconds / 60)), "minute")


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
