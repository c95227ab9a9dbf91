"""What `validate`, `test`, `predict` and `export` share: the network and the data of a checkpoint."""

from pathlib import Path

from jsonargparse import Namespace

from lightning_imbal.cli.parts import run_dir
from lightning_imbal.cli.parts.check import check_evaluation, check_test_size
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.seed import seed
from lightning_imbal.cli.parts.show import show_results
from lightning_imbal.cli.parts.trained import check_places, with_saved_config
from lightning_imbal.cli.parts.trained_images import chosen_by, count_trained
from lightning_imbal.cli.parts.trainer import evaluation_trainer
from lightning_imbal.cli.parts.validation import predict_validation
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.modules.base_checkpoint import load_weights
from lightning_imbal.runs.identity import as_split
from lightning_imbal.runs.pooling import check_units
from lightning_imbal.runs.predictions import units_of
from lightning_imbal.trained.settings import brought_by


def read_checkpoint(cli: ImbalCLI, args: list[str], from_features: bool = False) -> Namespace:
    """The configuration of an evaluation: what was saved beside the checkpoint or in it, below the command line.

    Args:
        cli: Reads it.
        args: Command line without the verb.
        from_features: Whether features that were stored of the pictures may be looked at in their place.
    """
    with with_saved_config(cli.verb, args) as whole:
        config = cli.read(whole)
    for name, nothing in brought_by(config.ckpt_path).items():
        if name in config.model.init_args:
            config.model.init_args[name] = nothing
    if not from_features and "features" in config.data.init_args:
        config.data.init_args.features = None
    return config


def check_poolable(data: LabelledImages) -> None:
    """Refuses test images that cannot be pooled, before they are tested."""
    tested = data.table.iloc[data.rows("test")]
    image = tested["image"].astype("str")
    check_units(image.to_numpy(), units_of(image, as_split(data.table))[0].to_numpy(), tested["class"].to_numpy())


def evaluate(verb: str, part: str, args: list[str]) -> int:
    """Runs `test` or `validate` on a part of the data, writes and prints the results, and returns the exit status."""
    cli = ImbalCLI(verb)
    config = read_checkpoint(cli, args[1:], from_features=True)
    seed(config)
    check_places(config, f"`{verb}` looks at them")
    built = cli.build(config)
    check_evaluation(part, built.model, built.data)
    check_test_size(built.model, built.data)
    if config.get("pool"):
        check_poolable(built.data)
    trained = count_trained(config.ckpt_path, part, built.data, config.allow_trained_images)
    chosen = chosen_by(config.ckpt_path, built.model, built.data) if part == "val" else {}
    load_weights(built.model, config.ckpt_path)
    dev_run = built.trainer.fast_dev_run  # a few batches have no results
    results = run_dir.for_results(config, args, verb)
    trainer = evaluation_trainer(config, built, None if dev_run else results, trained, chosen)
    options = {name: built[name] for name in cli.trainer_arguments}
    if verb == "test" and not dev_run:
        predict_validation(trainer, built.model, built.data, config.ckpt_path)
    getattr(trainer, verb)(built.model, datamodule=built.data, **options)
    if not dev_run:
        show_results(Path(results), built.model)
    return 0
