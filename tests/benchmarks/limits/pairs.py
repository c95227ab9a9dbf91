"""Two ways to do the same, measured in turn in one process: a bare loop or a peer, and the product."""

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

Run = Callable[[], Any]


class Cost(NamedTuple):
    """Seconds of the clock and of the processors, those of processes that it has started with it."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Pair:
    """A row of the table.

    Args:
        what: What is done, with its sizes.
        bare: What the product is measured beside.
        bare_run: Does it once.
        product_run: Does the same once with the product.
        goal: What the product may cost at most.
        unit: Of the goal: seconds, or times what `bare` takes; both of the clock.
        rounds: How often each is measured, in turn, after one round that is not.
    """

    what: str
    bare: str
    bare_run: Run
    product_run: Run
    goal: float
    unit: Literal["s", "x"]
    rounds: int = 5

    def measure(self, rounds: int | None = None) -> "Measured":
        """Medians of the rounds, of other than its own number if given; the ratio is that of the pairs."""
        self.bare_run(), self.product_run()
        pairs = [(cost(self.bare_run), cost(self.product_run)) for _ in range(rounds or self.rounds)]
        bare, product = (
            Cost(*(statistics.median(each) for each in zip(*side, strict=True))) for side in zip(*pairs, strict=True)
        )
        return Measured(self, bare, product, statistics.median(ours.wall / other.wall for other, ours in pairs))


@dataclass(frozen=True)
class Measured:
    """What a pair cost."""

    pair: Pair
    bare: Cost
    product: Cost
    ratio: float

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return (self.product.wall if self.pair.unit == "s" else self.ratio) <= self.pair.goal

    def row(self) -> list[str]:
        """Cells of the table: what, beside what, both costs, their ratio, the goal and whether it is met."""
        goal = f"{self.pair.goal:g} x" if self.pair.unit == "x" else seconds(self.pair.goal)
        costs = [f"{seconds(each.wall)} ({seconds(each.cpu)})" for each in (self.bare, self.product)]
        return [self.pair.what, self.pair.bare, *costs, f"{self.ratio:.2f}", goal, "yes" if self.met else "no"]


def cost(run: Run) -> Cost:
    """What it takes to run something once."""
    wall, cpu = time.perf_counter(), _of_processors()
    run()
    return Cost(time.perf_counter() - wall, _of_processors() - cpu)


def repeated(run: Run, times: int) -> Run:
    """Runs something short so many times, which are one cost."""

    def run_all() -> None:
        for _ in range(times):
            run()

    return run_all


def seconds(number: float) -> str:
    """In the unit that shows three digits."""
    return f"{number:.3g} s" if number >= 1 else f"{1000 * number:.3g} ms"


def _of_processors() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used) + _of_children_that_run()


def _of_children_that_run() -> float:
    """Seconds of the processes that this one has started, and of what those have started and waited for (Linux)."""
    ticks = 0
    for process in "".join(file.read_text() for file in Path("/proc/self/task").glob("*/children")).split():
        ticks += sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
