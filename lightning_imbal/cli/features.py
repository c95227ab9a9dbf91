"""`lightning_imbal features`: a frozen network sees all pictures once, and what it makes of them is stored."""

import time
from collections.abc import Iterable
from pathlib import Path

from jsonargparse import Namespace

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.backbones.trial import check_size
from lightning_imbal.cli.parts.absent import named_checkpoint
from lightning_imbal.cli.parts.check import check_test_size
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.encoding import encode_all, trainer_of
from lightning_imbal.cli.parts.evaluation import read_checkpoint
from lightning_imbal.cli.parts.laptop import laid
from lightning_imbal.cli.parts.own_data import with_images_found, with_protocol
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.run_dir import folder_of
from lightning_imbal.cli.parts.seed import seed
from lightning_imbal.cli.parts.trained import check_places
from lightning_imbal.cli.parts.verb_options import features as features_parser
from lightning_imbal.cli.parts.weights import choose_normalization, choose_weights
from lightning_imbal.command_line import parse_options
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.checks import check_pictures
from lightning_imbal.data.features.stored import StoredFeatures, size_text
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_checkpoint import load_weights
from lightning_imbal.modules.base_first_stage import load_parts
from lightning_imbal.modules.base_stored import network_facts
from lightning_imbal.runs.folder import best_checkpoint, first_free, is_stored, stage_of
from lightning_imbal.runs.run import Run
from lightning_imbal.wording import duration_text

PROBE = "heads/linear_probe.yaml"


def run(args: list[str]) -> int:
    """Runs `features` and returns the exit status."""
    given, options = features_parser().parse_known_args(args[1:])
    refuse_below(0, **{"--views": given.views})
    options = [part for file in given.config for part in ("--config", file)] + options
    checkpoint = Path(named_checkpoint("features", args[1:])) if given.ckpt_path else None
    checkpoint = checkpoint or (_first_stage(Path(given.run)) if given.run else None)
    if checkpoint is None and not options:
        raise UserError("`features` needs a network: lightning_imbal features RUN, or --config FILE as for `fit`.")
    began = time.monotonic()
    config, built = _of_checkpoint(str(checkpoint), options) if checkpoint else _of_configuration(options)
    home = Path(given.run) if given.run else stage_of(checkpoint) if checkpoint else folder_of(options)
    out = Path(given.out) if given.out else home / "features"
    refuse_unwritable("--out", out, folder=True)
    data, model = built.data, built.model
    _check(model, data)
    facts = data.features_facts(given.views)
    facts |= network_facts(model.backbone, model.hparams.get("backbone"), data.image_size)
    if is_stored(out):
        found = StoredFeatures(out)
        found.check(facts, data.table, augmented=True)
        print(f"They are there already: {size_text(found.facts)}.")
    else:
        if out.exists() and any(out.iterdir()):
            raise UserError(f"{out} holds something else: give another --out, such as {first_free(out)}.")
        check_pictures(data)
        whole = encode_all(trainer_of(built.trainer), model.backbone, data, facts, given.views, out)
        print(f"Features: {out} ({size_text(whole)}), in {duration_text(time.monotonic() - began)}.")
    print(next_command("fit", *_further(config, model, given.run, checkpoint, options, out)))
    return 0


def _first_stage(run: Path) -> Path:
    """The checkpoint of the first stage of a run, whose backbone those after it keep."""
    stages = Run(run).stages
    checkpoint = best_checkpoint(run, [stage.folder for stage in stages[:1]])
    if not checkpoint.is_file():
        raise UserError(
            f"There is no checkpoint {checkpoint}: give the folder that `fit` wrote to, with its checkpoints."
        )
    return checkpoint


def _of_checkpoint(checkpoint: str, options: list[str]) -> tuple[Namespace, Namespace]:
    """Configuration, data and network of what was trained."""
    cli = ImbalCLI("test")
    config = read_checkpoint(cli, ["--ckpt_path", checkpoint, *options])
    seed(config)
    check_places(config, "`features` looks at them")
    built = cli.build(config)
    load_weights(built.model, checkpoint)
    return config, built


def _of_configuration(options: list[str]) -> tuple[Namespace, Namespace]:
    """Configuration, data and network of the first stage of a `fit`, with the weights that it begins with.

    Raises:
        UserError: Those are random.
    """
    cli = ImbalCLI("fit")
    config = cli.read(laid(cli, with_protocol(with_images_found(options))))
    if "features" in config.data.init_args:
        config.data.init_args.features = None  # those of another network
    choose_weights(config)
    choose_normalization(config)
    seed(config)
    built, arguments = cli.build(config), config.model.init_args
    if backbone := arguments.get("backbone_ckpt"):
        load_parts(Path(backbone), {"backbone": built.model.backbone})
    elif not arguments.get("pretrained"):
        raise UserError(
            "The features of a network of random weights tell nothing: give model.pretrained=FILE (or true), the "
            "folder of a finished run, or --ckpt_path FILE."
        )
    return config, built


def _check(model: ImbalModule, data: ImbalDataModule) -> None:
    """Refuses a network that looks at more than pictures, and pictures that it cannot take."""
    if getattr(model, "features_beside", 0):
        raise UserError(
            f"{type(model).__name__} looks at attributes of the images as well, and stored features are of pictures "
            "alone: give a run of Classifier."
        )
    if getattr(model, "features_of_image", 1) > 1:
        raise UserError(
            f"{type(model).__name__} has a network of two branches, and stored features are of one: give a run of "
            "another method."
        )
    check_size(model.backbone.eval(), data.image_size, data.batch_size)
    check_test_size(model, data)


def _further(
    config: Namespace, model: ImbalModule, run: str | None, checkpoint: Path | None, options: list[str], out: Path
) -> list[str]:
    """The command line of a `fit` of a linear probe on the features, or of what the configuration trains on them."""
    given = parse_options(options)
    if checkpoint is None:
        files = [value for name, value in given if name == "config"]
        words = [*_written([("config", file) for file in files + ([] if model.freezes_backbone else [PROBE])])]
        words += ["--then", "null"] if config.then else []
        return [*words, *_written(each for each in given if each[0] != "config"), "--data.features", str(out)]
    home = stage_of(Path(checkpoint))
    configs = [("config", str(home / "config.yaml")), ("config", PROBE), *given]
    begun = [("then", "null"), ("model.backbone_ckpt", str(checkpoint)), ("data.features", str(out))]
    name = f"{Path(run) if run else home}-linear_probe"
    return _written([*configs, *begun, ("run_dir", str(first_free(Path(name))))])


def _written(options: Iterable[tuple[str, str]]) -> list[str]:
    return [part for name, value in options for part in (f"--{name}", value)]
