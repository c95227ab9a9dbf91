"""`li.compare_runs`: how far one run is above another, with interval and p-value."""

from dataclasses import dataclass
from pathlib import Path

from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import SCORES
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.results import Results
from lightning_imbal.wording import did_you_mean


@dataclass(frozen=True)
class Comparison:
    """How far one run is above another.

    Args:
        score: Its key, such as `f1` (macro F1) or `f1/nevus`.
        difference: The score of `a` less that of `b`.
        interval: 95 % interval of that, NaN if nothing varies. Images, or lesions and patients, were resampled, the
            same for both.
        p_value: Two-sided, of the same resamples; it is below 0.05 where the interval does not hold 0.
        images: Test images that both are compared on.
        a: The score of the first.
        b: The score of the second.
    """

    score: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    images: int
    a: float
    b: float


def compare_runs(a: str | Path, b: str | Path, score: str = "macro_f1") -> Comparison:
    """Compares two finished runs as `lightning_imbal report A B` does.

    Each is one trained network: the difference is that of these two, another training may turn it round.

    Args:
        a: What `fit`, `test` or `table` wrote to.
        b: Another one, on the same test images.
        score: Such as `macro_f1`, `accuracy`, `balanced_accuracy`, or that of a class, such as `f1/nevus`.

    Raises:
        UserError: One is no finished run; they have other classes, images, seeds or folds; or one learned nothing.
    """
    places = [Path(place).expanduser() for place in (a, b)]
    results = read_runs(places)
    [column] = results.spec.columns
    first, second = names = [_row_of(results, place) for place in places]
    if places[0].resolve() == places[1].resolve():
        raise UserError(f"{places[0]} is both runs: give two.")
    if first == second:
        raise UserError(
            f"{places[0]} and {places[1]} differ in seed or fold alone: they are repetitions of one method, which "
            "`report` takes together. Compare two methods."
        )
    compared = results.compared[column.title]
    key = _key(score, [*(metric.score for metric in results.spec.metrics.values()), *_of_classes(results)])
    if absent := [name for name in names if name not in compared.rows]:
        raise UserError(f"{absent[0]} has no predictions, without which nothing is compared: `test` it again.")
    _check_comparable(results, names)
    rows = [compared.rows[name] for name in names]
    found = compared.difference(first, second, key)
    images = set.intersection(*(set(each.joined.image) for row in rows for each in row.rounds))
    return Comparison(
        key,
        float(found.observed),
        (found.low, found.high),
        float(compared.p_value(first, second, key)),
        len(images),
        *(float(row.value(key)) for row in rows),
    )


def _row_of(results: Results, place: Path) -> str:
    """The row of the results that a run is in."""
    rows = next(iter(results.runs.values()))
    return next(name for name, runs in rows.items() for run in runs if run.folder == place.absolute())


def _of_classes(results: Results) -> list[str]:
    """Keys of the F1 of the classes."""
    run = next(run for of_row in next(iter(results.runs.values())).values() for run in of_row)
    return [f"f1/{name}" for name in run.class_names]


def _key(score: str, known: list[str]) -> str:
    """The key of a score, which is also called by what it is a mean of, such as `macro_f1`."""
    key = score.removeprefix("macro_")
    if key not in known:
        hint = did_you_mean(score, [*known, *(f"macro_{name}" for name in known if name in SCORES)])
        raise UserError(f"There is no score {score!r} to compare runs by: {hint or f'known are {_listed(known)}.'}")
    return key


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _check_comparable(results: Results, names: list[str]) -> None:
    """Refuses runs that `report` would not test against each other.

    Raises:
        UserError: One learned nothing, or they have other seeds or folds.
    """
    cells = results.cells.drop_duplicates("row").set_index("row").loc[names]
    if len(worse := cells[~cells["learned"].astype(bool)]):
        raise UserError(f"{worse.index[0]} is compared with nothing: {worse['remark'].iloc[0] or 'it learned nothing'}")
    repeats = [_repeats(results, name) for name in names]
    if repeats[0] != repeats[1]:
        raise UserError(
            f"{names[0]} is {repeats[0]}, {names[1]} {repeats[1]}: compare runs of the same seeds or folds, so that "
            "only the method differs."
        )
    if results.cells.loc[results.cells["row"] == names[1], "p_value"].isna().all():
        raise UserError(f"{names[0]} and {names[1]} were tested on other images: compare runs on the same.")


def _repeats(results: Results, name: str) -> str:
    runs: list[Run] = next(iter(results.runs.values()))[name]
    return ", ".join(run.repeat for run in runs)
