"""ImbalCLI: LightningCLI that trains a method's stages one after the other, then tests the last one."""

import os
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.callbacks.class_panels import ClassF1Panels
from lightning_imbal.callbacks.results import ResultsWriter
from lightning_imbal.callbacks.test_features import SaveFeatures
from lightning_imbal.cli.parts import check, run_dir
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.predict_folder import folder_to_csv
from lightning_imbal.cli.parts.stages import is_stage, merged
from lightning_imbal.cli.parts.trainer import checkpoints, loggers
from lightning_imbal.command_line import given
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.loggers.weights_and_biases import finish_wandb
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.report.terminal import print_runs


class ImbalCLI(LightningCLI):
    """Runs `fit` (every stage, then the test), `validate`, `test` and `predict`.

    A stage is a complete configuration. `then` holds how the second stage differs from the first; it is checked before
    the first one starts.

    Args:
        args: The command line without the program's name.
    """

    def __init__(self, args: list[str]) -> None:
        self.stage = 1
        self.args = run_dir.with_saved_config(args)
        strict = {"exit_on_error": False, "allow_abbrev": False}
        super().__init__(
            ImbalModule,
            ImbalDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            seed_everything_default=0,
            save_config_kwargs={"overwrite": True},
            parser_kwargs=strict | dict.fromkeys(self.subcommands(), strict),
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Adds the run's folder, the second stage, the checkpoint rule, and the links from the data to the model."""
        parser.add_argument("--run_dir", type=str | None, help="Folder of the run; null: runs/<names of configs>.")
        parser.add_argument("--then", type=dict | str | None, help="How the next stage differs, or a file with it.")
        parser.add_argument("--monitor", type=str | None, help="Validation score whose best epoch is kept; null: last.")
        parser.add_argument("--monitor_mode", type=str, default="max", help="max or min of the monitored score.")
        parser.add_argument("--save_features", type=bool, default=False, help="Keep the test images' features.")
        for name in ("class_counts", "class_names", "class_groups"):
            target = f"model.init_args.{name}"
            parser.link_arguments("data", target, compute_fn=getattr(self, f"_{name}"), apply_on="instantiate")

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand in ("test", "validate"):
            parser.set_defaults({"verbose": False})  # the table of the classes is printed instead
        if subcommand == "predict":
            parser.add_argument("--images", type=str, required=True, help="Folder of pictures, searched below too.")
            parser.add_argument("--output", type=str, default="predictions.csv", help="The CSV file to write.")
        return parser

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses every stage before the first one starts."""
        run_dir.check_yaml(self.args)
        self.config = parser.parse_args(self.args)
        self.subcommand = self.config.subcommand
        config = self.config[self.subcommand]
        if self.subcommand == "fit":
            run_dir.use_local_weights(config)
            config.then = merged(config, given("then", self.args))
            following = self.next_stage(config)
            while following is not None:
                following = self.next_stage(following)
            self.run = run_dir.prepare(config)
        else:
            # All weights come from the checkpoint.
            for name, nothing in {"pretrained": False, "backbone_ckpt": None}.items():
                if name in config.model.init_args:
                    config.model.init_args[name] = nothing

    def _parse_ckpt_path(self) -> None:
        """The saved configuration is laid below the command line instead, so that the command line wins."""

    def next_stage(self, config: Namespace) -> Namespace | None:
        """Merges `then` into a stage's configuration: that of the next stage, or None after the last."""
        if not is_stage(config.then):
            return None
        base = config.clone()
        base.then = None
        # Several views and pairs of images are for the training step of the first stage.
        for name, value in {"views": 1, "more_views": None, "paired_sampler": None}.items():
            base.data.init_args[name] = value
        return self._parser("fit").parse_object(config.then, base)

    def _class_counts(self, data: ImbalDataModule) -> list[int]:
        return data.class_counts if self.subcommand == "fit" else self._trained_with("class_counts")

    def _class_names(self, data: ImbalDataModule) -> list[str]:
        return list(data.class_names) if self.subcommand == "fit" else self._trained_with("class_names")

    def _class_groups(self, data: ImbalDataModule) -> dict[str, list[str]] | None:
        return data.class_groups if self.subcommand == "fit" else self._trained_with("class_groups")

    def _trained_with(self, name: str) -> Any:
        """What the checkpoint was trained with: a test on other data must not change it."""
        ckpt_path = self.config[self.subcommand].ckpt_path
        return torch.load(ckpt_path, map_location="cpu", weights_only=True, mmap=True)["hyper_parameters"][name]

    def instantiate_classes(self) -> None:
        """Builds data, model and trainer; an argument that one of them refuses is the user's to mend."""
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise cause(error) from error

    @property
    def folder(self) -> Path:
        """Where this stage writes its configuration, checkpoints and curves."""
        return self.run / f"stage{self.stage}"

    @property
    def _monitor(self) -> str | None:
        """The score that chooses the epoch; a stage without a classifier has none and keeps its last epoch."""
        return self.config.fit.monitor if isinstance(self.model, ImbalClassifier) else None

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Adds loggers, checkpoints and result files, all below the run's folder."""
        config = self._get(self.config_init, "trainer")
        chosen = config.get("callbacks") or []
        callbacks = [*chosen] if isinstance(chosen, list) else [chosen]
        callbacks += [SaveFeatures()] if self.config[self.subcommand].save_features else []
        self._check()
        if self.subcommand == "fit":
            kwargs["default_root_dir"] = self.folder
            callbacks += [
                *checkpoints(self.folder / "checkpoints", self._monitor, self.config.fit.monitor_mode),
                LearningRateMonitor(logging_interval="epoch"),
                ClassF1Panels(),
                ResultsWriter(self.run, self._identity()),
            ]
            kwargs["logger"] = loggers(self.folder, self.run.name, config.get("logger"))
        else:
            self.save_config_callback = None
            kwargs["logger"] = False
            if self.subcommand != "predict":
                self.results = run_dir.for_results(self.config[self.subcommand], self.args, self.subcommand)
                callbacks.append(ResultsWriter(self.results, self._identity()))
        return super().instantiate_trainer(callbacks=callbacks, **kwargs)

    def _check(self) -> None:
        """Refuses what cannot work before anything is written; in the first stage, for all later stages too."""
        config = self.config[self.subcommand]
        if self.subcommand != "fit":
            part = {"test": "test", "validate": "val", "predict": ""}[self.subcommand]
            check.check_evaluation(part, self.model, self.datamodule)
            return
        run_dir.refuse_other_method(self.folder, config)
        model, data = self.model, self.datamodule
        check.check_start(config, model)
        with isolate_rng():
            while (following := self.next_stage(config)) is not None:
                check.check_stage(config, False, model, data)
                built = self._parser("fit").instantiate_classes(following)
                check.check_following(model, data, built.model, built.data)
                config, model, data = following, built.model, built.data
        check.check_stage(config, True, model, data)
        check.report_missing_classes(data)

    def _identity(self) -> dict[str, Any]:
        config = self.config[self.subcommand]
        split = self.datamodule.split
        return {
            "name": self.run.name if self.subcommand == "fit" else Path(config.run_dir).name,
            "method": type(self.model).__name__,
            "data": type(self.datamodule).__name__,
            "split": {"kind": type(split).__name__, **vars(split), "group_by": self.datamodule.group_by},
            "seed": config.seed_everything,
            "checkpoint": None if self.subcommand == "fit" else str(config.ckpt_path),
        }

    def after_fit(self) -> None:
        """Goes on with the next stage, or tests the last one and prints its table."""
        checkpoints = self.trainer.checkpoint_callback
        best = checkpoints.best_model_path or checkpoints.last_model_path
        if (following := self.next_stage(self.config.fit)) is not None:
            finish_wandb()
            self._start(following, best)
            return
        if self.trainer.limit_test_batches and not self.trainer.fast_dev_run:
            self.trainer.test(self.model, datamodule=self.datamodule, ckpt_path=best, verbose=False)
            self._print_table(self.run)
        finish_wandb()

    def _start(self, following: Namespace, backbone_ckpt: str) -> None:
        if "backbone_ckpt" in following.model.init_args:
            following.model.init_args.backbone_ckpt = os.path.relpath(backbone_ckpt)
        self.config.fit = following
        self.stage += 1
        del self.config_dump  # LightningCLI keeps the first stage's for the hyper-parameters
        self._set_seed()
        earlier = self.datamodule
        self.instantiate_classes()
        self.datamodule.share_images(earlier)
        self._run_subcommand("fit")

    def after_test(self) -> None:
        """Prints the table of the tested checkpoint."""
        self._print_table(self.results)

    def after_validate(self) -> None:
        """Prints the table of the validated checkpoint."""
        self._print_table(self.results)

    def predict(self, **kwargs: Any) -> None:
        """Writes a CSV of the predictions for a folder of images."""
        config = self.config.predict
        folder_to_csv(self.trainer, self.model, self.datamodule, config)

    @rank_zero_only
    def _print_table(self, folder: Path) -> None:
        beside = [str(folder / name) for name in self.model.side_reports if (folder / name).is_dir()]
        print_runs([str(folder)])
        if beside:
            print_runs([*beside, str(folder)])
        print(f"Results: {folder}")
