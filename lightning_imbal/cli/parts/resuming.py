"""A run that goes on is held to what it was begun with: its settings, its classes, the part of every image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.callbacks.of_training import averages_at_the_end
from lightning_imbal.cli.parts.check import EPOCHS_OF_LIGHTNING
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.trainer import chosen_callbacks
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import LOADER
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_checkpoint import is_partial, load_weights, open_checkpoint
from lightning_imbal.modules.base_epochs import bound_to_epochs
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.runs.folder import is_finished, last_checkpoint, stages_in
from lightning_imbal.runs.identity import WEIGHTS, Change, changes, listed, option_text, split_changes
from lightning_imbal.runs.stage import Stage
from lightning_imbal.wording import number_of

MAX_NAMED = 3
EPOCHS = "trainer.max_epochs"
OF_TRAINING = ("state_dict", "epoch", "global_step", "loops", "callbacks", "optimizer_states", "lr_schedulers")
ANEW = "or train anew with another --run_dir"


def check_settings(cli: ImbalCLI, folder: Path, stages: Sequence[Namespace]) -> None:
    """Refuses to go on with other settings than a stage was begun with, and says which others have changed.

    Args:
        cli: Has read the configurations.
        folder: Of the run.
        stages: The configuration of every stage.

    Raises:
        UserError: A setting that decides what is trained or tested is another; the message has both values.
    """
    begun = [Stage(place) for place in stages_in(folder)]
    if stages[0].ckpt_path is None or not begun:
        return
    _check_number(folder, len(begun), len(stages))
    said: dict[str, Change] = {}
    for stage, config in zip(begun, stages, strict=False):
        if not stage.config_file.is_file():
            continue
        found = {change.name: change for change in changes(stage.config(), as_saved(cli, config))}
        if found.pop("then", None) and stage is begun[-1]:
            rank_zero_info("The stage after it, which has not begun, is as `then` says now.")
        keep_what_was_found(config, found)
        if stage is not begun[0]:
            found.pop("model.backbone_ckpt", None)  # that of the stage before it, wherever it lies
        weights = [name for name in WEIGHTS if name in found and last_checkpoint(stage.folder).is_file()]
        for name in weights:
            del found[name]
        if weights and not is_partial(_read(last_checkpoint(stage.folder))):
            rank_zero_info(f"{' and '.join(weights)}: not used, the weights are those of the last checkpoint.")
        _refuse(stage, [change for name, change in found.items() if change.decides and name != EPOCHS], begun)
        if EPOCHS in found and stage is not begun[-1]:
            raise UserError(
                f"{stage.folder} was begun with {EPOCHS} {option_text(found[EPOCHS].before)}, and "
                f"{begun[-1].name} began from it: continue it with --{EPOCHS} {option_text(found[EPOCHS].before)}, "
                f"not {option_text(found[EPOCHS].now)}, {ANEW}."
            )
        if EPOCHS in found and stage is not begun[0]:
            with isolate_rng():  # now, because the stages before it are about to go on
                check_epochs(stage.folder, config, cli.build(config), found[EPOCHS].before)
        said |= {name: change for name, change in found.items() if name != EPOCHS}
    if said:
        told = [f"{name} {option_text(each.now)} (before: {option_text(each.before)})" for name, each in said.items()]
        rank_zero_info(f"The run goes on with {', '.join(told)}.")


def keep_what_was_found(config: Namespace, found: dict[str, Change]) -> None:
    """Goes on with the learning rate and the size of a batch that a callback of Lightning found when a stage began.

    Args:
        config: That of the stage.
        found: What differs from the one it was begun with; what is kept is taken out.
    """
    names = {str(callback.class_path).rpartition(".")[2] for callback in listed(config.trainer.callbacks)}
    if "BatchSizeFinder" in names and (size := found.pop("data.batch_size", None)):
        config.data.init_args.batch_size = size.before
    if "LearningRateFinder" in names and (rate := found.pop("model.optimizer.lr", None)):
        config.model.init_args.optimizer.init_args.lr = rate.before


def _check_number(folder: Path, begun: int, stages: int) -> None:
    """Refuses fewer stages than there are, and more than a finished run has: its results would be another's."""
    if begun > stages or (begun < stages and is_finished(folder)):
        mend = f"continue it with --config {folder}/stage1/config.yaml"
        raise UserError(
            f"{folder} {'has' if begun > stages else 'is finished with'} {number_of(begun, 'stage')}, but with this "
            f"`then` there {'is' if stages == 1 else 'are'} {stages}: {mend}, {ANEW}."
        )


def _refuse(stage: Stage, changed: Sequence[Change], begun: Sequence[Stage]) -> None:
    if not changed:
        return
    told = [f"{each.name} {option_text(each.before)}, not {option_text(each.now)}" for each in changed[:MAX_NAMED]]
    more = f" (and {len(changed) - MAX_NAMED} more)" if len(changed) > MAX_NAMED else ""
    mend = " ".join(f"--{each.name} {option_text(each.before)}" for each in changed)
    short = len(changed) <= MAX_NAMED and not any(isinstance(each.before, dict | list) for each in changed)
    if stage is not begun[0] or not short:
        mend = f"its own settings (--config {begun[0].config_file})"
    raise UserError(f"{stage.folder} was begun with {', and with '.join(told)}{more}: continue it with {mend}, {ANEW}.")


def check_built(cli: ImbalCLI, stage: Path, config: Namespace, built: Namespace) -> None:
    """Refuses to go on with other classes or other parts of the images, or with epochs that a schedule does not know.

    Args:
        cli: Has read the configuration.
        stage: Its folder.
        config: Its configuration; it keeps the weights that the stage began with, which its checkpoint has replaced.
        built: Its data and model.

    Raises:
        UserError: The message says what is another.
    """
    if config.ckpt_path is None or not stage.is_dir():
        return
    saved = Stage(stage)
    before = saved.config() if saved.config_file.is_file() else None
    checkpoint = _read(last_checkpoint(stage))
    if checkpoint and (names := checkpoint["hyper_parameters"]["class_names"]) != list(built.data.class_names):
        raise UserError(
            f"{last_checkpoint(stage)} was trained on the classes {', '.join(names)}, in this order, but the data has "
            f"{', '.join(built.data.class_names)}: give it the classes it was trained on, {ANEW}."
        )
    split = saved.split()
    if split is not None and (other := split_changes(split, built.data.table)):
        places = changes(before["data"], as_saved(cli, config)["data"], "data") if before else ()
        told = "".join(f"; {each.name} is {option_text(each.now)}, was {option_text(each.before)}" for each in places)
        raise UserError(
            f"The images are not those of {stage}/split.csv ({other}{told}): give the data and the split that the run "
            f"was begun with, {ANEW}."
        )
    _check_weights(stage / "checkpoints", built.model)
    if before is None:
        return
    check_epochs(stage, config, built, before["trainer"]["max_epochs"])
    if config.trainer.max_epochs != before["trainer"]["max_epochs"]:
        rank_zero_info(f"{stage} goes on with {EPOCHS} {config.trainer.max_epochs}.")
    if checkpoint and "pretrained" in config.model.init_args and not is_partial(checkpoint):
        config.model.init_args.pretrained = before["model"]["init_args"].get("pretrained", False)


def check_epochs(stage: Path, config: Namespace, built: Namespace, before: int | None) -> None:
    """Refuses another number of epochs where something is defined for the first one alone, and fewer than were trained.

    Args:
        stage: Its folder.
        config: Its configuration.
        built: Its data and model.
        before: The number of epochs that it was begun with.

    Raises:
        UserError: The message names what is bound to the number of epochs.
    """
    now = config.trainer.max_epochs
    if before == now:
        return
    numbers = [number or EPOCHS_OF_LIGHTNING for number in (before, now)]
    bound = list(bound_to_epochs(built.model, *numbers))
    bound += ["StochasticWeightAveraging"] if averages_at_the_end(chosen_callbacks(built)) else []
    following = [*built.data.train_samplers(), *chosen_callbacks(built)]
    bound += [type(of).__name__ for of in following if getattr(of, "follows_epochs", False)]
    mend = f"continue it with --{EPOCHS} {option_text(before)}, {ANEW}"
    if bound:
        raise UserError(
            f"{stage} was begun with {EPOCHS} {option_text(before)}, not {option_text(now)}, and its "
            f"{' and '.join(dict.fromkeys(bound))} is defined for that many epochs alone: {mend}."
        )
    trained = _read(last_checkpoint(stage)).get("epoch", -1) + 1
    if 0 <= numbers[1] < trained:
        raise UserError(f"{stage} has trained {trained} epochs already, and {EPOCHS} is {now}: {mend}.")


def _read(checkpoint: Path) -> dict[str, Any]:
    """A checkpoint; empty if there is none yet."""
    return open_checkpoint(checkpoint, OF_TRAINING, _mend(checkpoint.parent)) if checkpoint.is_file() else {}


def _check_weights(folder: Path, model: ImbalModule) -> None:
    """Refuses checkpoints of another network; the model keeps its own weights, with which a stage may begin anew."""
    own = {name: value.clone() for name, value in model.state_dict().items()}
    for file in sorted(folder.glob("*.ckpt")):
        load_weights(model, file, _mend(folder))
        check_checkpoint(file)
    model.load_state_dict(own)


def _mend(folder: Path) -> str:
    return f"copy it again from where it is whole, or delete the folder {folder}, and the stage is trained anew"


def as_saved(cli: ImbalCLI, config: Namespace) -> Any:
    """A configuration as the one in the folder of a stage is read."""
    return yaml.load(cli.parser.dump(config, skip_unset=False, skip_validation=True), LOADER)
