"""`decision.json`: a fitted decision, for people and for the program."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightning_imbal.atomic_files import write_json
from lightning_imbal.decisions.base import Decision
from lightning_imbal.errors import UserError


@dataclass(eq=False)
class StoredDecision:
    """What a file of a decision holds.

    Args:
        decision: What answers.
        rule: Name of the rule.
        settings: Of the rule.
        fitted_on: What the images were.
    """

    decision: Decision
    rule: str
    settings: dict[str, Any]
    fitted_on: dict[str, Any]


def write_decision(
    path: Path, decision: Decision, rule: str, settings: Mapping[str, Any], fitted_on: Mapping[str, Any]
) -> None:
    """Writes a decision, whole or not at all.

    Numbers are written so that they are read as they were. The offsets, in logits, are written for people where the
    decision is such a sum; it is read from the gains, or from the costs, which are their negatives.

    Args:
        path: The file.
        decision: What answers.
        rule: Name of the rule.
        settings: Of the rule.
        fitted_on: What the images were, such as the run, the part and how many they are.
    """
    names = decision.class_names

    def of_class(values: np.ndarray) -> dict[str, float]:
        return dict(zip(names, values.tolist(), strict=True))

    content: dict[str, Any] = {"rule": rule, "settings": dict(settings), "fitted_on": dict(fitted_on)}
    content["classes"] = list(names)
    if (offset := decision.offset) is not None:
        content["offsets"] = of_class(offset)
    if (decision.gain == np.diag(np.diag(decision.gain))).all():
        content["gains"] = of_class(np.diag(decision.gain))
    else:
        # Adding zero takes the sign from zeros.
        content["costs"] = {name: of_class(0.0 - row) for name, row in zip(names, decision.gain, strict=True)}
    content |= {"thresholds": decision.thresholds, "confidence": decision.confidence, "ratio": of_class(decision.ratio)}
    write_json(path, content)


def read_decision(path: Path, class_names: Sequence[str] | None = None) -> StoredDecision:
    """Reads a decision.

    Args:
        path: The file.
        class_names: The classes that it must be of, in label order, which may be another one than that of the file; by
            default those of the file.

    Raises:
        UserError: The file is absent, damaged or of other classes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = tuple(content["classes"])
        names = known if class_names is None else tuple(class_names)
        if sorted(known) == sorted(names):
            return _as_stored(content, names)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name the file of a decision.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} is cut off, damaged, changed or no decision of this program: fit the rule again."
        ) from error
    raise UserError(
        f"{path} is a decision among {', '.join(known)}, not among {', '.join(names)}: fit the rule to these classes."
    )


def _as_stored(content: dict[str, Any], names: tuple[str, ...]) -> StoredDecision:
    """Makes what a file holds.

    Raises:
        ValueError: Something is no number, or does not fit the rest; as do KeyError, TypeError and AttributeError.
    """

    def of_class(values: dict[str, float]) -> np.ndarray:
        if values.keys() != set(names):
            raise ValueError("Classes differ.")
        return np.array([_number(values[name]) for name in names])

    if "gains" in content:
        gain = np.diag(of_class(content["gains"]))
    else:
        gain = -np.stack([of_class(content["costs"][name]) for name in names])
    thresholds = {name: _number(value) for name, value in content["thresholds"].items()}
    decision = Decision(names, gain, thresholds, _number(content["confidence"]), of_class(content["ratio"]))
    offset = decision.offset
    if (offset is not None) != ("offsets" in content) or (
        offset is not None and not np.allclose(offset, of_class(content["offsets"]))
    ):
        raise ValueError("The offsets are not those of the gains.")
    if not thresholds.keys() < set(names) or (decision.ratio < 0).any() or not isinstance(content["rule"], str):
        raise ValueError("The parts do not fit.")
    return StoredDecision(decision, content["rule"], dict(content["settings"]), dict(content["fitted_on"]))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError("It is no number.")
    return float(value)
