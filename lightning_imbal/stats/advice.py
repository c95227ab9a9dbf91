"""Says in a few sentences what a comparison of methods found, and how certain that is."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.bootstrap import SIGNIFICANT, interval
from lightning_imbal.stats.results import Results, class_counts
from lightning_imbal.wording import interval_text

MAX_TRADES = 2
MAX_NAMED = 4  # classes or methods in one sentence
Difference = tuple[float, float, float]  # observed, and its 95 % interval


def advise(results: Results, baseline: str) -> list[str]:
    """Sentences about the methods of a table with one column, whose first metric is the macro F1.

    The intervals are of the choice of the test images alone. A method is distinguishable from the baseline by the
    p-value that is corrected for the number of methods.

    Args:
        results: The table.
        baseline: Row that the others were tested against.
    """
    done = {name: runs for name, runs in results.runs[results.spec.columns[0].title].items() if runs}
    if not done:
        return []
    if baseline not in done:
        return [f"{baseline}, the baseline, has no finished run, so no method is tested.", *_missing(results)]
    return [*_differences(_Paired(results, done, baseline)), *_never_found(done), *_once(results), *_missing(results)]


class _Paired:
    """How the scores of the other methods differ from the baseline's.

    Args:
        results: The table.
        done: The finished runs of each method.
        baseline: Row that the others are compared with.

    Attributes:
        methods: Those that have the same runs as the baseline, by their macro F1, best first.
        known: Those of them that are distinguishable from it.
        classes: Names of the classes that were tested, rarest first.
    """

    def __init__(self, results: Results, done: dict[str, list[Run]], baseline: str) -> None:
        self.done, self.baseline = done, baseline
        cells = results.cells[results.cells["metric"] == next(iter(results.spec.metrics))].set_index("row")
        p_value = cells["p_holm"].dropna()
        counts, tested = class_counts(results.classes), set().union(*map(_recall, done[baseline]))
        self.classes = sorted(tested, key=lambda name: (counts[name], name))
        self._average: Callable[[list[float]], float] = np.median if results.spec.average == "median" else np.mean
        self._resampled = results.resampled[results.spec.columns[0].title]
        self.methods = sorted(p_value.index, key=lambda name: -self.of(name)[0])
        self.known = [name for name in self.methods if p_value[name] < SIGNIFICANT]

    @property
    def size(self) -> str:
        """Number of test images, of all folds together, and of methods."""
        runs = [run.predictions for run in self.done[self.baseline] if run.predictions is not None]
        images, units = (
            len(set().union(*names)) for names in ([run.image for run in runs], [run.unit for run in runs])
        )
        of = f" of {units} groups" if units < images else ""
        return f"{images} test images{of}, {len(self.methods) + 1} methods"

    def of(self, name: str, classes: Sequence[str] = ()) -> Difference:
        """Difference of a method's macro F1, or of its mean F1 over some classes."""
        keys = [f"f1/{each}" for each in classes] or ["f1"]
        observed = np.mean([self._observed(name, key) - self._observed(self.baseline, key) for key in keys])
        of_method, of_baseline = self._resampled[name], self._resampled[self.baseline]
        resampled = np.mean([of_method[key] - of_baseline[key] for key in keys], axis=0)
        return float(observed), *interval(resampled)

    def _observed(self, name: str, key: str) -> float:
        tested = key.partition("/")[2]
        runs = [run for run in self.done[name] if not tested or _recall(run).get(tested) is not None]
        return float(self._average([run.score(key) for run in runs]))


def _differences(paired: _Paired) -> list[str]:
    """Which methods can be told from the baseline, and what they trade for what."""
    if not paired.methods:
        return []
    best, found = paired.methods[0], []
    better = [name for name in paired.known if paired.of(name)[0] > 0]
    lower = [name for name in paired.known if name not in better]
    if not better:
        only = f"{best} is not" if len(paired.methods) == 1 else "No method is"
        than = f"distinguishable from {paired.baseline} in macro F1"
        if lower:
            only, than = "No method has", f"a distinguishably higher macro F1 than {paired.baseline}"
        found.append(f"{only} {than} at this sample size ({paired.size}).")
    for word, names in {"higher": better, "lower": lower}.items():
        if len(names) == 1:
            found.append(f"{names[0]} has a {word} macro F1 than {paired.baseline}: {_signed(paired.of(names[0]))}.")
        elif names:
            every = _listed([f"{name} ({_signed(paired.of(name))})" for name in names])
            found.append(f"{every} have a {word} macro F1 than {paired.baseline}.")
    if best not in better and paired.of(best)[0] > 0:
        found.append(f"{best} has the highest macro F1, but that may be chance: {_signed(paired.of(best))}.")
    told = list(dict.fromkeys([best, *paired.known]))[:MAX_TRADES] if len(paired.classes) > 1 else []
    return found + [_trade(paired, name) for name in told]


def _trade(paired: _Paired, name: str) -> str:
    """What a method gains and loses on rare and common classes."""
    rare, common = paired.classes[: min(2, len(paired.classes) - 1)], paired.classes[-1]
    classes = "the rarest class" if len(rare) == 1 else "the two rarest classes"
    gain, loss = _change(paired.of(name, rare), "F1 "), _change(paired.of(name, [common]))
    return (
        f"{name} against {paired.baseline} {gain} on {classes} ({', '.join(rare)}) and {loss} on the most common "
        f"({common})."
    )


def _change(difference: Difference, unit: str = "") -> str:
    observed, low, high = difference
    perhaps = "perhaps " if low <= 0 <= high else ""
    size = f"{abs(observed):.2f}"
    what = "changes nothing " if float(size) == 0 else f"{'gains' if observed > 0 else 'loses'} {size} {unit}"
    return f"{perhaps}{what}{_interval(low, high)}"


def _signed(difference: Difference) -> str:
    observed, low, high = difference
    return f"{_rounded(observed):+.2f} {_interval(low, high)}"


def _interval(low: float, high: float) -> str:
    return interval_text(_rounded(low), _rounded(high), digits=2)


def _rounded(number: float) -> float:
    """Two digits, and no -0.00."""
    return round(number, 2) + 0.0


def _never_found(done: dict[str, list[Run]]) -> list[str]:
    """Which methods find no image of a class in any of their runs."""
    blind = defaultdict(list)
    for label in next(iter(done.values()))[0].class_names:
        recalls = {name: [_recall(run)[label] for run in runs if label in _recall(run)] for name, runs in done.items()}
        blind[tuple(name for name, values in recalls.items() if values and not any(values))].append(label)
    blind.pop((), None)
    return [f"{_who(names, done)} {_listed(classes)}." for names, classes in blind.items()]


def _who(names: Sequence[str], done: dict[str, list[Run]]) -> str:
    if len(names) == len(done) > 1:
        return "No method ever finds"
    return f"{_listed(names)} never {'finds' if len(names) == 1 else 'find'}"


def _listed(names: Sequence[str]) -> str:
    names = [*names] if len(names) <= MAX_NAMED else [*names[: MAX_NAMED - 1], f"{len(names) - MAX_NAMED + 1} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _recall(run: Run) -> dict[str, float]:
    """Recall of every class that a run was tested on."""
    return {row["name"]: row["recall"] for row in run.results["classes"] if row["images"]}


def _once(results: Results) -> list[str]:
    if results.cells["planned"].max() > 1:
        return []
    return ["Each method ran once: the chance of training is not in these intervals; use --folds 5 or --seeds 0 1 2."]


def _missing(results: Results) -> list[str]:
    """Which runs are not finished."""
    cells = results.cells.drop_duplicates("row")
    lacking = cells[cells["runs"] < cells["planned"]]
    if lacking.empty:
        return []
    named = [f"{cell.row} {cell.runs} of {cell.planned}" for cell in lacking.itertuples()]
    return [f"Runs are missing ({', '.join(named)}): only methods with the baseline's seeds or folds are tested."]
