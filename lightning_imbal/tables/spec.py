"""What a table consists of: rows, columns, seeds or folds, and metrics."""

from dataclasses import dataclass, field
from typing import Any, Literal

from lightning_imbal.decisions.base import Rule
from lightning_imbal.score_names import lower_is_better


@dataclass(kw_only=True)
class Metric:
    """A metric of the paper.

    Args:
        score: Its key among the scores of a run, such as `f1`, `group_recall/minor`; see `score_names`.
        title: Heading; by default the name of the metric.
        mark: How many rows the paper marks: 0, 1 (the best, bold) or 2 (the second best too, underlined).
    """

    score: str
    title: str | None = None
    mark: int = 1

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is better, as of a calibration error."""
        return lower_is_better(self.score)


@dataclass(kw_only=True)
class FurtherTest:
    """A further test of a trained checkpoint, where nothing is trained again.

    Args:
        name: Folder of its results, inside that of the run.
        configs: Files for `lightning_imbal test --config`.
        options: Options of `lightning_imbal test`, such as `model.perturb.temperature: 10`.
    """

    name: str
    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Row:
    """A method.

    Args:
        configs: Files that are laid over those of the column.
        options: Options of `fit`, such as `model.temperature: 0.1`.
        epochs: Share of the protocol's epochs.
        start: Row whose first stage is the same; it is taken from that run and not trained again.
        test: Results are those of this test, not those of the run's own.
        report: Sub-folder of the results, such as `plain` of a PerturbedClassifier.
        decision: Rule by which classes are answered, fitted on the validation part; nothing is trained for it.
        pool: The images of each group (lesion, patient) count as one: `mean` or `max` of their probabilities. Nothing
            is run for it; a row with the same settings, pooled or not, has the same runs.
        quoted: The paper quotes the numbers from elsewhere; nothing is run.
        curve: Name of the curve of a figure that the row is a point of.
        x: Where on that curve.
    """

    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    epochs: float = 1.0
    start: str | None = None
    test: FurtherTest | None = None
    report: str = ""
    decision: Rule | None = None
    pool: Literal["mean", "max"] | None = None
    quoted: bool = False
    curve: str | None = None
    x: float | None = None


@dataclass(kw_only=True)
class Column:
    """A protocol: a data set, and a backbone.

    Args:
        dataset: Name of the data set, as in the published numbers.
        backbone: Name of the backbone, as in the published numbers.
        configs: Files below those of the row.
        options: Options of `fit`; they win over those of the row.
        seeds: Seeds to run.
        folds: Folds to run instead, each with the default seed.
        test: As in `Row`, for all rows.
    """

    dataset: str
    backbone: str = ""
    configs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [0])
    folds: list[int] | None = None
    test: FurtherTest | None = None

    @property
    def title(self) -> str:
        """Data set and backbone."""
        return ", ".join(filter(None, [self.dataset, self.backbone]))


@dataclass(kw_only=True)
class Figure:
    """How the results are drawn.

    Args:
        kind: `lines`: the metrics over `x` of the rows, a line per curve. `bars`: a score of each class, a bar per row.
            `dots`: the same, a panel per class, in it a dot for each row and column; for many rows.
        score: Of bars and dots: `f1` or `recall`.
        x: Title of the horizontal axis of lines.
        log: Whether that axis is logarithmic.
    """

    kind: Literal["lines", "bars", "dots"]
    score: Literal["f1", "recall"] = "f1"
    x: str = ""
    log: bool = False


@dataclass(kw_only=True)
class Spec:
    """A table or figure of a paper, or one of your own.

    Args:
        title: Paper, number of the table, and what it shows.
        columns: Protocols.
        rows: Methods by their names.
        metrics: Metrics by their names in the published numbers.
        published: CSV file with columns row, dataset, backbone, metric, value, std.
        average: What is taken over the seeds or folds.
        scale: What scores are multiplied with: 100 for per cent.
        decimals: How many are printed.
        baseline: Row that all others are tested against; by default the first that is run.
        figure: Draws the results as well.
        features: Rows that train no backbone, and those that start from another row, are trained on features that are
            stored once for each column and fold, or first stage; true: of the pictures as they are tested, a number: of
            so many augmented versions of each training picture, then for each seed.
        gap: Titles of two columns: how far the scores in the first are above those in the second is a table as well.
        rankings: Titles of two columns: whether they put the rows in the same order is a table as well.

    Attributes:
        name: Stem of the file that it was read from.
    """

    title: str
    columns: list[Column]
    rows: dict[str, Row]
    metrics: dict[str, Metric]
    published: str | None = None
    average: Literal["mean", "median"] = "mean"
    scale: float = 1.0
    decimals: int = 3
    baseline: str | None = None
    figure: Figure | None = None
    features: bool | int = False
    gap: list[str] | None = None
    rankings: list[str] | None = None
    name: str = field(init=False, default="")

    @property
    def unit(self) -> str:
        """What follows the title of a score on an axis."""
        return " (%)" if self.scale == 100 else ""
