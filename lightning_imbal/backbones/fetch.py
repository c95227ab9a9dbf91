"""timm's weights of a network: in a cache of this machine, or to be fetched, if a server answers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import timm
import torch
from huggingface_hub import constants, get_session, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

PATIENCE = 4.0  # seconds; huggingface_hub alone tries for almost a minute
# In timm's order; those of open_clip are whole models, of which the picture's half is taken.
FILES = (
    *("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth"),
    *("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin"),
)


def known_weights(name: str) -> Any:
    """What timm says of the weights of a network; None if it has none."""
    known = timm.get_pretrained_cfg(name)
    return known if known is not None and (known.hf_hub_id or known.url) else None


def cached_weights(name: str) -> dict[str, Any] | None:
    """What makes timm load the weights of a network that were fetched once; None if they were not.

    The network is not asked for anything.
    """
    known = known_weights(name)
    found = next(filter(Path.is_file, _places(known)), None) if known else None
    if found is None:
        return None
    # Files of Hugging Face are state dicts, whatever the file at the URL is.
    return {"file": str(found)} | ({"custom_load": False} if known.hf_hub_id else {})


def _places(known: Any) -> Iterator[Path]:
    if known.hf_hub_id:
        repository, _, revision = known.hf_hub_id.partition("@")
        for file in [known.hf_hub_filename] if known.hf_hub_filename else FILES:
            found = try_to_load_from_cache(repository, file, revision=revision or None)
            if isinstance(found, str):
                yield Path(found)
    else:
        yield Path(torch.hub.get_dir(), "checkpoints", Path(known.url).name)


def hub_file(repository: str, files: Sequence[str]) -> Path | None:
    """The first of some files that a repository of Hugging Face has: from the cache, else fetched.

    Args:
        repository: `owner/name`, or `owner/name@revision`.
        files: Their names, the wanted one first.

    Returns:
        None if it has none of them, or its server does not answer within 4 seconds.
    """
    repository, _, revision = repository.partition("@")
    cached = [try_to_load_from_cache(repository, file, revision=revision or None) for file in files]
    if found := next((Path(file) for file in cached if isinstance(file, str)), None):
        return found
    if not server_answers(constants.ENDPOINT):
        return None
    for file in files:
        try:
            return Path(hf_hub_download(repository, file, revision=revision or None))
        except EntryNotFoundError:
            continue
        except Exception:  # no such repository, no right to it, or a connection that breaks off
            return None
    return None


def can_fetch(name: str) -> bool:
    """Whether timm has weights of a network, and the server that keeps them answers within 4 seconds.

    With HF_HUB_OFFLINE=1 nothing is asked.
    """
    known = known_weights(name)
    return known is not None and server_answers(constants.ENDPOINT if known.hf_hub_id else known.url)


def server_answers(asked: str) -> bool:
    """Whether a server answers within 4 seconds; with HF_HUB_OFFLINE=1 nothing is asked."""
    if constants.HF_HUB_OFFLINE:
        return False
    answers: list[bool] = []
    # In a thread, because looking up the name of a server knows no timeout.
    thread = Thread(target=lambda: answers.append(_answers(asked)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return any(answers)


def _answers(url: str) -> bool:
    """Asks as huggingface_hub does, with its proxies and certificates: any response is an answer."""
    try:
        get_session().head(url, timeout=PATIENCE)
    except Exception:  # of httpx or of requests, by the version of huggingface_hub
        return False
    return True
