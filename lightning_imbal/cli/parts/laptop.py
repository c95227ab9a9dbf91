"""`variants/laptop.yaml` over one's own images where there is no GPU: when it is laid, and what goes with it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.backbones.create import weights_normalization
from lightning_imbal.cli.parts import run_dir
from lightning_imbal.cli.parts.budget import laptop_budget
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.own_data import OWN
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.quiet import overheard
from lightning_imbal.cli.parts.stages import COMMAND_LINE, layers
from lightning_imbal.cli.parts.weights import choose_weights
from lightning_imbal.command_line import last_setting, to_options
from lightning_imbal.data.build import build_data
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.experiment_files import files_of, read_yaml, with_files_found
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.runs.stage import Stage
from lightning_imbal.wording import number_of

AUTO = {"model.pretrained": "auto"}
EPOCHS_AFTER = "then.trainer.max_epochs"


def laid(cli: ImbalCLI, args: list[str]) -> list[str]:
    """The command line of a `fit` of one's own images with the small variant, if there is no GPU, which is said.

    The file lies over the protocol `own_*.yaml`, below all that is given after it; options beside it set what depends
    on the images and on the weights that can be had. A run that goes on keeps what it was begun with. Where the file
    was given by name, only the options are added.

    Args:
        cli: Reads command lines of `fit`.
        args: One, without its verb.
    """
    args = with_files_found(args)
    variant, files = variant_file(), list(_files(args))
    own = [end for end, file in files if _is_own(file)]
    if not own:
        return args
    begun = _begun(args)
    wanted = _flag(last_setting(args, "laptop"))
    if wanted is None and begun is not None:
        wanted = bool(begun.get("laptop"))
    given = [end for end, file in files if file.is_file() and file.samefile(variant)]
    if wanted is False or not (given or wanted or _is_small_machine(args)):
        return args
    end = (given or own)[0]
    before = [*args[:end], "--laptop", "true", "--run_dir", str(run_dir.folder_of(args))]
    before += [] if given else [f"--config={variant}", *to_options(AUTO)]
    if begun is None:
        config = cli.read([*before, *args[end:]])
        choose_weights(config)
        with overheard():  # it is told when the data are read for training
            images = training_images(_data(config))
        options = options_of(config, images)
    else:
        options = _options_of_run(begun)
    if _adjusts_epochs_after(args[end:]):
        options.pop(EPOCHS_AFTER, None)  # as an option it would win over that file
    whole = [*before, *to_options(options), *args[end:]]
    if not given:
        told = f"{why_small()}{variant} lies over the protocol: {in_words(whole)}."
        rank_zero_info(f"{told} --laptop false trains at full size, which may take hours.")
    return whole


def variant_file() -> Path:
    """Where the small variant is."""
    return files_of("variants")["laptop"]


def why_small() -> str:
    """The beginning of the sentence which says that it is laid; empty where it was asked for in spite of a GPU."""
    return "" if torch.cuda.is_available() else "No GPU was found, so "


def options_of(config: Namespace, images: int) -> dict[str, Any]:
    """What goes with the small variant: batches and epochs by the number of images, the weights, and their colours.

    Args:
        config: With the variant, and with weights that were chosen.
        images: Of the training part.
    """
    data, model = config.data.init_args, config.model.init_args
    # A size that is not the file's own was given.
    own_size = read_yaml(variant_file())["data"]["init_args"]["batch_size"]
    budget = laptop_budget(images, None if data.batch_size == own_size else data.batch_size)
    options: dict[str, Any] = {
        "data.batch_size": budget.batch_size,
        "trainer.max_epochs": budget.max_epochs,
        EPOCHS_AFTER: budget.max_epochs_after,
        "model.pretrained": model.get("pretrained", False),
    }
    if model.get("pretrained") is True and isinstance(model.backbone, str):  # the file has those of its own weights
        known = weights_normalization(model.backbone)
        options |= dict(zip(("data.mean", "data.std"), map(list, known), strict=True)) if known else {}
    return options


def training_images(data: LabelledImages) -> int:
    """Images of the training part; no picture is opened for it."""
    return int((data.parts == "train").sum())


def in_words(args: Iterable[str]) -> str:
    """What a command line sets of what the small variant is about."""
    args = list(args)
    size, batch = (last_setting(args, "data", "init_args", name) for name in ("image_size", "batch_size"))
    network, epochs = last_setting(args, "model", "init_args", "backbone"), last_setting(args, "trainer", "max_epochs")
    return f"{network} on {size} x {size} pixels, {number_of(int(epochs), 'epoch')} in batches of {batch}"


def _options_of_run(begun: dict[str, Any]) -> dict[str, Any]:
    """The same of a run, from the configuration of its first stage; its weights are in its checkpoint."""
    data, after = begun["data"]["init_args"], begun.get("then") or {}
    epochs_after = (after.get("trainer") or {}).get("max_epochs")
    return {
        **{f"data.{name}": data[name] for name in ("batch_size", "mean", "std")},
        "trainer.max_epochs": begun["trainer"]["max_epochs"],
        **({EPOCHS_AFTER: epochs_after} if epochs_after else {}),
    }


def _files(args: list[str]) -> Iterator[tuple[int, Path]]:
    """Every --config file of a command line, and the place after it."""
    for place, argument in enumerate(args):
        if argument == "--config" and place + 1 < len(args):
            yield place + 2, Path(args[place + 1])
        elif argument.startswith("--config="):
            yield place + 1, Path(argument.partition("=")[2])


def _is_own(file: Path) -> bool:
    """Whether a file is one of the protocols for one's own images."""
    if not file.name.startswith("own_") or not file.is_file():
        return False
    data = (read_yaml(file) or {}).get("data")
    return isinstance(data, dict) and str(data.get("class_path")).rpartition(".")[2] in OWN


def _begun(args: list[str]) -> dict[str, Any] | None:
    """The configuration that a run which goes on was begun with; None of one that begins."""
    folder = run_dir.folder_of(args)
    if not run_dir.goes_on(last_setting(args, "ckpt_path"), folder):
        return None
    first = next((stage for stage in map(Stage, stages_in(folder)) if stage.config_file.is_file()), None)
    return None if first is None else first.config()


def _is_small_machine(args: list[str]) -> bool:
    return last_setting(args, "trainer", "accelerator") in (None, "auto", "cpu") and not torch.cuda.is_available()


def _adjusts_epochs_after(args: Sequence[str]) -> bool:
    """Whether a file of a command line sets the epochs of whatever second stage there is."""
    adjusting = (layer.then or {} for layer in layers(args) if not layer.whole and layer.source != COMMAND_LINE)
    return any("max_epochs" in (then.get("trainer") or {}) for then in adjusting)


def _data(config: Namespace) -> LabelledImages:
    try:
        return build_data(config.data)
    except ValueError as error:
        raise cause(error) from error


def _flag(value: Any) -> bool | None:
    """A flag of a command line, or of a file."""
    return yaml.safe_load(value) if isinstance(value, str) else value
