"""What `compare` lays over all runs of a machine without a GPU, and what is decided once for all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lightning_imbal.cli.parts.configurations import read_stages
from lightning_imbal.cli.parts.laptop import in_words, options_of, training_images, why_small
from lightning_imbal.cli.parts.weights import LEFT_OPEN, choose_weights
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.launch.plan import Plan
from lightning_imbal.runs.folder import read_record

AUTO_WEIGHTS = ["--model.pretrained", "auto"]
# What is the same for all runs, and is decided once.
OF_IMAGES = (
    *("data.batch_size", "data.mean", "data.std", "trainer.max_epochs", "then.trainer.max_epochs", "model.pretrained"),
)


def lay_small(configs: list[str], laptop: str | None) -> tuple[list[str], Path | None]:
    """Lays the small variant over all runs if there is no GPU, unless the user refused it or laid more than data."""
    if (
        any(set(read_yaml(file) or ()) - {"data"} for file in configs)
        or laptop == "false"
        or (laptop is None and torch.cuda.is_available())
    ):
        return configs, None
    variant = files_of("variants")["laptop"]
    return [str(variant), *configs], variant


def is_small(configs: Sequence[str]) -> bool:
    """Whether the user has laid the small variant over all else."""
    return bool(configs) and Path(configs[-1]).samefile(files_of("variants")["laptop"])


def left_open(plan: Plan, first: Plan, data: LabelledImages, small: bool) -> dict[str, Any]:
    """Options that depend on the images and on the weights that can be had, the same for all runs.

    Those of runs that are there stay as they are.

    Args:
        plan: The runs without these options.
        first: Likewise, at least one of them.
        data: Its images.
        small: Whether the small variant lies over all runs.
    """
    if begun := next(filter(None, (read_record(job.folder) for job in plan.jobs)), None):
        options = begun["identity"]["options"]
        return {name: options[name] for name in OF_IMAGES if name in options}
    [config, *_] = read_stages(first.jobs[:1])[first.jobs[0]]
    open_weights = config.model.init_args.get("pretrained") in LEFT_OPEN
    choose_weights(config)
    if small:
        return options_of(config, training_images(data))
    return {"model.pretrained": config.model.init_args.pretrained} if open_weights else {}


def said_of_small(variant: Path, arguments: Sequence[str]) -> str:
    """What is said of the small variant that lies over all runs."""
    return (
        f"{why_small()}{variant} lies over all runs: {in_words(arguments)}. At full size another method may be "
        "the best: --laptop false finds out, but may take hours."
    )
