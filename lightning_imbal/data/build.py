"""Builds a data module from what a configuration says of it."""

from typing import Any

from jsonargparse import ArgumentParser, Namespace

from lightning_imbal.data.base import ImbalDataModule


def build_data(settings: Namespace | dict[str, Any]) -> ImbalDataModule:
    """Builds the data of a configuration, without its trainer and model.

    Args:
        settings: `class_path` and `init_args`.

    Raises:
        ArgumentError: The class is unknown, or an argument does not fit.
        ValueError: An argument is refused.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=ImbalDataModule)
    return parser.instantiate(parser.parse_object({"data": settings})).data
