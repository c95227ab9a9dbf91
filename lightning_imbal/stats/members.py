"""What names an ensemble, and what limits its numbers: made of what its members say of themselves."""

from collections.abc import Iterable, Sequence
from typing import Any

from lightning_imbal.runs.caveats import data_remarks
from lightning_imbal.runs.digests import digest
from lightning_imbal.runs.title import ordered_classes, title_parts
from lightning_imbal.stats.caveats import in_trained_groups
from lightning_imbal.stats.ensemble import Ensemble
from lightning_imbal.wording import number_of

OF_MEMBERS = ("method", "data", "backbone")


def identity_of(made: Ensemble, name: str) -> dict[str, Any]:
    """The identity of an ensemble, but for versions and time.

    Of the split, it holds what all members have in common; no seed is its own. As many images as trained any of its
    members, at least, count as trained on.

    Args:
        made: The ensemble.
        name: That it is to have.
    """
    identities = [run.identity for run in made.members]
    first = identities[0]
    splits = [each["split"] for each in identities]
    tested = {each.get("split_digest") for each in identities}
    trained = [sum(run.identity.get("trained_images") or 0 for run in folds) for folds in made.rounds]
    return {
        "name": name,
        "title": _title(identities),
        **{key: joined(each.get(key) for each in identities) for key in OF_MEMBERS},
        "split": {
            key: value for key, value in splits[0].items() if all(key in each and each[key] == value for each in splits)
        },
        "split_digest": tested.pop() if len(tested) == 1 else None,
        "ordered": all(map(ordered_classes, identities)),
        "data_remarks": [*dict.fromkeys(remark for run in made.members for remark in data_remarks(run.results))]
        + _trained_groups(made),
        "seed": None,
        "checkpoint": None,
        "trained_images": max(trained),
        "chosen_by": {
            what: joined((each.get("chosen_by") or {}).get(what) for each in identities)
            for what in dict.fromkeys(what for each in identities for what in each.get("chosen_by") or {})
        },
        **({"pool": first["pool"]} if first.get("pool") else {}),
        "part": first["part"],
        "members": [
            {
                "name": run.identity["name"],
                "folder": str(run.folder),
                "seed": run.identity.get("seed"),
                "fold": run.identity["split"].get("fold"),
                "sha256": digest(run.folder / "predictions.parquet"),
            }
            for run in made.members
        ],
    }


def _title(identities: Sequence[dict[str, Any]]) -> dict[str, str]:
    """That it is an ensemble, of what, and what else its members say of themselves."""
    parts = [title_parts(each, repeats=False) for each in identities]
    method, predictor, data = (joined(of[what] for of in parts) for what in ("method", "predictor", "data"))
    number = number_of(len(identities), "run")
    return {"method": f"ensemble of {number} ({method})", "predictor": predictor, "data": data}


def joined(texts: Iterable[str | None]) -> str:
    """Every text once; nothing of None."""
    return ", ".join(dict.fromkeys(text for text in texts if text))


def _trained_groups(made: Ensemble) -> list[str]:
    """What the union of folds no longer tells: that groups were on both sides of a fold."""
    splits = [[run.split() for run in folds] for folds in made.rounds if len(folds) > 1]
    part = made.members[0].identity["part"]
    counts = [sum(in_trained_groups(split, part) for split in each if split is not None) for each in splits]
    shared = max(counts, default=0)
    if not shared:
        return []
    return [
        f"{shared:,} of {len(made.predictions.image):,} {part} images are of a group (lesion, patient) that was also "
        "trained on in their fold: the scores may be too good."
    ]
