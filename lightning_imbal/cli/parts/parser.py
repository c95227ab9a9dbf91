"""ImbalCLI: LightningCLI that reads the configurations of a verb, and builds what one of them says."""

from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import Any, Literal

import yaml
from jsonargparse import Namespace, set_dumper
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from lightning_imbal.cli.parts import run_dir
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.nulls import refuse_null
from lightning_imbal.cli.parts.stages import is_stage, layers, merged
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import DUMPER, LOADER, with_files_found
from lightning_imbal.factories.arguments import ImbalParser
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.runs.identity import is_own, listed
from lightning_imbal.trained.depth import take_depth
from lightning_imbal.trained.settings import saved_fact

# Defaults of Lightning's own classes, such as the interval of a Timer, in config.yaml.
for kind in (yaml.SafeDumper, DUMPER):
    kind.add_multi_representer(Enum, lambda dumper, value: dumper.represent_data(value.value))
set_dumper("yaml", partial(yaml.dump, Dumper=DUMPER, default_flow_style=False, allow_unicode=True, sort_keys=False))
FACTS: dict[str, Callable[[ImbalDataModule], Any]] = {  # of the data, that a model is built with
    "class_counts": lambda data: data.class_counts,
    "class_names": lambda data: list(data.class_names),
    "class_groups": lambda data: data.class_groups,
    "metadata_encoding": lambda data: data.metadata_encoding,
    "image_size": lambda data: data.image_size,
    "architecture": lambda data: None,  # which the name of the backbone says
}
LAPTOP = (
    "Lay variants/laptop.yaml over your own images (a protocol with CSVData or FolderData), with batches and epochs by "
    "their number; null: if no GPU is found. In the folder of a run: whether it was laid."
)
PRINT_PLAN = "--print_plan"
DESCRIPTIONS = {
    "fit": "Runs the full optimization routine.",
    "validate": "Perform one evaluation epoch over the validation set.",
    "test": "Perform one evaluation epoch over the test set.",
    "predict": "Run inference on your data.",
}


class ImbalCLI(LightningCLI):
    """Reads command lines of a verb: the options of Trainer, model and data, and our own.

    The constructor only makes the parser. Any number of command lines can be read with it, and of any configuration
    the data and the model can be built; training and testing are the verbs'.

    Args:
        verb: `fit`, `validate`, `test` or `predict`.
    """

    def __init__(self, verb: str) -> None:
        self.verb = verb
        strict = {"exit_on_error": False, "allow_abbrev": False}
        super().__init__(
            ImbalModule,
            ImbalDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            seed_everything_default=0,
            parser_kwargs=strict | {"prog": f"lightning_imbal [options] {verb}", "description": DESCRIPTIONS[verb]},
            args=[],
            run=False,
            parser_class=ImbalParser,
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Leaves the reading to `read`: nothing is to be seeded or built yet."""
        self.config = Namespace(seed_everything=False)

    def instantiate_classes(self) -> None:
        """Leaves the building to `build`."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Adds the run's folder, the second stage, the checkpoint rule, and the links from the data to the model."""
        parser.add_argument("--run_dir", type=str | None, help="Folder of the run; null: runs/<names of configs>.")
        parser.add_argument("--then", type=dict | str | None, help="How the next stage differs, or a file with it.")
        parser.add_argument("--monitor", type=str | None, help="Validation score whose best epoch is kept; null: last.")
        parser.add_argument("--monitor_mode", type=Literal["max", "min"], default="max", help="Of the monitored score.")
        parser.add_argument("--save_features", type=bool, default=False, help="Keep the test images' features.")
        parser.add_argument("--laptop", type=bool | None, help=LAPTOP if self.verb == "fit" else SUPPRESS)
        tuned = "How settings were searched, as best.yaml of `tune` says it." if self.verb == "fit" else SUPPRESS
        parser.add_argument("--tuned", type=dict | None, help=tuned)
        if self.verb == "fit":  # which takes it off the command line itself: it is no setting of a run
            what = "Print every setting, the file it is from and what it won over, and train nothing."
            parser.add_argument("--print_plan", action="store_true", default=SUPPRESS, help=what)
        for name in FACTS:
            target = f"model.init_args.{name}"
            parser.link_arguments("data", target, compute_fn=self._fact(name), apply_on="instantiate")
        skip = set(self.subcommands()[self.verb])
        self.trainer_arguments = parser.add_method_arguments(Trainer, self.verb, skip=skip)
        if self.verb in ("test", "validate"):
            parser.set_defaults({"verbose": False})  # the table of the classes is printed instead
        if self.verb != "predict":
            allow = "Evaluate also on images that the checkpoint was trained on; every report says so."
            parser.add_argument("--allow_trained_images", type=bool, default=False, help=allow)
        if self.verb in ("test", "predict"):
            what = "Count all images of a group (lesion, patient) as one, with the mean or maximum of probabilities."
            parser.add_argument("--pool", type=Literal["mean", "max"] | None, help=what)
        if self.verb == "predict":
            parser.add_argument("--images", type=str, required=True, help="Folder of pictures, searched below too.")
            parser.add_argument("--output", type=str, default="predictions.csv", help="The CSV file to write.")
            answers = "Answer by a decision.json of `decide`, not by the largest probability."
            parser.add_argument("--decision", type=str | None, help=answers)

    def _fact(self, name: str) -> Callable[[ImbalDataModule], Any]:
        """What a model is built with: that of the data, or what its checkpoint was trained with."""

        def fact(data: ImbalDataModule) -> Any:
            return FACTS[name](data) if self.verb == "fit" else saved_fact(self.config.ckpt_path, name)

        fact.__name__ = name  # which the help shows
        return fact

    def read(self, arguments: Sequence[str]) -> Namespace:
        """The configuration of a command line without its verb; `then` is whole.

        Raises:
            ArgumentError: An option is unknown, or a value does not fit.
            UserError: A file is not there or no YAML, or `then` is no stage.
        """
        arguments = with_files_found(arguments)
        run_dir.check_yaml(arguments)
        config = self.parser.parse_args(arguments)
        if not isinstance(config.trainer, Namespace):
            raise UserError(f"trainer must hold options such as max_epochs, but is {config.trainer!r}.")
        refuse_null(config, frozenset(FACTS))
        if self.verb == "fit":
            config.then = merged(layers(arguments))
        return config

    def stages(self, first: Namespace) -> Iterator[Namespace]:
        """The complete configuration of every stage of a `fit`, the first one included, each made of that before it."""
        config: Namespace | None = first
        while config is not None:
            yield config
            config = self.next_stage(config)

    def next_stage(self, config: Namespace) -> Namespace | None:
        """Merges `then` into a stage's configuration: that of the next stage, or None after the last."""
        if not is_stage(config.then):
            return None
        base = config.clone()
        base.then = None
        # Several views and pairs of images are for the training step of the first stage.
        for name, value in {"views": 1, "more_views": None, "paired_sampler": None}.items():
            base.data.init_args[name] = value
        # What the user adds is for every stage, a callback of this package for the schedule that it was given with.
        base.trainer.callbacks = [each for each in listed(base.trainer.callbacks) if not is_own(each)] or None
        return self.parser.parse_object(config.then, base)

    def build(self, config: Namespace) -> Namespace:
        """Builds data and model of a configuration, and the parts of its Trainer, in a copy of it.

        Raises:
            UserError: One of them refuses an argument.
        """
        self.config = config
        # From which LightningCLI takes the hyper-parameters; by itself it would validate all anew.
        dumped = self.parser.dump(config, "yaml", skip_unset=False, skip_link_targets=False, skip_validation=True)
        self.config_dump = yaml.load(dumped, LOADER)
        try:
            built = self.parser.instantiate_classes(config)
        except ValueError as error:
            raise cause(error) from error
        if self.verb != "fit":
            take_depth(built.data, config.ckpt_path)
        return built
