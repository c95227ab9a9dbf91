"""What `prepare` and `audit` share: a data set without a model, and the file of what was found."""

from pathlib import Path
from typing import Any

from jsonargparse import SUPPRESS, ArgumentParser, Namespace

from lightning_imbal.atomic_files import write_json
from lightning_imbal.cli.parts.data_verb_options import JSON
from lightning_imbal.cli.parts.first_look import with_name
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.own_data import with_images_found
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.experiment_files import with_files_found

# What else a configuration of `fit` holds: it can be given as it is, these parts are not looked at.
OF_TRAINING = (
    *("ckpt_path", "laptop", "model", "monitor", "monitor_mode", "run_dir", "save_features", "seed_everything"),
    *("then", "trainer", "weights_only"),
)


def data_parser(verb: str) -> ArgumentParser:
    """Parser of a verb that needs a data set and no model."""
    parser = ArgumentParser(
        prog=f"lightning_imbal {verb}",
        description=f"The data set: {verb} CONFIG.yaml, {verb} CLASS --data.root DIR, or --config as for `fit`.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", action="config", help="Configuration of an experiment or of a data set.")
    parser.add_subclass_arguments(ImbalDataModule, "data", required=False)
    for name in OF_TRAINING:
        parser.add_argument(f"--{name}", type=Any, help=SUPPRESS)
    for name, option in JSON.items():
        parser.add_argument(f"--{name}", type=option.type, default=option.default, help=option.help)
    return parser


def read_data(parser: ArgumentParser, args: list[str]) -> tuple[Namespace, ImbalDataModule | None]:
    """Parses a command line, whose first word may be a configuration or a class, and builds its data set.

    Raises:
        UserError: There is no such configuration, or the data set refuses an argument.
    """
    config = parser.parse_args(with_images_found(with_files_found(with_name(args))))
    try:
        return config, parser.instantiate_classes(config).data
    except ValueError as error:
        raise cause(error) from error


def write_report(path: str | None, report: dict[str, Any]) -> None:
    """Writes what was found as JSON, if a file was named."""
    if path is not None:
        write_json(Path(path), report)
