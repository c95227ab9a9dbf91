"""Which rows of a table differ, and which cannot be told from the best one."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtr

from lightning_imbal.score_names import lower_is_better
from lightning_imbal.stats.bootstrap import SIGNIFICANT, draw, resampled_rounds, units_of
from lightning_imbal.stats.proportions import MANY, Intervals, student
from lightning_imbal.stats.range_test import beyond, furthest
from lightning_imbal.stats.rounds import Round, mean_known
from lightning_imbal.stats.row_scores import NO_INTERVAL, RowScores, class_keys, correlation, recovered
from lightning_imbal.stats.spread import ROUNDING, p_value_of, spread
from lightning_imbal.stats.training_chance import moderated
from lightning_imbal.stats.unit_counts import UnitCounts

CHOSEN = 200  # resamples in which the best row is chosen


class Difference(NamedTuple):
    """How far one row is above another: what was observed, and its 95 % interval (NaN if nothing varies)."""

    observed: float
    low: float
    high: float


class Compared:
    """The scores of the rows of one column of a table, on the same resamples.

    Args:
        rows: The rounds of each row.
        keys: Of the scores.
        average: Taken over the rounds of a row.
        resamples: How often the test images are resampled.
        seed: Of the drawing.
        floors: Rounds of what needs no training, as `floors_of` has them: in no ranking, and in no variance of rows.

    Attributes:
        rows: The scores of each row.
        floors: Those of each floor.
    """

    def __init__(
        self,
        rows: dict[str, list[Round]],
        keys: Sequence[str],
        average: Literal["mean", "median"] = "mean",
        resamples: int = 2000,
        seed: int = 0,
        floors: dict[str, list[Round]] | None = None,
    ) -> None:
        self._seed = seed
        self._chance: dict[tuple[str, int], tuple[dict[str, float], float]] = {}
        counts = {name: UnitCounts(rounds) for name, rounds in rows.items()}
        further = [key for name, rounds in rows.items() for key in class_keys(rounds[0], counts[name], keys)]
        names, units = list(dict.fromkeys([*keys, *further])), units_of(rows)
        count = draw(len(units), resamples, seed)
        chosen = count[:CHOSEN] if len(rows) > 2 else count[:0]
        # Behind the resamples, what the first of them have left out, and at last each unit once: what does not depend
        # on the resample is computed once.
        once = np.ones((1, count.shape[1]), dtype=count.dtype)
        with_left_out = np.concatenate([count.T, (chosen == 0).astype(count.dtype).T, once.T], axis=1).T
        scores = resampled_rounds(rows, names, with_left_out, units)
        self.rows = {
            name: _row_scores(rounds, counts[name], scores[name], resamples, average) for name, rounds in rows.items()
        }
        self._left_out = {
            name: {key: values[:, resamples:-1] for key, values in of_row.items()} for name, of_row in scores.items()
        }
        self.floors = {}
        if floors:
            of_floors = resampled_rounds(floors, names, np.concatenate([count.T, once.T], axis=1).T, units)
            self.floors = {
                name: _row_scores(rounds, UnitCounts(rounds), of_floors[name], resamples, average)
                for name, rounds in floors.items()
            }

    def p_value(self, name: str, other: str, key: str) -> float:
        """Two-sided p-value of the difference of two rows with the same rounds.

        Of one round it is of their networks: another training of the same methods might turn it round.

        The deviation is that over the resampled test images, the same for both rows, and as in McNemar's test around a
        difference of 0, not around what was observed: where a class has few units, that makes a difference. Of several
        rounds the chance of training is added, with Satterthwaite's degrees of freedom.
        """
        observed = self.rows[name].value(key) - self.rows[other].value(key)
        return p_value_of(observed, *self._deviation(key, name, other))

    def difference(self, name: str, other: str, key: str) -> Difference:
        """How far a row is above another one with the same rounds; its interval holds 0 where `p_value` is over 5 %."""
        deviation, freedom = self._deviation(key, name, other)
        observed = self.rows[name].value(key) - self.rows[other].value(key)
        reach = student(np.array(freedom)) * deviation if deviation > ROUNDING else np.nan
        return Difference(observed, *(float(end) for end in (observed - reach, observed + reach)))

    def class_difference(self, name: str, other: str, classes: Sequence[str]) -> Difference:
        """How far a row is above another one in the mean F1 of some classes, from the intervals of both."""
        rows = [self.rows[name], self.rows[other]]
        places = [rows[0].class_names.index(each) for each in classes]
        found = [row.of_classes("f1") for row in rows]
        both = Intervals(*(np.concatenate([getattr(each, what)[places] for each in found]) for what in Intervals.NAMES))
        weight = np.repeat([1 / len(places), -1 / len(places)], len(places))
        keys = [f"f1/{each}" for each in classes]
        together = correlation(
            [row.averages(key) for row in rows for key in keys], [row.by_images(key) for row in rows for key in keys]
        )
        observed = float(both.value @ weight)
        # A class in which both are right, and wrong, on the same images adds nothing.
        equal = [np.array_equal(rows[0].averages(key), rows[1].averages(key), equal_nan=True) for key in keys]
        weight[np.tile(equal, 2)] = 0
        low, high = recovered(observed, weight, both, together)
        return Difference(observed, *((float(low), float(high)) if high - low > ROUNDING else NO_INTERVAL))

    def above_floor(self, name: str, key: str) -> float:
        """P-value of a row's being above the better floor in a score, the higher the better; 1 where it is not.

        Its rounds need not be those of the floor, which answers the same images. The deviation is that around what was
        observed: answers that have nothing to do with the labels are taken for better ones in at most 5 of 100 tests.
        The chance of training is the row's.
        """
        row, floor = self.rows[name], max(self.floors.values(), key=lambda each: each.value(key))
        of_rows, freedom = self._of_rounds(key, len(row.rounds))
        observed = max(0.0, row.value(key) - floor.value(key))
        return p_value_of(observed, *spread(key, row, floor, of_rows[name], freedom, around_zero=False))

    def beside_best(self, names: Sequence[str], key: str) -> tuple[str, dict[str, float]]:
        """The best of several rows with the same rounds, and the p-value of each other one against it.

        It is corrected for the best being chosen from all of them: it is the share of resamples in which some two rows
        are further apart than they are on average, each two in their own deviations (range test by the bootstrap), and
        at least the p-value of the two rows alone.

        Args:
            names: Of the rows.
            key: Of the score.
        """
        values = [self.rows[name].value(key) for name in names]
        best = int((np.argmin if lower_is_better(key) else np.argmax)(values))
        apart = self._range(names, key)
        others = [name for name in names if name != names[best]]
        return names[best], {name: beyond(apart, self.p_value(name, names[best], key)) for name in others}

    def told_apart(self, names: Sequence[str], key: str, level: float = SIGNIFICANT) -> np.ndarray:
        """Which of several rows with the same rounds is above which, of those that are told from each other.

        All pairs at once: where all rows are equal, any of them is told from any other in `level` of all tables.

        Returns:
            1 where the first row of a pair has the higher score, -1 where the second has, 0 where it is not known,
            (K, K).
        """
        apart = self._range(names, key)
        signs = np.zeros((len(names), len(names)))
        for one, other in combinations(range(len(names)), 2):
            if beyond(apart, self.p_value(names[one], names[other], key)) < level:
                rows = [self.rows[names[place]].value(key) for place in (one, other)]
                signs[one, other] = np.sign(rows[0] - rows[1])
                signs[other, one] = -signs[one, other]
        return signs

    def _range(self, names: Sequence[str], key: str) -> np.ndarray:
        """How far any two rows with the same rounds are apart by chance alone, sorted, see `furthest`."""
        rows = [self.rows[name] for name in names]
        resampled = np.stack([row.averages(key) for row in rows])  # (K, R)
        resampled = resampled[:, ~np.isnan(resampled).any(axis=0)]
        of_rounds, _ = self._of_rounds(key, len(rows[0].rounds))
        noise = np.random.default_rng([self._seed, len(rows)]).standard_normal(resampled.shape)
        noise *= np.sqrt([of_rounds[name] for name in names])[:, None]
        return np.sort(furthest(resampled - resampled.mean(axis=1, keepdims=True) + noise))

    def corrected_advantage(self, names: Sequence[str], baseline: str, key: str) -> float:
        """How far the best of several rows is above the baseline, without what it owes to being chosen.

        In each resample the best row is chosen; it and the baseline are measured on the units that were not drawn, and
        of several rounds on one that it was not chosen by.

        Args:
            names: Of the rows, without the baseline; all with the same rounds.
            baseline: The row to compare with.
            key: Of the score.

        Returns:
            The mean over the resamples; NaN if none has the score, or there are fewer than three rows to choose from.
        """
        measured = np.stack([self._left_out[name][key] for name in [*names, baseline]])
        number = measured.shape[2]
        chosen_by = np.stack([self.rows[name].resampled[key][:, :number] for name in names])  # (K, S, R)
        rounds, resample = chosen_by.shape[1], np.arange(number)
        one = resample % rounds
        if rounds > 1:
            chosen_by = np.where(np.arange(rounds)[:, None] == one, np.nan, chosen_by)
        means = mean_known(list(chosen_by.swapaxes(0, 1))) * (-1 if lower_is_better(key) else 1)
        best = np.nan_to_num(means, nan=-np.inf).argmax(axis=0)
        advantage = measured[best, one, resample] - measured[-1, one, resample]
        known = advantage[~np.isnan(advantage)]
        return float(known.mean()) if len(known) else np.nan

    def power(self, names: Sequence[str], baseline: str, key: str, difference: float) -> float:
        """How often a true difference from the baseline would be seen, of a typical row, after Holm's first step."""
        level, seen = SIGNIFICANT / len(names), []
        for name in names:
            deviation, freedom = self._deviation(key, name, baseline, around_zero=False)
            if deviation > ROUNDING:
                reach = float(student(np.array(freedom), 1 - level / 2))
                seen.append(float(stdtr(min(freedom, MANY), difference / deviation - reach)))
        return float(np.median(seen)) if seen else np.nan

    def _deviation(self, key: str, name: str, other: str, around_zero: bool = True) -> tuple[float, float]:
        """Of the difference of two rows: its standard deviation, around 0 or the mean, and its degrees of freedom."""
        of_rows, freedom = self._of_rounds(key, len(self.rows[name].rounds))
        of_rounds = of_rows[name] + of_rows[other]
        return spread(key, self.rows[name], self.rows[other], of_rounds, freedom, around_zero)

    def _of_rounds(self, key: str, rounds: int) -> tuple[dict[str, float], float]:
        """The variance of each row's average by the chance of training, of rows with so many rounds; its freedom."""
        if (key, rounds) not in self._chance:
            values = {name: row.observed[key] for name, row in self.rows.items() if len(row.rounds) == rounds}
            found, freedom = np.zeros(len(values)), MANY
            if rounds > 1:
                found, freedom = moderated(np.var(list(values.values()), axis=1, ddof=1), rounds - 1)
            self._chance[key, rounds] = dict(zip(values, (found / rounds).tolist(), strict=True)), freedom
        return self._chance[key, rounds]


def _row_scores(
    rounds: list[Round], counts: UnitCounts, scores: dict[str, np.ndarray], resamples: int, average: str
) -> RowScores:
    """Of what was scored in each resample and, at last, once."""
    resampled = {key: values[:, :resamples] for key, values in scores.items()}
    observed = {key: values[:, -1] for key, values in scores.items()}
    return RowScores(rounds, counts, resampled, observed, average == "median")
