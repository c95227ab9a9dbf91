"""What `tune --dry-run` prints: what is searched, the trials that begin first, and what all of them will cost."""

import shlex
from collections.abc import Sequence
from itertools import cycle

from jsonargparse import Namespace

from lightning_imbal.cli.parts.cost import estimate
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.search import Search
from lightning_imbal.launch.job import Job
from lightning_imbal.tuning.trial import folder_of


def show_search(search: Search, configs: Sequence[Namespace]) -> None:
    """Prints what a search would do; nothing is trained or written.

    Args:
        search: That has not begun.
        configs: Those of trials at the ends of each range: what a trial costs is judged by their mean.
    """
    about, number = search.about, max(search.number, len(search.trials))
    ranges = ", ".join(f"{each.name}={each.text}" for each in about.space)
    print(f"{search.run}: {number} trials of {ranges}, by {about.score} (seed {about.seed}, pruner {about.pruner}).")
    for job in search.planned():
        print(shlex.join(["lightning_imbal", *job.command()]))
    print(f"{len(search.ended)} of {number} trials have ended; what is tried after these depends on what they find.")
    cli = ImbalCLI("fit")
    stages = [list(cli.stages(config)) for config in configs]
    over = {trial.number for trial in search.ended if trial.state == "failed"}
    jobs = [Job(f"trial {n}", folder_of(search.run, n), ("fit",)) for n in range(number) if n not in over]
    print(estimate(dict(zip(jobs, cycle(stages), strict=False)), search.jobs))
