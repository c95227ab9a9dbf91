"""Weights of a backbone from a local file."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor, nn

from lightning_imbal.backbones.known import layers_of
from lightning_imbal.backbones.layouts import as_of_timm
from lightning_imbal.backbones.weight_files import read_weights
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

COUNTED = "num_batches_tracked"  # which older files lack or have as (1,), and nothing depends on
NAMED = 3  # tensors that are named in a message
State = dict[str, Tensor]


class Misfit(NamedTuple):
    """The tensors by which a file is not that of a network."""

    missing: list[str]
    foreign: list[str]
    other: list[str]


def load_local(backbone: nn.Module, name: str, path: Path, random: tuple[str, ...] = ()) -> nn.Module:
    """Loads weights from a file: of the network alone, or of a checkpoint that it is a part of.

    What comes before the names of its tensors, such as `module.` or `model.backbone.`, is found by what fits most of
    them. Files in the layout of another project (RETFound and other MAE, DINOv2, OpenCLIP) are renamed, and positions
    and patches resized, as timm does. What else the file holds, such as a classifier, a decoder or a projection, is
    left out, and all this is said.

    Args:
        backbone: The network.
        name: What it is called in messages.
        path: A .safetensors, .pt, .pth or .ckpt file; no code that it may hold is run.
        random: What the names of layers begin with that may stay as they are, if the file has none of them.

    Raises:
        UserError: There is no such file, it is damaged, or it is of another network, or lacks some of its layers.
    """
    if not path.is_file():
        raise UserError(
            f"There are no weights at {path}: give an existing .safetensors, .pth, .pt or .ckpt file as pretrained."
        )
    state, wanted = read_weights(path), backbone.state_dict()
    prefix = _prefix(state, wanted)
    plain = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    misfit = None
    for found in _readings(backbone, plain, state):
        one = _misfit(backbone, found, wanted, random)
        if not any(one):
            break
        misfit = misfit or one
    else:
        missing, foreign, other = misfit  # type: ignore[misc]  # there is one reading at least
        raise UserError(
            f"The weights in {path} do not fit {name}: {len(missing)} tensors are missing, {len(foreign)} unknown and "
            f"{len(other)} of another shape (such as {[*missing, *foreign, *other][0]}; the file has "
            f"{next(iter(state))}): give the weights of that network."
        )
    fitting = {key: value for key, value in found.items() if key in wanted}
    backbone.load_state_dict(fitting, strict=False)
    _report(path, name, state, plain, fitting, prefix)
    if random and any(key.startswith(random) for key in wanted.keys() - fitting.keys()):
        _said(f"Weights: {path} has no {' and '.join(random).rstrip('.')} of {name}, which starts at random.")
    return backbone


def _readings(backbone: nn.Module, plain: State, state: State) -> Iterator[State]:
    """The tensors by the names that a network may know them by, the likeliest first."""
    yield plain
    yield from as_of_timm(backbone, plain)
    if len(plain) < len(state):
        yield from as_of_timm(backbone, state)


def _misfit(backbone: nn.Module, found: State, wanted: State, random: tuple[str, ...]) -> Misfit:
    learned = {key for key, _ in backbone.named_parameters()} | {key for key in wanted if ".running_" in key}
    kept = random if not any(key.startswith(random) for key in found) else ()
    missing = [key for key in wanted if key in learned and key not in found and not key.startswith(kept)]
    parts = {key.partition(".")[0] for key in wanted}
    of_classifier = tuple(f"{each}." for each in layers_of(backbone, "classifier"))
    # More blocks in a part that the network has too are those of a larger one.
    foreign = [key for key in found if key not in wanted and key.partition(".")[0] in parts]
    foreign = [key for key in foreign if not key.startswith(of_classifier)]
    shared = [key for key in found if key in wanted and not key.endswith(COUNTED)]
    return Misfit(missing, foreign, [key for key in shared if found[key].shape != wanted[key].shape])


def _report(path: Path, name: str, state: State, plain: State, fitting: State, prefix: str) -> None:
    """Says what was renamed, resized and left out."""
    renamed = [key for key in fitting if key not in plain]
    resized = [
        f"{key} {'x'.join(map(str, plain[key].shape))} to {'x'.join(map(str, value.shape))}"
        for key, value in fitting.items()
        if key in plain and plain[key].shape != value.shape and not key.endswith(COUNTED)
    ]
    if renamed:
        _say(f"Weights: {path} has {number_of(len(renamed), 'tensor')} of {name} under another name: ", renamed)
    if resized:
        _say(f"Weights: resized for {name}: ", resized)
    # What was renamed had other names in the file, of which it is not known which became which.
    left = [key for key in state if not key.startswith(prefix) or key.removeprefix(prefix) not in fitting]
    if left and not renamed:
        _say(f"Weights: {path} also holds {number_of(len(left), 'tensor')} that {name} has not, left out: ", left)
    elif left and (more := len(state) - len(fitting)) > 0:
        _said(f"Weights: {path} also holds {number_of(more, 'tensor')} that {name} has not, left out.")


def _prefix(state: Iterable[str], wanted: Container[str]) -> str:
    """What comes before the names of most of the tensors of a network; of several the first, such as a student's."""
    fits = Counter(
        key[:place]
        for key in state
        for place in [0, *(dot + 1 for dot, letter in enumerate(key) if letter == ".")]
        if key[place:] in wanted
    )
    return fits.most_common(1)[0][0] if fits else ""


@cache
def _said(sentence: str) -> None:
    rank_zero_info(sentence)


def _say(sentence: str, names: Sequence[str]) -> None:
    """Says once, however often a network is built, what was left out."""
    _said(sentence + ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "") + ".")
