"""Reads the configurations of a table's runs before the first one starts."""

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lightning_imbal.cli.parts.allocator import without_garbage
from lightning_imbal.command_line import parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job

if TYPE_CHECKING:
    from jsonargparse import Namespace


def read_stages(jobs: Iterable[Job]) -> "dict[Job, list[Namespace]]":
    """The stages of every job that trains; those that differ in seed or fold alone are read once.

    Raises:
        UserError: A command line cannot be parsed; the message names the run.
    """
    alone = bool(gc.get_freeze_count())  # then the verb's own imports were frozen
    with without_garbage(alone):  # a printed table waits for none of them
        from jsonargparse import ArgumentError

        from lightning_imbal.cli.parts.messages import explain
        from lightning_imbal.cli.parts.parser import ImbalCLI

    cli = ImbalCLI("fit")
    read: dict[tuple[tuple[str, str], ...], list[Namespace]] = {}
    found = {}
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
