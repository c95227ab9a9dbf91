"""What every `fit` imports and reads, done before it is known which one it will be."""

import os
from importlib import import_module

from lightning_imbal.cli.parts.allocator import without_garbage

ROOMS = ("callbacks", "losses", "mixers", "modules", "predictors", "samplers", "schedulers")
LATER = "wandb.apis.public"  # which W&B would import, with all that it needs for its queues, when a run begins


def read_ahead() -> None:
    """Imports all of it, and reads an experiment; no number is drawn and nothing is computed."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # as `quiet` does, before it is imported
    with without_garbage(alone=True):
        for name in (*(f"lightning_imbal.{room}" for room in ("cli.fit", "cli.test", *ROOMS)), LATER):
            import_module(name)
        _read_demo()


def _read_demo() -> None:
    """Has the parsers of classes, their sources and the names of methods in the caches."""
    from lightning_imbal.cli.parts import first_look
    from lightning_imbal.cli.parts.parser import ImbalCLI
    from lightning_imbal.experiment_files import folders
    from lightning_imbal.runs.method_names import method_name

    arguments = ["--config", str(folders()[-1] / "demo.yaml")]
    first_look.check("fit", arguments)
    ImbalCLI("fit").read(arguments)
    method_name([{}, {}])
