"""Says in a few sentences what a comparison of methods found, and how certain that is."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.compared import Difference
from lightning_imbal.stats.left_out import left_out, missing, nothing_learned
from lightning_imbal.stats.results import Results, class_counts, learned_rows
from lightning_imbal.wording import interval_text, signed_text

MAX_TRADES = 2
MAX_NAMED = 4  # classes or methods in one sentence
MATTERS = 0.05  # a difference of macro F1 that would matter
SURE_IMAGES = 20  # of a class, above which "never found" can be believed


def advise(results: Results, baseline: str, again: str = "") -> list[str]:
    """Sentences about the methods of a table with one column, whose first metric is the macro F1.

    A method is distinguishable from the baseline by the p-value that is corrected for the number of methods. Nothing is
    said of one that learned nothing, but that; where none has learned anything, nothing of methods at all.

    Args:
        results: The table.
        baseline: Row that the others were tested against.
        again: A command that runs the methods in a way in which they may learn more.
    """
    finished = {name: runs for name, runs in results.runs[results.spec.columns[0].title].items() if runs}
    done = {name: finished[name] for name in learned_rows(results, results.spec.columns[0])}
    if not finished:
        return []
    if not done:
        return [*nothing_learned(again), *missing(results)]
    said = left_out(results)
    if baseline not in done:
        why = "is left out, so no method is tested: choose another one with --baseline"
        why = why if baseline in finished else "has no finished run, so no method is tested"
        return [*said, f"{baseline}, the baseline, {why}.", *missing(results)]
    return [
        *said,
        *_differences(_Paired(results, done, baseline)),
        *_never_found(results, done),
        *_once(results),
        *missing(results),
    ]


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
        self.metric = next(iter(results.spec.metrics))
        title = results.spec.columns[0].title
        self.cells = results.cells[results.cells["metric"] == self.metric].set_index("row")
        self.winner = results.winners.get((title, self.metric))
        p_value = self.cells["p_holm"].dropna()
        counts, tested = class_counts(results.classes), set().union(*map(_recall, done[baseline]))
        self.classes = sorted(tested, key=lambda name: (counts[name], name))
        self._compared = results.compared[title]
        self.methods = sorted(p_value.index, key=lambda name: -self.of(name).observed)
        self.known = [name for name in self.methods if p_value[name] < SIGNIFICANT]

    @property
    def trained(self) -> int:
        """How often each method was trained on the whole."""
        return int(self.cells["rounds"].max())

    @property
    def what(self) -> str:
        """What is compared: of single trainings nothing can be said of methods."""
        return "method" if self.trained > 1 else "network"

    @property
    def size(self) -> str:
        """Number of test images, of all folds together, and of methods."""
        runs = [run.predictions for run in self.done[self.baseline] if run.predictions is not None]
        images, units = (
            len(set().union(*names)) for names in ([run.image for run in runs], [run.unit for run in runs])
        )
        of = f" of {units} groups" if units < images else ""
        return f"{images} test images{of}, {len(self.methods) + 1} methods"

    @property
    def power(self) -> str:
        """How often such a test sees a difference that matters."""
        seen = self._compared.power(self.methods, self.baseline, "f1", MATTERS)
        if np.isnan(seen):
            return ""
        often = f"about {10 * seen:.0f}" if seen >= 0.1 else "fewer than 1"
        return f"A true difference of {MATTERS} would be seen in {often} of 10 such tests."

    def of(self, name: str) -> Difference:
        """Difference of a method's macro F1."""
        return self._compared.difference(name, self.baseline, "f1")

    def of_classes(self, name: str, classes: Sequence[str]) -> Difference:
        """Difference of a method's mean F1 over some classes."""
        return self._compared.class_difference(name, self.baseline, classes)


def _differences(paired: _Paired) -> list[str]:
    """Which methods can be told from the baseline, and what they trade for what."""
    if not paired.methods:
        return []
    best, found, what = paired.methods[0], [], paired.what
    better = [name for name in paired.known if paired.of(name).observed > 0]
    lower = [name for name in paired.known if name not in better]
    if not better:
        only = f"{best} is not" if len(paired.methods) == 1 else f"No {what} is"
        than = f"distinguishable from {paired.baseline} in macro F1"
        if lower:
            only, than = f"No {what} has", f"a distinguishably higher macro F1 than {paired.baseline}"
        found += [f"{only} {than} at this sample size ({paired.size}).", paired.power]
    for word, names in {"higher": better, "lower": lower}.items():
        if len(names) == 1:
            found.append(f"{names[0]} has a {word} macro F1 than {paired.baseline}: {_signed(paired.of(names[0]))}.")
        elif names:
            every = _listed([f"{name} ({_signed(paired.of(name))})" for name in names])
            found.append(f"{every} have a {word} macro F1 than {paired.baseline}.")
    if best not in better and paired.of(best).observed > 0:
        found.append(f"{best} has the highest macro F1, but that may be chance: {_signed(paired.of(best))}.")
    found += [_chosen(paired), _tied(paired)]
    told = list(dict.fromkeys([best, *paired.known]))[:MAX_TRADES] if len(paired.classes) > 1 else []
    return list(filter(None, found)) + [_trade(paired, name) for name in told]


def _chosen(paired: _Paired) -> str:
    """What the best one owes to being the best of several."""
    if (winner := paired.winner) is None or winner.advantage <= 0:
        return ""
    return (
        f"Being the best of {winner.chosen_from} takes chance as well: {winner.row} is "
        f"{signed_text(winner.advantage, 2)} above {paired.baseline}, and {signed_text(winner.corrected, 2)} when "
        "corrected for that."
    )


def _tied(paired: _Paired) -> str:
    """Which cannot be told from the best one."""
    against = paired.cells["p_best"].dropna()
    tied = [name for name in paired.cells.index if name in against.index and against[name] >= SIGNIFICANT]
    if len(against) < 2:
        return ""
    best = paired.cells["best"].iloc[0]
    if not tied:
        return f"{best} can be told from every other {paired.what} in macro F1."
    names = f"None of the {len(against) + 1}" if len(tied) == len(against) else ""
    if names:
        return f"{names} can be told from {best}, the best in macro F1: choose among them by other reasons."
    return f"Not to be told from {best}, the best in macro F1: {_listed(tied)}; choose among them by other reasons."


def _trade(paired: _Paired, name: str) -> str:
    """What a method gains and loses on rare and common classes."""
    rare, common = paired.classes[: min(2, len(paired.classes) - 1)], paired.classes[-1]
    classes = "the rarest class" if len(rare) == 1 else "the two rarest classes"
    gain, loss = _change(paired.of_classes(name, rare), "F1 "), _change(paired.of_classes(name, [common]))
    return (
        f"{name} against {paired.baseline} {gain} on {classes} ({', '.join(rare)}) and {loss} on the most common "
        f"({common})."
    )


def _change(difference: Difference, unit: str = "") -> str:
    observed, low, high = difference
    perhaps = "perhaps " if low <= 0 <= high else ""
    size = f"{abs(observed):.2f}"
    what = "changes nothing " if float(size) == 0 else f"{'gains' if observed > 0 else 'loses'} {size} {unit}"
    return f"{perhaps}{what}{_interval(low, high)}".strip()


def _signed(difference: Difference) -> str:
    observed, low, high = difference
    return f"{signed_text(observed, 2)} {_interval(low, high)}"


def _interval(low: float, high: float) -> str:
    return interval_text(_rounded(low), _rounded(high), digits=2)


def _rounded(number: float) -> float:
    """Two digits, and no -0.00."""
    return round(number, 2) + 0.0


def _never_found(results: Results, done: dict[str, list[Run]]) -> list[str]:
    """Which methods find no image of a class in any of their runs."""
    blind = defaultdict(list)
    for label in next(iter(done.values()))[0].class_names:
        recalls = {name: [_recall(run)[label] for run in runs if label in _recall(run)] for name, runs in done.items()}
        blind[tuple(name for name, values in recalls.items() if values and not any(values))].append(label)
    blind.pop((), None)
    found = []
    for names, classes in blind.items():
        found.append(f"{_who(names, done)} {_listed(classes)}.")
        missed = results.classes[results.classes["row"].isin(names) & results.classes["class"].isin(classes)]
        few = missed[(missed["images"] < SURE_IMAGES) & missed["recall_high"].notna()]
        if len(few):
            each = few.groupby("class", sort=False).agg({"images": "max", "recall_high": "max"})
            told = [f"{row.Index} ({row.images} images): up to {row.recall_high:.2f}" for row in each.itertuples()]
            found.append(f"So few test images leave room for a recall of {_listed(told)}.")
    return found


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
    """That trainings differ, where there was only one of each method."""
    done = results.cells[results.cells["runs"] > 0]
    if done["rounds"].max() > 1:
        return []
    how = "was trained once" if done["runs"].max() == 1 else "was trained once for each fold"
    return [
        f"Each method {how}: the chance of training is not in these intervals, and they are of these networks, not of "
        "the methods; use --seeds 0 1 2."
    ]
