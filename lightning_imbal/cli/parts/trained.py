"""A trained checkpoint on a command line: the configuration that was saved beside it, or in it, lies below the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from jsonargparse import Namespace

from lightning_imbal.cli.parts.absent import named_checkpoint
from lightning_imbal.command_line import given
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import with_files_found
from lightning_imbal.modules.base_checkpoint import open_checkpoint
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.trained.settings import LEFT_OUT, SPLIT, no_settings, own_settings, settings_beside, settings_of


@contextmanager
def with_saved_config(verb: str, args: list[str]) -> Iterator[list[str]]:
    """Lays the configuration that was saved beside a checkpoint, or in it, below a command line without its verb.

    Raises:
        UserError: There is no checkpoint, one without its configuration, or one that is not that of its folder.
    """
    if {"-h", "--help"} & set(args):
        yield args
        return
    ckpt_path = named_checkpoint(verb, args)
    # Last, because a configuration says where the run that it is of was resumed.
    args, checkpoint = [*args, "--ckpt_path", ckpt_path], Path(ckpt_path)
    open_checkpoint(ckpt_path)
    check_checkpoint(checkpoint)
    beside = settings_beside(checkpoint)
    if own_settings(checkpoint) is None and beside is None:
        if given("config", with_files_found(args)) is None:
            raise UserError(f"{no_settings(checkpoint)}: give the configuration of its run with --config.")
        yield args
        return
    settings = settings_of(checkpoint)
    if beside is not None:
        yield ["--config", str(beside), *args]
        return
    with TemporaryDirectory() as folder:
        file = Path(folder, "config.yaml")
        file.write_text(yaml.safe_dump({name: settings[name] for name in settings if name not in (LEFT_OUT, SPLIT)}))
        yield ["--config", str(file), *args]


def check_places(config: Namespace, what_for: str) -> None:
    """Refuses to look at data whose place a checkpoint that is alone cannot know, and the command line does not say.

    Args:
        config: Of the evaluation.
        what_for: That needs them.

    Raises:
        UserError: The message names the options.
    """
    if absent := absent_places(config):
        options = " and ".join(f"--{name} {'DIR' if name.endswith('root') else 'FILE'}" for name in absent)
        raise UserError(
            f"{config.ckpt_path} holds the settings of its run, but not where its images are, and {what_for}: give "
            f"{options}."
        )


def absent_places(config: Namespace) -> list[str]:
    """The settings of the data that a checkpoint has left out, and that nobody has given since."""
    checkpoint = Path(config.ckpt_path)
    own = None if settings_beside(checkpoint) else own_settings(checkpoint)
    names = own[LEFT_OUT] if own else []
    return [name for name in names if name.startswith("data.") and _value(config, name) == ""]


def _value(config: Namespace, name: str) -> Any:
    """A setting by its name without `init_args`; None if the class takes none such."""
    value: Any = config
    for key in name.split("."):
        value = value.get("init_args", value).get(key) if isinstance(value, Namespace) else None
    return value
