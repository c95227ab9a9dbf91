"""What `tune` refuses before its first trial: it reads what will be tried, and builds what a trial would begin with."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from jsonargparse import ArgumentError, Namespace
from lightning.pytorch.utilities import rank_zero_info
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.cli.parts import run_dir
from lightning_imbal.cli.parts.check import check_fit, check_monitor, check_validated
from lightning_imbal.cli.parts.laptop import laid
from lightning_imbal.cli.parts.own_data import with_images_found, with_protocol
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.quiet import overheard
from lightning_imbal.cli.parts.resuming import as_saved, keep_what_was_found
from lightning_imbal.cli.parts.search import LOCKED, Search
from lightning_imbal.cli.parts.seed import seed
from lightning_imbal.cli.parts.weights import choose_normalization, choose_weights
from lightning_imbal.command_line import to_options
from lightning_imbal.data.splits.groups import DUPLICATES
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import with_files_found
from lightning_imbal.runs.folder import first_free, stages_in
from lightning_imbal.runs.identity import changes, option_text
from lightning_imbal.runs.stage import Stage
from lightning_imbal.tuning.search import Range, Value
from lightning_imbal.tuning.trial import folder_of

ALL_COMPARED = (
    "data.group_by=duplicates looks for copies among the pictures of all parts, for else the test part is not known; "
    "nothing else opens those of the test part."
)


def command_of(configs: Sequence[str], options: Sequence[str]) -> list[str]:
    """The command line of a `fit`, without its verb, with all that `fit` would add to it."""
    given = with_files_found([*(f"--config={file}" for file in configs), *options])
    run_dir.check_yaml(given)
    return laid(ImbalCLI("fit"), with_protocol(with_images_found(given)))


def prepare(arguments: Sequence[str], space: Sequence[Range], score: str | None) -> tuple[str, list[Namespace]]:
    """Refuses a search whose first trial could not begin.

    Args:
        arguments: Command line of `fit`, without its verb.
        space: What is searched.
        score: Of the validation part; None: the monitored one, or `val/f1`.

    Returns:
        The score that it goes by, and the configurations that were tried out.

    Raises:
        UserError: The message says the mend.
        ArgumentError: An option is unknown, or an end of its range does not fit.
    """
    cli = ImbalCLI("fit")
    try:
        configs, stages = _read(cli, arguments, space)
    except ArgumentError:
        _check_whole(cli, arguments, space)
        raise
    first = configs[0]
    if first.seed_everything is True:
        raise UserError("--seed_everything true draws another seed for each trial: give a number.")
    choose_weights(first, False)
    score = score or first.monitor or "val/f1"
    with isolate_rng():
        seed(first)
        last = check_fit(cli, cli.build(first), stages)[-1]
    _check_score(score, stages[-1], last)
    if last.data.group_by == DUPLICATES:
        rank_zero_info(ALL_COMPARED)
    return score, configs


def check_begun(search: Search) -> None:
    """Refuses to go on with a search if the configurations say something else by now than its first trial had.

    Args:
        search: That may have begun.

    Raises:
        UserError: A setting that decides what a trial trains is another; the message has both values.
    """
    trial = next((each for each in search.trials if stages_in(folder_of(search.run, each.number))), None)
    if trial is None:
        return
    cli, folder = ImbalCLI("fit"), folder_of(search.run, trial.number)
    first = cli.read(search.job(trial).command()[1:])
    with overheard():  # what `prepare` has said
        choose_weights(first)
        choose_normalization(first, folder / "stage1")
    stages = list(cli.stages(first))
    for stage, config in zip(map(Stage, stages_in(folder)), stages, strict=False):
        found = {change.name: change for change in changes(stage.config(), as_saved(cli, config)) if change.decides}
        keep_what_was_found(config, found)
        if stage.folder.name != "stage1":
            found.pop("model.backbone_ckpt", None)  # that of the stage before it
        for name, change in found.items():
            raise UserError(
                f"{stage.folder} was begun with {name} {option_text(change.before)}, not {option_text(change.now)}: go "
                "on with the configurations as they were, or write elsewhere, such as --run_dir "
                f"{first_free(search.run)}."
            )


def tried_out(space: Sequence[Range]) -> list[dict[str, Value]]:
    """As many settings as it takes for each end of each range, and each choice, to be among them."""
    most = max(len(each.ends) for each in space)
    return [{each.name: each.ends[min(place, len(each.ends) - 1)] for each in space} for place in range(most)]


def _read(cli: ImbalCLI, arguments: Sequence[str], space: Sequence[Range]) -> tuple[list[Namespace], list[Namespace]]:
    """The configurations that are tried out, and the stages of the first."""
    configs = [cli.read([*arguments, *LOCKED, *to_options(params)]) for params in tried_out(space)]
    return configs, list(cli.stages(configs[0]))


def _check_whole(cli: ImbalCLI, arguments: Sequence[str], space: Sequence[Range]) -> None:
    """Says how whole numbers are searched, if a setting takes no others."""
    for each in space:
        if each.kind in ("log", "uniform"):
            whole = replace(each, kind="int")
            with suppress(ArgumentError):
                _read(cli, arguments, [whole if other is each else other for other in space])
                mend = f"--search {each.name}=int:{each.low:g}:{each.high:g}"
                raise UserError(f"{each.name} takes whole numbers alone: give {mend}, or choices.")


def _check_score(score: str, config: Namespace, built: Any) -> None:
    if not score.startswith("val/"):
        raise UserError(f"--score is {score!r}: give a score of the validation part, such as val/f1.")
    check_monitor(score, "--score", built.model, built.data)
    check_validated(config.trainer)
