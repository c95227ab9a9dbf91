"""What is refused before training or testing starts, because it could only fail hours later: each object is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from jsonargparse import Namespace
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.backbones.sizes import built_size
from lightning_imbal.backbones.trial import check_size, evaluating
from lightning_imbal.cli.parts.check_callbacks import check_averaging, check_callbacks, tell_unused
from lightning_imbal.cli.parts.check_schedule import check_schedule
from lightning_imbal.cli.parts.check_trainer import check_options
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.trainer import chosen_callbacks
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.checks import check_split, check_unseen
from lightning_imbal.errors import UserError
from lightning_imbal.export.inference import input_size
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_optimizers import check_search
from lightning_imbal.runs.identity import listed
from lightning_imbal.wording import did_you_mean, number_of

LOCKED = "The test part is locked, as in the training: unlock it with data.lock_test=false, once all is chosen."
EPOCHS_OF_LIGHTNING = 1000  # where the configuration gives none


def check_fit(cli: ImbalCLI, built: Namespace, stages: list[Namespace]) -> list[Namespace]:
    """Refuses a run that is about to start, one of whose stages could not end well.

    Args:
        cli: Has read the configurations.
        built: Data and model of the first stage.
        stages: The configurations of all.

    Returns:
        Data and model of each stage.

    Raises:
        UserError: Something cannot work; the message names it and says the mend.
    """
    every = [built]
    before: ImbalDataModule | None = None
    with as_user_error():
        # A stage that goes on has the weights in its checkpoint, and was built without.
        if not (stages[0].ckpt_path and stages[0].model.init_args.get("pretrained")):
            built.model.check_first()
        with isolate_rng():
            for config, following in zip(stages, stages[1:], strict=False):
                check_stage(config, False, built, before)
                check_devices(config.trainer, following.trainer)
                later, before = cli.build(following), built.data
                later.model.check_earlier(built.model)
                check_unseen(before, later.data)
                every.append(built := later)
        check_stage(stages[-1], True, built, before)
    return every


def check_stage(config: Namespace, last: bool, built: Namespace, before: ImbalDataModule | None) -> None:
    """Refuses one stage of `fit`.

    Args:
        config: Its configuration.
        last: Whether it is the one that will be tested.
        built: Its data and model.
        before: The data of the stage before it, if there is one.
    """
    model, data = built.model, built.data
    if last and not model.classifies:
        raise UserError(
            f"{type(model).__name__} learns no classifier that could be tested: add a second stage with "
            "then: {model: {class_path: FrozenHead}}."
        )
    check_length(config.trainer)
    if config.monitor and model.classifies:
        check_monitor(config.monitor, "monitor", model, data)
        check_validated(config.trainer)
        check_averaging(chosen_callbacks(built), config.monitor)
    tell_unused(listed(built.trainer.callbacks), model)
    check_callbacks(chosen_callbacks(built), model)
    for callback in chosen_callbacks(built):
        if score := getattr(callback, "monitor", None):
            check_callback(type(callback).__name__, score, model, data)
    check_difficulty(config.trainer, model)
    check_split(data)
    model.check(data)
    drawn = min(len(sampler) for sampler in data.train_samplers())
    batches = 1 if model.whole_batches else max(drawn // data.batch_size, 1)
    check_options(built.trainer, batches)
    if model.whole_batches:
        check_search(built.trainer)
    if before is None or not model.freezes_backbone or sides_of(data) != sides_of(before):  # else it has taken them
        check_size(model.backbone, data.image_size, min(data.batch_size, drawn))
        check_test_size(model, data)
    max_epochs = config.trainer.max_epochs or EPOCHS_OF_LIGHTNING
    steps = max_epochs * -(-batches // (config.trainer.accumulate_grad_batches or 1))
    optimizers = model.build_optimizers(max_epochs, lambda: steps)
    model.set_epoch(1, max_epochs)
    if isinstance(optimizers, tuple):
        check_schedule(optimizers[1][0], steps, config, model)
        if score := optimizers[1][0]["monitor"]:
            check_monitor(score, "scheduler.monitor", model, data)


def check_test_size(model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses pictures that the network cannot take as they are tested, which may be of another size."""
    trained, tested = sides_of(data)
    if tested != trained or built_size(model.backbone):
        with evaluating(model.backbone):
            check_size(model.backbone, tested, 1)


def sides_of(data: ImbalDataModule) -> tuple[int, int]:
    """Sides of the pictures in training and in a test, in pixels."""
    return data.image_size, input_size(data.test_recipe)[0]


def check_length(trainer: Namespace) -> None:
    """Refuses a training whose number of epochs is open."""
    epochs, limited = trainer.max_epochs, trainer.max_steps != -1 or trainer.max_time is not None
    if epochs == -1 or (epochs is None and limited):
        raise UserError(
            f"trainer.max_epochs is {-1 if epochs else 'null'}, so that no schedule knows its length: give the number "
            "of epochs, --trainer.max_steps and --trainer.max_time may end the training earlier."
        )
    for name in ("limit_train_batches", "max_steps", "max_time"):
        value = trainer[name]
        if value is not None and value in (0, "00:00:00:00"):
            raise UserError(f"trainer.{name} is {value}, which trains nothing: give more, or leave it out.")
    if epochs is not None and epochs < 1:
        raise UserError(f"trainer.max_epochs is {epochs}, which trains nothing: give 1 or more.")


def check_devices(first: Namespace, second: Namespace) -> None:
    """Refuses stages on different devices: the processes of a run go through all of them."""
    for name in ("devices", "num_nodes"):
        if first[name] != second[name]:
            raise UserError(
                f"trainer.{name} is {first[name]} in one stage and {second[name]} in the next, but a run trains all "
                "its stages on the same devices: give the same number."
            )


def check_validated(trainer: Namespace) -> None:
    """Refuses to choose the best of epochs none of which is validated."""
    every, epochs = trainer.check_val_every_n_epoch or 1, trainer.max_epochs or EPOCHS_OF_LIGHTNING
    if trainer.limit_val_batches == 0:
        never = "--trainer.limit_val_batches is 0"
    elif every > epochs and not trainer.fast_dev_run:
        never = f"--trainer.check_val_every_n_epoch is {every}, of {number_of(epochs, 'epoch')}"
    else:
        return
    raise UserError(
        f"No epoch would be validated ({never}), so that none is the best: validate, or set monitor to null."
    )


def check_difficulty(trainer: Namespace, model: ImbalModule) -> None:
    """Refuses a loss that waits for scores of the validation part where nothing is validated."""
    if trainer.limit_val_batches == 0 and (waits := [loss for loss in model.losses() if loss.needs_difficulty]):
        raise UserError(
            f"{type(waits[0]).__name__} weighs classes by their F1 on the validation part, but "
            "--trainer.limit_val_batches is 0: validate, or choose another loss."
        )


def check_callback(name: str, score: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses a callback that waits for a score of the validation part which a stage does not compute."""
    if not score.startswith("val/"):
        return
    if not model.classifies:
        raise UserError(
            f"{name} waits for {score}, but {type(model).__name__} has no classifier yet that could be scored: "
            "give the callback to the second stage alone, as then: {trainer: {callbacks: [...]}}."
        )
    check_monitor(score, f"The monitor of {name}", model, data)


def check_monitor(score: str, option: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses to wait for a score that nobody will compute."""
    if not len(data.rows("val")):
        raise UserError(
            f"There is no validation part to find the best {score} on: "
            f"give the split one (--data.split.val 0.1), or set {option} to null."
        )
    known = model.validation_scores()
    if score not in known:
        of_all = [name for name in known if name.count("/") == score.count("/")]
        hint = did_you_mean(score, of_all) or did_you_mean(score, known) or f"there are {', '.join(known[:10])}."
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
    if part == "test" and data.lock_test:
        raise UserError(LOCKED)
    if part and not len(data.rows(part)):
        raise UserError(f"The split has no {part} part: give it one, such as --data.split.{part} 0.1.")


@contextmanager
def as_user_error() -> Iterator[None]:
    """What losses, heads and predictors refuse with a ValueError is the user's to mend."""
    try:
        yield
    except ValueError as error:
        raise UserError(str(error)) from error
