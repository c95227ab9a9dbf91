"""What a checkpoint says of itself: the settings of its stage, without a place on the machine that trained it."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightning_imbal.backbones.named import told_name
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import is_partial, open_checkpoint
from lightning_imbal.runs.folder import stage_of
from lightning_imbal.runs.stage import Stage

KEY = "config"  # of a checkpoint
SPLIT = "split_digest"  # of that: of the split that it was trained with
LEFT_OUT = "left_out"  # of that: the settings that were places, such as `data.root`
OF_TRAINER = ("precision", "inference_mode")  # what a test needs of the Trainer, on any machine
OF_RUN = ("seed_everything", "monitor", "monitor_mode")
ARGUMENTS = {"init_args", "dict_kwargs"}
OF_THE_MACHINE = ("cache_dir",)
OF_SOME = ("metadata_encoding", "image_size", "architecture")  # facts that not every checkpoint has
# All weights come from it, and nothing is trained on.
FROM_CHECKPOINT = {"pretrained": False, "backbone_ckpt": None, "grad_checkpointing": False}
OF_ITS_PICTURES = {"features": None}  # of the data it was trained on, which other pictures have not
OF_BACKBONE = ("image_size", "architecture")  # of the facts, those that build it


def portable(config: dict[str, Any], split: str) -> dict[str, Any]:
    """The settings of a stage that its checkpoint keeps: no path of the training data or of anything else outside it.

    A file below the folder of the data, such as that of the labels, is kept as it is called there. Another one, and
    `root`, are empty, and named under `left_out`. Of the folder of the run, its name is kept.

    Args:
        config: What `config.yaml` of the stage holds.
        split: Digest of its split.

    Example:
        >>> data = {"class_path": "CSVData", "init_args": {"root": "/data/of/us", "labels": "/data/of/us/labels.csv"}}
        >>> kept = portable({"model": {}, "data": data, "trainer": {"precision": None, "devices": 4}}, "")
        >>> kept["data"]["init_args"], kept["left_out"], kept["trainer"]
        ({'root': '', 'labels': 'labels.csv'}, ['data.root'], {'precision': None})
    """
    root = (config["data"].get("init_args") or {}).get("root") or ""
    left_out: list[str] = []
    kept = {name: config[name] for name in OF_RUN if name in config}
    kept |= {name: _without_places(config[name], root, name, left_out) for name in ("model", "data")}
    arguments = config["model"].get("init_args") or {}
    if arguments.get("checkpoint_parts") == "trained" and arguments.get("pretrained") is True:  # which is no place
        kept["model"]["init_args"]["pretrained"] = True
    kept["trainer"] = {name: config["trainer"][name] for name in OF_TRAINER if name in config["trainer"]}
    return {**kept, "run_dir": Path(config.get("run_dir") or "run").name, SPLIT: split, LEFT_OUT: left_out}


def _without_places(choice: Any, root: str, name: str, left_out: list[str]) -> Any:
    """A class and its arguments, those that are paths empty and named in `left_out`."""
    if isinstance(choice, list):
        return [_without_places(each, root, name, left_out) for each in choice]
    if not isinstance(choice, dict):
        return choice
    kept = {key: value for key, value in choice.items() if key not in ARGUMENTS}
    for kind in ARGUMENTS & choice.keys():
        kept[kind] = {}
        for key, value in (choice[kind] or {}).items():
            if key in OF_THE_MACHINE:
                continue
            if key in (nothing := FROM_CHECKPOINT | OF_ITS_PICTURES):
                value = nothing[key]
            elif key == "backbone" and isinstance(value, str):
                value = told_name(value)
            elif isinstance(value, str) and _is_place(key, value, root):
                value = _below(value, root)
                left_out += [] if value else [f"{name}.{key}"]
            kept[kind][key] = _without_places(value, root, f"{name}.{key}", left_out)
    return kept


def _is_place(key: str, value: str, root: str) -> bool:
    """Whether a setting is a file or the path of a folder; the name of a column may be that of a folder."""
    path = Path(value).expanduser()
    named = path.is_file() or ("/" in value and path.exists()) or (path.is_absolute() and _below(value, root))
    return bool(value and (key == "root" or named))


def _below(value: str, root: str) -> str:
    """The path of a file below the folder of the data; empty if it is not there, or is the folder itself."""
    path, folder = Path(value).expanduser().absolute(), Path(root).expanduser().absolute()
    return path.relative_to(folder).as_posix() if root and path != folder and path.is_relative_to(folder) else ""


def saved_fact(checkpoint: str | Path, name: str) -> Any:
    """What a checkpoint was trained with, such as its class names: a test on other data must not change it.

    Raises:
        UserError: It is damaged, or no checkpoint of this program.
    """
    known = open_checkpoint(checkpoint, ["state_dict", "hyper_parameters"])["hyper_parameters"]
    if name in OF_SOME and name not in known:
        return None
    if name not in known:
        raise UserError(f"{checkpoint} does not say its {name}, so it is that of another program: give one of `fit`.")
    return known[name]


def brought_by(checkpoint: str | Path) -> dict[str, Any]:
    """The settings of a model that a checkpoint replaces, and what they are then; one of trained parts needs weights.

    Raises:
        UserError: It is damaged.
    """
    partial = is_partial(open_checkpoint(checkpoint))
    return {name: nothing for name, nothing in FROM_CHECKPOINT.items() if not (partial and name == "pretrained")}


def own_settings(checkpoint: Path) -> dict[str, Any] | None:
    """What a checkpoint itself says of its stage, as `portable` has it; None if it is of before it did.

    Raises:
        UserError: It is damaged.
    """
    return open_checkpoint(checkpoint).get(KEY)


def settings_beside(checkpoint: Path) -> Path | None:
    """The `config.yaml` of the stage that a checkpoint lies in; None if there is none, or the checkpoint is alone.

    It wins over what the checkpoint says itself, because it also knows where the data are.

    Raises:
        UserError: It is damaged, or that of another checkpoint.
    """
    stage = Stage(stage_of(checkpoint))
    if not stage.config_file.is_file():
        return None
    own = own_settings(checkpoint)
    try:
        beside = stage.config()
    except UserError:
        if (
            own and stage.folder == checkpoint.absolute().parent
        ):  # not the folder of a stage: the file is something else
            return None
        raise
    for name in ("model", "data"):
        here, there = (settings[name]["class_path"].rpartition(".")[2] for settings in (beside, own or beside))
        if here != there:
            raise UserError(
                f"{stage.config_file} is not that of {checkpoint}: it has the {name} {here}, and the checkpoint "
                f"{there}; put the checkpoint into a folder without it."
            )
    return stage.config_file


def settings_of(checkpoint: Path) -> dict[str, Any]:
    """The settings of the stage that a checkpoint is of: beside it, or else its own.

    Raises:
        UserError: There are none; or one of its classes is not to be found here.
    """
    beside = settings_beside(checkpoint)
    settings = Stage(stage_of(checkpoint)).config() if beside else own_settings(checkpoint)
    if settings is None:
        raise UserError(
            f"{no_settings(checkpoint)}: put config.yaml of its run beside it, or, of a training in Python, call "
            "load_from_checkpoint of its class with the arguments that it was built with."
        )
    check_classes(settings, checkpoint)
    return settings


def no_settings(checkpoint: Path) -> str:
    """A sentence on a checkpoint that is alone, and does not say how it was made."""
    return f"There is no {Stage(stage_of(checkpoint)).config_file}, and {checkpoint} does not say its settings itself"


def check_classes(settings: Any, checkpoint: Path) -> None:
    """Refuses a checkpoint that needs a class of its user's which is not to be found here.

    Raises:
        UserError: The message names it.
    """
    if isinstance(settings, list | tuple):
        settings = dict(enumerate(settings))
    if not isinstance(settings, dict):
        return
    module, _, name = str(settings.get("class_path") or "").rpartition(".")
    top = module.partition(".")[0]
    if top and top not in sys.modules and find_spec(top) is None:
        file = f"{module.replace('.', '/')}.py"
        raise UserError(
            f"{checkpoint} was trained with {module}.{name}, and there is no {file} here: call this where that file "
            f"is, or put its folder on PYTHONPATH."
        )
    for value in settings.values():
        check_classes(value, checkpoint)
