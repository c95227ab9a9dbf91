"""Reads the configurations of a table's runs before the first one starts."""

from collections.abc import Iterable, Sequence
from typing import Any

from jsonargparse import ArgumentError, Namespace
from lightning.pytorch.cli import LightningArgumentParser

from lightning_imbal.cli.parts.imbal_cli import ImbalCLI
from lightning_imbal.cli.parts.messages import explain
from lightning_imbal.cli.parts.stages import merged
from lightning_imbal.command_line import given, parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job


class Configurations(ImbalCLI):
    """Reads configurations as `fit` does, and builds nothing.

    Args:
        arguments: Any command line of `fit` that can be parsed.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses, and prepares no folder."""
        self.config = parser.parse_args(self.args)

    def _set_seed(self) -> None:
        """Needs none."""

    def instantiate_classes(self) -> None:
        """Builds nothing."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Runs nothing."""

    def read(self, arguments: Sequence[str]) -> Namespace:
        """The configuration of a command line such as `fit --config ...`, in which `then` is whole.

        Raises:
            ArgumentError: An option is unknown, or a value does not fit.
        """
        config = self._parser(arguments[0]).parse_args(list(arguments[1:]))
        config.then = merged(config, given("then", list(arguments)))
        return config

    def stages(self, arguments: Sequence[str]) -> list[Namespace]:
        """The complete configuration of every stage of a `fit`.

        Raises:
            ArgumentError: An option is unknown, or a value does not fit.
        """
        stages = [self.read(arguments)]
        while (following := self.next_stage(stages[-1])) is not None:
            stages.append(following)
        return stages


def read_stages(jobs: Iterable[Job]) -> dict[Job, list[Namespace]]:
    """The stages of every job that trains; those that differ in seed or fold alone are read once.

    Raises:
        UserError: A command line cannot be parsed; the message names the run.
    """
    reader, read, found = None, {}, {}
    for job in jobs:
        if job.arguments[0] != "fit":
            continue
        options = parse_options(job.arguments[1:])
        key = tuple(option for option in options if option[0] not in ("seed_everything", "data.split.fold"))
        try:
            reader = reader or Configurations(job.arguments)
            if key not in read:
                read[key] = reader.stages(job.arguments)
        except ArgumentError as error:
            raise UserError(f"{job.name}: {explain(str(error))}") from error
        found[job] = read[key]
    return found
