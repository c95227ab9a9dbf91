"""A table as it is printed, whatever it is printed as."""

from dataclasses import dataclass, field

from lightning_imbal.wording import interval_text

QUOTED = "quoted"


@dataclass(frozen=True)
class Entry:
    """A number as it is printed.

    Args:
        number: The number, or a word in its place.
        std: Its standard deviation; empty if there is none.
        interval: Its 95 % interval, or what a calibrated network would not exceed; empty if there is neither.
        rank: 1 for the best of its column and 2 for the second best, if these are marked; else 0.
        star: Whether it differs significantly from the baseline's.
        word: What is said below, such as which subgroup it is of.
    """

    number: str = ""
    std: str = ""
    interval: str = ""
    rank: int = 0
    star: bool = False
    word: str = ""

    @property
    def text(self) -> str:
        """Number and standard deviation."""
        return f"{self.number} ± {self.std}" if self.std else self.number


@dataclass(frozen=True)
class Section:
    """The columns of a metric or of a class: for each heading the entries from top to bottom."""

    title: str
    columns: dict[str, list[Entry]]


@dataclass(frozen=True)
class Sheet:
    """A table: methods from top to bottom, sections side by side.

    Args:
        title: What it shows.
        methods: Names of its rows.
        sections: What it says of them.
        runs: How many runs of each row are finished, such as "2/3"; empty if the sheet does not say so.
        remarks: What is said below the names of rows that were trained.
        floors: How many of the last rows need no training.
        of: What the rows are.
    """

    title: str
    methods: list[str]
    sections: list[Section]
    runs: list[str] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    floors: int = 0
    of: str = "method"

    @property
    def trained(self) -> int:
        """Place behind the last row that was trained."""
        return len(self.methods) - self.floors

    def remark(self, place: int) -> str:
        """What is said below the name of a row."""
        return self.remarks.get(self.methods[place], "") if place < self.trained else ""


def interval_of(low: float, high: float, decimals: int) -> str:
    """A digit fewer than the number: bounds from resamples are not as exact."""
    return interval_text(low, high, digits=max(decimals - 1, 1))
