"""What is refused before training or testing starts, because it could only fail hours later: each object is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from jsonargparse import Namespace
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.checks import check_split, check_unseen, report_missing_classes
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.wording import did_you_mean

EPOCHS_OF_LIGHTNING = 1000  # where the configuration gives none


def check_fit(cli: ImbalCLI, built: Namespace, stages: list[Namespace]) -> None:
    """Refuses a stage that is about to start, and those that come after it, in which it could not end well.

    Args:
        cli: Has read the configurations.
        built: Data and model of the first of the stages.
        stages: Its configuration and those of the stages after it.

    Raises:
        UserError: Something cannot work; the message names it and says the mend.
    """
    with as_user_error():
        built.model.check_first()
        with isolate_rng():
            for config, following in zip(stages, stages[1:], strict=False):
                check_stage(config, False, built)
                later = cli.build(following)
                later.model.check_earlier(built.model)
                check_unseen(built.data, later.data)
                built = later
        check_stage(stages[-1], True, built)
    report_missing_classes(built.data)


def check_stage(config: Namespace, last: bool, built: Namespace) -> None:
    """Refuses one stage of `fit`.

    Args:
        config: Its configuration.
        last: Whether it is the one that will be tested.
        built: Its data and model.
    """
    model, data = built.model, built.data
    if last and not model.classifies:
        raise UserError(
            f"{type(model).__name__} learns no classifier that could be tested: add a second stage with "
            "then: {model: {class_path: FrozenHead}}."
        )
    if not last and config.trainer.fast_dev_run:
        raise UserError(
            "fast_dev_run writes no checkpoint for the second stage: "
            "use --trainer.max_epochs 1 --trainer.limit_train_batches 2 instead."
        )
    if config.monitor and model.classifies:
        check_monitor(config.monitor, "monitor", model, data)
    check_split(data)
    model.check(data)
    data.train_samplers()
    max_epochs = config.trainer.max_epochs or EPOCHS_OF_LIGHTNING
    optimizers = model.build_optimizers(max_epochs)
    model.set_epoch(1, max_epochs)
    if isinstance(optimizers, tuple) and (score := optimizers[1][0]["monitor"]):
        check_monitor(score, "scheduler.monitor", model, data)


def check_monitor(score: str, option: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses to wait for a score that nobody will compute."""
    if not len(data.rows("val")):
        raise UserError(
            f"There is no validation part to find the best {score} on: "
            f"give the split one (--data.split.val 0.1), or set {option} to null."
        )
    known = model.validation_scores()
    if score not in known:
        hint = did_you_mean(score, known) or f"there are {', '.join(known[:10])}."
        raise UserError(f"{option} is {score!r}, which is no score of the validation part: {hint}")


def check_evaluation(part: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses what `test` (part `test`), `validate` (part `val`) and `predict` (no part) cannot do.

    Raises:
        UserError: The checkpoint has no classifier, its classes are not those of the data, or the part is empty.
    """
    if not model.classifies:
        raise UserError(
            f"The checkpoint is a {type(model).__name__}, which has no classifier: give that of the second stage."
        )
    with as_user_error():
        model.check_inference(data)
    if part and list(data.class_names) != model.class_names:
        raise UserError(
            f"The checkpoint knows the classes {', '.join(model.class_names)}, but {type(data).__name__} has "
            f"{', '.join(data.class_names)}: give data with the same classes."
        )
    if part and not len(data.rows(part)):
        raise UserError(f"The split has no {part} part: give it one, such as --data.split.{part} 0.1.")


@contextmanager
def as_user_error() -> Iterator[None]:
    """What losses, heads and predictors refuse with a ValueError is the user's to mend."""
    try:
        yield
    except ValueError as error:
        raise UserError(str(error)) from error
