"""Reads the configurations of a table's runs before the first one starts."""

from collections.abc import Iterable

from jsonargparse import ArgumentError, Namespace

from lightning_imbal.cli.parts.messages import explain
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.command_line import parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job


def read_stages(jobs: Iterable[Job]) -> dict[Job, list[Namespace]]:
    """The stages of every job that trains; those that differ in seed or fold alone are read once.

    Raises:
        UserError: A command line cannot be parsed; the message names the run.
    """
    cli, read, found = ImbalCLI("fit"), {}, {}
    for job in jobs:
        if job.arguments[0] != "fit":
            continue
        options = parse_options(job.arguments[1:])
        key = tuple(option for option in options if option[0] not in ("seed_everything", "data.split.fold"))
        try:
            if key not in read:
                read[key] = list(cli.stages(cli.read(job.arguments[1:])))
        except ArgumentError as error:
            raise UserError(f"{job.name}: {explain(str(error))}") from error
        found[job] = read[key]
    return found
