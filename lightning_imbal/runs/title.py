"""What a run is called: method -> second stage, predictor, decision, data, split, seed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_imbal.score_names import SHOWN_OF_ANY, SHOWN_OF_ORDERED
from lightning_imbal.wording import fold_text, last_word, number_of

OWN_IMAGES = ("FolderData", "CSVData")
# Of runs that do not say it themselves: data sets whose classes are grades.
SEED_OR_FOLD = re.compile(r"[+_-]?(seed|fold)[_-]?\d+")
ORDERED = ("APTOS2019", "EyePACS", "Messidor2", "retinamnist")


def title_of(identity: Mapping[str, Any]) -> str:
    """The whole title of a run, such as `LDAM-DRW -> cRW, FlipTTA, ISIC2018, fold 1 of 3, seed 0`.

    Example:
        >>> named = {"method": "CE", "predictor": "FlipTTA", "data": "ISIC2018"}
        >>> title_of({"title": named, "split": {"kind": "KFold", "folds": 3, "fold": 0}, "seed": 1})
        'CE, FlipTTA, ISIC2018, fold 1 of 3, seed 1'
    """
    return ", ".join(filter(None, title_parts(identity).values()))


def title_parts(identity: Mapping[str, Any], repeats: bool = True) -> dict[str, str]:
    """The parts of a title in their order; empty is what does not need to be said.

    Args:
        identity: Of the run.
        repeats: Whether to say which repetition it is; else the method is named, of which there may be several.
    """
    named, split, seed = identity.get("title") or {}, identity.get("split") or {}, identity.get("seed")
    fold, folds = split.get("fold"), split.get("folds")
    pool = identity.get("pool")
    of_fold = "" if fold is None else fold_text(fold, folds) if folds else f"official fold {fold + 1}"
    return {
        "method": named.get("method") or (identity["name"] if repeats else SEED_OR_FOLD.sub("", identity["name"])),
        "predictor": named.get("predictor", ""),
        "decision": identity.get("decision", ""),
        "pool": f"pooled by {pool}" if pool else "",
        "data": data_title(identity),
        "split": of_fold if of_fold and repeats else _split_text(split),
        "seed": f"seed {seed}" if seed is not None and repeats else "",
    }


def data_title(identity: Mapping[str, Any]) -> str:
    """What the data of a run are called: a data set by its name, own images by their folder."""
    named = identity.get("title") or {}
    return named.get("data") or identity.get("data", "")


def short_names(parts: Sequence[Mapping[str, str]]) -> tuple[list[str], dict[str, str]]:
    """Names of several runs without what all of them share, and what that is, by its part.

    Two runs may still have one name; it is empty where all titles are the same.

    Args:
        parts: Of the title of each.
    """
    shared = {key: value for key, value in parts[0].items() if value and all(of[key] == value for of in parts)}

    def names() -> list[str]:
        return [", ".join(value for key, value in of.items() if value and key not in shared) for of in parts]

    if any(names()) and not all(names()):  # one has what others have nothing of, such as a predictor
        shared.pop("method", None)
    return names(), shared


def ordered_classes(identity: Mapping[str, Any]) -> bool:
    """Whether the classes of a run have an order, as grades do."""
    return bool(identity.get("ordered", data_title(identity) in ORDERED))


def shown_scores(identities: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Titles of the scores of every report by their keys: those of an order only where all classes have one."""
    return SHOWN_OF_ORDERED if all(map(ordered_classes, identities)) else SHOWN_OF_ANY


def fitted_text(identity: Mapping[str, Any]) -> str:
    """What was fitted on the validation part for inference, in a sentence; empty if nothing was."""
    fitted = identity.get("fitted") or {}
    return (
        f"Fitted on the validation part: {', '.join(f'{name} {value:.4g}' for name, value in fitted.items())}."
        * bool(fitted)
    )


def data_name(data: Mapping[str, Any]) -> str:
    """The same as `data_title`, of the `data` of a configuration."""
    name, settings = last_word(str(data.get("class_path", ""))), data.get("init_args") or {}
    if name in OWN_IMAGES and settings.get("root"):
        return folder_name(settings["root"]) or name
    return str(settings["flag"]) if name == "MedMNIST" and settings.get("flag") else name


def folder_name(root: str | Path) -> str:
    """What a folder is called, also `.` and what ends in `..`."""
    return Path(root).expanduser().resolve().name


def named(stages: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The parts of a title that configurations tell: `method`, `predictor` (empty is plain) and `data`.

    Args:
        stages: First to last.
    """
    # Who reads a run that says it all does not wait for the files of the methods.
    from lightning_imbal.runs.method_names import method_name

    predictor = (stages[-1]["model"].get("init_args") or {}).get("predictor")
    # What is still to come is as it was written, perhaps by its name alone.
    word = last_word(str(predictor["class_path"] if isinstance(predictor, dict) else predictor or ""))
    return {
        "method": method_name(stages),
        "predictor": "" if word == "Plain" else word,
        "data": data_name(stages[-1].get("data") or {}),
    }


def completed(identity: dict[str, Any], stages: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """The identity of a run from before titles were written, with what its configurations tell.

    Args:
        identity: As the file has it.
        stages: Configurations of its stages; none if they are not there.
        folder: Of the results.
    """
    if members := identity.get("members"):
        return identity | {"title": {"method": f"ensemble of {number_of(len(members), 'run')}"}}
    if not stages:
        return identity
    found = named(stages)
    if identity.get("checkpoint") is not None:
        # A test has a predictor, and data, of its own, which were not written.
        same = last_word(str((stages[-1].get("data") or {}).get("class_path"))) == identity["data"]
        found |= {"predictor": "", "data": found["data"] if same else identity["data"]}
    if identity["name"].endswith(f" {folder.name}"):
        found["predictor"] = folder.name
    return identity | {"title": found}


def _split_text(split: Mapping[str, Any]) -> str:
    kind, seed = split.get("kind", ""), split.get("seed")
    if split.get("folds"):
        text = number_of(split["folds"], "fold")
    elif kind == "Holdout" and split.get("test") is not None:
        text = f"{100 * split['test']:.3g} % test"
    else:
        text = {"Official": "official split", "IdLists": "own lists"}.get(kind, "")
    return f"{text} (split {seed})" if text and seed else text
