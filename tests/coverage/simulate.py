"""How far the intervals and stars of the tables hold, in worlds where the truth is known.

python tests/coverage/simulate.py [--seed 0] [--tiny] [--only NAME] [--out FILE]

What is observed stands beside what it should be, its limit, and how far the simulation itself may err (one standard
error, the largest of the scores in the line). A limit is broken, and the program exits with 1, where the observed is
beyond it by more than two standard errors; by less, the line says so. Resamples are fewer than in tables, 300 or 400.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process for each core

import argparse
import sys
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path

import numpy as np
from situations import SITUATIONS, Limit, Situation

ERRORS = 2  # standard errors of the simulation that the observed may be beyond a limit
TINY = 20  # times fewer repetitions
HOLDS, NEAR, BROKEN = "holds", "within its error", "BROKEN"
HEADER = ("situation", "what", "nominal", "observed ± error of the simulation", "limit", "verdict")


@dataclass(frozen=True)
class Line:
    """What was observed in a situation.

    Args:
        situation: Its name.
        what: Was measured.
        limit: Of that.
        observed: The mean over the repetitions, and its standard error, of each score.
    """

    situation: str
    what: str
    limit: Limit
    observed: dict[str, tuple[float, float]]

    def scores(self, verdict: str) -> list[str]:
        """The scores with a verdict."""
        return [name for name, found in self.observed.items() if _verdict(*found, self.limit) == verdict]

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of its cells in the table."""
        values = ", ".join(f"{name} {mean:.3f}" for name, (mean, _) in self.observed.items())
        observed = f"{values} (± {max(error for _, error in self.observed.values()):.3f})"
        return self.situation, self.what, _number(self.limit.nominal), observed, *self._limit_and_verdict

    @property
    def _limit_and_verdict(self) -> tuple[str, str]:
        least, most = self.limit.least, self.limit.most
        if not isfinite(least) and not isfinite(most):
            return "", ""
        limit = f"within ± {most}" if least == -most else f"at least {least}" if isfinite(least) else f"at most {most}"
        said = [f"{verdict}: {', '.join(names)}" for verdict in (BROKEN, NEAR) if (names := self.scores(verdict))]
        return limit, "; ".join(said) or HOLDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the arguments, simulates, and prints the table; 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help=f"{TINY} times fewer repetitions: does it run?")
    parser.add_argument("--only", default="", metavar="NAME", help="Situations with this in their names.")
    parser.add_argument("--out", type=Path, metavar="FILE", help="Markdown file to write the table to.")
    args = parser.parse_args(arguments)
    chosen = [situation for situation in SITUATIONS if args.only in situation.name]
    if not chosen:
        known = "\n".join(situation.name for situation in SITUATIONS)
        parser.error(f"no situation has {args.only!r} in its name; there are:\n{known}")

    lines = _simulated(chosen, args.seed, TINY if args.tiny else 1)
    text = markdown(lines)
    print(text)
    if args.out:
        args.out.write_text(text)
    return int(any(line.scores(BROKEN) for line in lines))


def _simulated(chosen: Sequence[Situation], seed: int, fewer: int) -> list[Line]:
    start, lines = time.perf_counter(), {}
    with ProcessPoolExecutor() as pool:
        # The last ones take longest.
        waiting = {pool.submit(lines_of, each, seed, fewer): each for each in reversed(chosen)}
        for done in as_completed(waiting):
            lines[waiting[done].name] = done.result()
            passed = time.perf_counter() - start
            print(
                f"{len(lines):3} of {len(chosen)}, {passed:4.0f} s: {waiting[done].name}", file=sys.stderr, flush=True
            )
    return [line for each in chosen for line in lines[each.name]]


def lines_of(situation: Situation, seed: int, fewer: int = 1) -> list[Line]:
    """Simulates a situation.

    Args:
        situation: What to simulate.
        seed: Of all that is drawn.
        fewer: Times fewer repetitions than it should have.
    """
    rng = np.random.default_rng([seed, zlib.crc32(situation.name.encode())])
    found = situation.measure(rng, -(-situation.repetitions // fewer))
    return [
        Line(situation.name, what, limit, {score: _mean(values) for score, values in found[what].items()})
        for what, limit in situation.limits.items()
    ]


def markdown(lines: Sequence[Line]) -> str:
    """The table."""
    rows = [HEADER, ["---"] * len(HEADER), *(line.cells for line in lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _mean(values: Sequence[float]) -> tuple[float, float]:
    known = np.array(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()), float(known.std() / np.sqrt(len(known)))


def _verdict(mean: float, error: float, limit: Limit) -> str:
    beyond = max(limit.least - mean, mean - limit.most)
    return HOLDS if beyond <= 0 else NEAR if beyond <= ERRORS * error else BROKEN


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:g}"


if __name__ == "__main__":
    sys.exit(main())
