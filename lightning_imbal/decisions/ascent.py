"""Coordinate ascent over offsets of logits: each step tries every place where an answer changes."""

from collections.abc import Sequence

import numpy as np

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.confusions import Confusions
from lightning_imbal.decisions.plateaus import EQUAL, best_plateau
from lightning_imbal.decisions.scoring import score_answers, scores_of

SAME = 1e-9  # of logits: places that are nearer are one, since gains are rounded
NEED_ALL = ("mcc", "kappa", "kendall_tau")  # a right answer that becomes wrong might improve them
NEED_PAIRS = (
    "kappa",
    "kendall_tau",
    "adjacent_accuracy",
)  # of a true and an answered class, not only the counts of each
MAX_COUNTS = 200_000  # of classes times places: of more, some are tried first, then all beside the best of them
MAX_ELEMENTS = 4_000_000  # of the confusion matrices that are held at once


class Ascent:
    """Makes a score of images as large as changes of single offsets can.

    Args:
        validation: The images.
        score: What is made large.
    """

    def __init__(self, validation: Labelled, score: str) -> None:
        self._validation, self._score = validation, score
        with np.errstate(divide="ignore"):
            self._logit = np.log(validation.probability)
        self._number = len(validation.class_names)
        self._classes, self._total = validation.classes, validation.weight.sum()
        self._true = np.bincount(validation.label, validation.weight, self._number)

    def climb(self, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The score at the end and the offsets, (C,): each class in turn is moved, until that of none gains.

        Args:
            start: The offsets to begin with, (C,).
        """
        offset, logit = start.copy(), self._logit + start
        value, idle, c = self._value(logit), 0, 0
        while idle < self._number:
            place, score = self.best_place(logit, c)
            idle += 1
            if score > value + EQUAL:
                offset[c], value, idle = place, score, 0
                logit[:, c] = self._logit[:, c] + place
            c = (c + 1) % self._number
        return self._value(logit), offset

    def _value(self, logit: np.ndarray) -> float:
        return float(score_answers(self._validation, logit.argmax(axis=1)[None], self._score)[0])

    def best_place(self, logit: np.ndarray, c: int) -> tuple[float, float]:
        """The best offset of a class, while the others stay, and the score that it gives."""
        others = logit.copy()
        others[:, c] = -np.inf
        other = others.argmax(axis=1)
        # The offset from which an image is taken for c; below, it is taken for another class.
        edge = others[np.arange(len(other)), other] - self._logit[:, c]
        order = np.argsort(edge)
        always, never = np.searchsorted(edge[order], -np.inf, "right"), np.searchsorted(edge[order], np.inf)
        answers = other.copy()
        answers[order[:always]] = c
        moved = order[always:never]
        edge, lost = edge[moved], (other == self._validation.label)[moved]
        step = np.diff(edge, append=np.inf) > SAME  # whether the next image moves later
        ends = np.append(0, np.flatnonzero(step) + 1)  # images that have moved at each step
        low, high = np.append(-np.inf, edge[step]), np.append(edge[ends[:-1]], np.inf)
        # Nothing is best just after right answers have become wrong.
        gains = np.append(0, np.cumsum(~lost | (self._score in NEED_ALL)))[ends]
        tried = np.append(0, np.flatnonzero(np.diff(gains)) + 1)
        score = np.full(len(ends), -np.inf)
        if (some := MAX_COUNTS // self._number) < len(tried):
            first = np.linspace(0, len(tried) - 1, some).astype(np.int64)
            of_first = score[tried[first]] = self._scores(c, answers, moved, ends[tried[first]])
            best = int(of_first.argmax())
            tried = tried[first[max(best - 1, 0)] : first[min(best + 1, some - 1)] + 1]
        score[tried] = self._scores(c, answers, moved, ends[tried])
        return best_plateau(score, low, high), float(score.max())

    def _scores(self, c: int, answers: np.ndarray, moved: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The score after each number of images, (R,), of those that move to c; before, all have `answers`, (N,)."""
        elements = self._number ** (2 if self._score in NEED_PAIRS else 1) * len(ends)
        scores, answers = [], answers.copy()
        for part in np.array_split(ends, -(-elements // MAX_ELEMENTS)):
            answers[moved[: part[0]]] = c
            sets = self._sets(c, answers, moved[part[0] : part[-1]], part - part[0])
            scores.append(scores_of(sets, self._score))
        return np.concatenate(scores)

    def _sets(self, c: int, answers: np.ndarray, moved: np.ndarray, ends: np.ndarray) -> Confusions:
        number, steps, label, weight = self._number, len(ends), self._validation.label, self._validation.weight
        step, mass = np.searchsorted(ends, np.arange(len(moved)), "right"), weight[moved]

        def running(rows: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
            """Images in each row at each step, (rows, R), from the row of each image before it moves and after it."""
            change = np.zeros(rows * steps)
            change += np.bincount(after[moved] * steps + step, mass, rows * steps)
            change -= np.bincount(before[moved] * steps + step, mass, rows * steps)
            change[::steps] += np.bincount(before, weight, rows)
            sums = change.reshape(rows, steps).cumsum(axis=1)
            sums[sums < EQUAL * self._total] = 0  # what weights that were added and taken away again leave
            return sums

        if self._score in NEED_PAIRS:
            pairs = running(number**2, label * number + answers, label * number + c)
            return Confusions(self._classes, pairs.reshape(number, number, steps))
        sets = Confusions(self._classes, np.zeros((number, number, 0)))
        # What is wrong is in one row more.
        sets.hits = running(number + 1, np.where(answers == label, label, number), np.where(label == c, c, number))[
            :number
        ]
        sets.predicted = running(number, answers, np.full(len(label), c))
        sets.true = np.broadcast_to(self._true[:, None], sets.hits.shape)
        sets.total = np.full(steps, self._total)
        return sets


def best_offset(validation: Labelled, score: str, starts: Sequence[np.ndarray]) -> np.ndarray:
    """The offsets, (C,), whose score is the best of those that an ascent finds from each start, (C,).

    Args:
        validation: The images.
        score: What is made large.
        starts: Offsets to begin with: the score at the end is none of theirs or less.
    """
    ascent = Ascent(validation, score)
    return max((ascent.climb(start) for start in starts), key=lambda end: end[0])[1]
