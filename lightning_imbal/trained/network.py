"""The network and the data of a checkpoint, built without a command line."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError
from lightning.pytorch.utilities.seed import isolate_rng

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.errors import UserError, refusal_in
from lightning_imbal.factories.arguments import ImbalParser
from lightning_imbal.factories.own_classes import working_folder_searched
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_checkpoint import load_weights, open_checkpoint
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.fit import tell_normalization
from lightning_imbal.trained.depth import take_depth
from lightning_imbal.trained.settings import (
    LEFT_OUT,
    OF_BACKBONE,
    OF_ITS_PICTURES,
    OF_SOME,
    OF_TRAINER,
    brought_by,
    saved_fact,
    settings_of,
)
from lightning_imbal.trained.transforms import Transforms
from lightning_imbal.wording import first_line

FACTS = ("class_counts", "class_names", "class_groups")  # of the data that it was trained on


def load_network(checkpoint: Path, root: str | None = None) -> ImbalClassifier:
    """The classifier of a checkpoint in evaluation mode, with its `transforms`.

    Args:
        checkpoint: The file.
        root: Where its data are now, if not where its settings say.

    Raises:
        UserError: The checkpoint is damaged, has no classifier, or needs a class that is not found here.
    """
    open_checkpoint(checkpoint)
    with working_folder_searched(), isolate_rng():
        settings = settings_of(checkpoint)
        model, data = _built(settings, checkpoint, root)
    if not isinstance(model, ImbalClassifier):
        raise UserError(
            f"The checkpoint is a {type(model).__name__}, which has no classifier: give that of the second stage."
        )
    load_weights(model, checkpoint)
    model.on_load_checkpoint(open_checkpoint(checkpoint))
    if model.normalization:
        data.normalize.load_state_dict(model.normalization)
    take_depth(data, checkpoint)
    tell_normalization(model, data.normalize.mean, data.normalize.std)
    of_trainer = {name: value for name, value in settings["trainer"].items() if name in OF_TRAINER}
    data_is_known = root is not None or "data.root" not in settings.get(LEFT_OUT, ())
    model.transforms = Transforms(data, of_trainer, data_is_known)
    return model.eval()


def _built(settings: dict[str, Any], checkpoint: Path, root: str | None) -> tuple[ImbalModule, ImbalDataModule]:
    choices = {name: deepcopy(settings[name]) for name in ("model", "data")}
    arguments = choices["model"].setdefault("init_args", {})
    arguments |= {name: nothing for name, nothing in brought_by(checkpoint).items() if name in arguments}
    facts = (*FACTS, *(OF_SOME if arguments.get("metadata_size") else OF_BACKBONE))
    arguments |= {name: saved_fact(checkpoint, name) for name in facts}
    of_data = choices["data"]["init_args"] = choices["data"].get("init_args") or {}
    of_data |= {name: nothing for name, nothing in OF_ITS_PICTURES.items() if name in of_data}
    of_data |= {} if root is None else {"root": root}
    parser = ImbalParser(exit_on_error=False)
    parser.add_subclass_arguments(ImbalModule, "model")
    parser.add_subclass_arguments(ImbalDataModule, "data")
    try:
        built = parser.instantiate(parser.parse_object(choices))
    except (ArgumentError, ValueError) as error:
        why = first_line(refusal_in(error) or error)
        raise UserError(f"The network of {checkpoint} cannot be built: {why}") from error
    return built.model, built.data
