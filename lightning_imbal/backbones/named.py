"""What the name of a network stands for: one of timm, `hf-hub:owner/name` or `local-dir:folder`."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import timm
from timm.models._hub import load_model_config_from_path

from lightning_imbal.backbones.fetch import FILES, hub_file, known_weights
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

HUB, FOLDER = "hf-hub", "local-dir"
CONFIG = "config.json"
ENDINGS = (".safetensors", ".pth", ".bin")
OF_A_PLACE = ("source", "file", "hf_hub_id", "hf_hub_filename", "url")
OF_CLASSES = ("label_names", "label_descriptions")


@dataclass(frozen=True)
class Named:
    """What a name stands for.

    Args:
        name: As it was given.
        architecture: Timm's name of it.
        config: What is known of its weights, such as their `mean`; None leaves that to timm.
        arguments: That timm builds it with.
    """

    name: str
    architecture: str
    config: dict[str, Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Any]:
        """What is known of its weights; empty if nothing is."""
        if self.config is not None:
            return self.config
        found = timm.get_pretrained_cfg(self.architecture)
        return found.to_dict() if found is not None else {}

    @property
    def built_for_a_size(self) -> bool:
        """Whether timm builds it for pictures of one size, which is its `img_size`."""
        return bool(self.known.get("fixed_input_size") or "img_size" in self.arguments)


def named(name: str, architecture: dict[str, Any] | None = None) -> Named:
    """Finds out what a name stands for.

    Args:
        name: A timm name, `hf-hub:owner/name`, whose description is fetched once, or `local-dir:folder`.
        architecture: What `described` once said of it: then neither the folder nor a server is asked.

    Raises:
        UserError: There is no such network.
    """
    if architecture is not None:
        return Named(name, architecture["architecture"], architecture["pretrained_cfg"], architecture["model_args"])
    source, place = parted(name)
    if not source:
        return _of_timm(name)
    folder = Path(place).expanduser() if source == FOLDER else _hub_folder(name, place)
    return _in_folder(name, folder)


def described(network: Named) -> dict[str, Any] | None:
    """What a checkpoint keeps, to build the network anew without its folder; None if timm knows it by its name."""
    if network.config is None:
        return None
    kept = {key: value for key, value in network.config.items() if key not in (*OF_A_PLACE, *OF_CLASSES)}
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    arguments = json.loads(json.dumps(network.arguments))
    return {"architecture": network.architecture, "pretrained_cfg": plain, "model_args": arguments}


def parted(name: str) -> tuple[str, str]:
    """Where a network is (`hf-hub`, `local-dir`, or empty for timm's own) and which one it is there."""
    source, colon, place = name.partition(":")
    source = source.lower().replace("_", "-")
    return (source, place) if colon and source in (HUB, FOLDER) else ("", name)


def told_name(name: str) -> str:
    """A name without a place on this machine: of a folder its own name alone.

    Example:
        >>> told_name("local-dir:/home/me/nets/vit_l/"), told_name("hf-hub:timm/vit_l"), told_name("resnet50")
        ('local-dir:vit_l', 'hf-hub:timm/vit_l', 'resnet50')
    """
    source, place = parted(name)
    return f"{FOLDER}:{Path(place).name}" if source == FOLDER else name


def is_network(name: str) -> bool:
    """Whether a name may be that of a network; folders and servers are not looked at."""
    return bool(parted(name)[0]) or timm.is_model(name)


def weights_file(name: str) -> Path | None:
    """The file of weights in the folder of a `local-dir:` or `hf-hub:` network; what is not there is fetched.

    Of timm's own it is that of their repository, or None if they have none.

    Raises:
        UserError: There is none.
    """
    source, place = parted(name)
    if not source:
        source, place = HUB, getattr(known_weights(name), "hf_hub_id", None) or ""
        if not place:
            return None
    if source == HUB:
        if (found := hub_file(place, FILES)) is None:
            raise UserError(
                f"The weights of {name} are not in the cache and could not be fetched: connect to the network, or copy "
                f"its folder here and give it as model.backbone=local-dir:FOLDER."
            )
        return found
    folder = Path(place).expanduser()
    files = [folder / file for file in FILES if (folder / file).is_file()]
    files += [file for ending in ENDINGS for file in sorted(folder.glob(f"*{ending}"))]
    if not files:
        raise UserError(
            f"There are no weights in {folder}: put {FILES[0]} there, or give another file as model.pretrained=FILE "
            "(false: from scratch)."
        )
    return files[0]


def _of_timm(name: str) -> Named:
    if timm.is_model(name):
        return Named(name, name)
    if Path(name).expanduser().is_dir():
        hint = f"did you mean model.backbone={FOLDER}:{name}?"
    elif "/" in name:
        hint = f"a folder is given as model.backbone={FOLDER}:{name}, a repository of Hugging Face as {HUB}:{name}."
    else:
        own = f"a network of your own is given as model.backbone.class_path={name}" if "." in name else ""
        hint = own or did_you_mean(name, timm.list_models(), most=3) or "timm.list_models() lists the names."
    raise UserError(f"There is no backbone named {name!r}: {hint}")


def _hub_folder(name: str, place: str) -> Path:
    """The folder of the cache that a repository of Hugging Face is in."""
    if place.count("/") != 1:
        raise UserError(f"{name!r} is no repository of Hugging Face: give owner/name, such as {HUB}:timm/resnet18.")
    file = hub_file(place, (CONFIG,))
    if file is None:
        raise UserError(
            f"{name} is not in the cache and could not be fetched: connect to the network, or copy its folder here and "
            f"give it as model.backbone={FOLDER}:FOLDER."
        )
    return file.parent


def _in_folder(name: str, folder: Path) -> Named:
    if not (folder / CONFIG).is_file():
        raise UserError(
            f"There is no {CONFIG} in {folder}, so it is no network of timm: timm.models.save_for_hf(model, FOLDER) "
            "writes one; a file of weights alone is given as model.pretrained=FILE beside a timm name."
        )
    try:
        config, architecture, arguments = load_model_config_from_path(folder)
        known = isinstance(architecture, str) and timm.is_model(architecture)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder / CONFIG} describes no network of timm: it names no architecture.") from error
    if not known:
        near = did_you_mean(str(architecture), timm.list_models(), most=3)
        raise UserError(
            f"{folder / CONFIG} is of the architecture {architecture!r}, which timm {timm.__version__} does not "
            f"know: {near or 'give another network, or install a newer timm.'}"
        )
    return Named(name, architecture, dict(config), dict(arguments))
