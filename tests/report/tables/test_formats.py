"""Tables of made-up results in the terminal, as Markdown and as LaTeX, and their figures."""

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from PIL import Image
from rich.console import Console

from lightning_imbal.report.figures.of_table import draw
from lightning_imbal.report.tables.latex import to_latex
from lightning_imbal.report.tables.markdown import to_markdown
from lightning_imbal.report.tables.terminal import render_terminal
from lightning_imbal.stats.results import Results
from lightning_imbal.tables.spec import Column, Figure, Metric, Row, Spec

NAN = float("nan")
CLASSES = {"nevus": 4694, "dermatofibroma": 81, "melanoma": 779, "vascular lesion": 99}
RENDERERS = {
    "terminal": lambda results: in_terminal(results, 300),
    "markdown": to_markdown,
    "latex": to_latex,
}
UNKNOWN = dict.fromkeys(
    ["published", "published_std", "value", "std", "low", "high", "calibrated", "difference", "p_holm"], NAN
)
OF_CLASS = [f"{score}{what}" for score in ("f1", "recall") for what in ("", "_std", "_low", "_high")]


def made_up(known, classes=None, overlays=(), notes=(), **options):
    """Results of one column of which only the given numbers are known.

    Args:
        known: For each row the numbers of its cells, or for each row and metric; a row named "quoted ..." is quoted.
        classes: For each row and class training images and F1.
        overlays: As in `Results`.
        notes: As in `Results`.
        options: Of `Spec`.
    """
    spec = Spec(
        title="Table 1",
        columns=options.pop("columns", [Column(dataset="ISIC2018", backbone="resnet50")]),
        rows=options.pop("rows", {name: Row(quoted=name.startswith("quoted")) for name in known}),
        metrics=options.pop("metrics", {"f1_macro": Metric(score="f1", title="F-score")}),
        **options,
    )
    cells, of_classes = [], []
    for column in spec.columns:
        place = {"dataset": column.dataset, "backbone": column.backbone}
        for name, row in spec.rows.items():
            for metric in spec.metrics:
                numbers = known[name].get(metric, known[name])
                done = {"runs": 0 if row.quoted or "value" not in numbers else 2, "planned": 0 if row.quoted else 3}
                fixed = {"row": name, **place, "metric": metric, "quoted": row.quoted, "baseline": "CE"}
                fixed |= {"learned": True, "remark": ""}
                cells.append(fixed | UNKNOWN | done | numbers)
        for name, of_row in (classes or {}).items():
            for label, (count, f1) in of_row.items():
                scores = dict.fromkeys(OF_CLASS, NAN) | {"f1": f1, "f1_low": f1 - 0.1, "f1_high": f1 + 0.05}
                scores |= {"recall": f1 / 2, "recall_std": 0.01}
                of_classes.append({"row": name, **place, "class": label, "train_images": count, "runs": 2} | scores)
    columns = ["row", "dataset", "backbone", "class", "train_images", "runs", *OF_CLASS]
    return Results(spec, list(overlays), pd.DataFrame(cells), pd.DataFrame(of_classes, columns=columns), list(notes))


def in_terminal(results, width, **settings):
    console = Console(width=width, file=StringIO(), **settings)
    render_terminal(results, console)
    return console.file.getvalue()


def rows_of_terminal(text):
    """The entries of every line of a table without the empty ones at its end."""
    lines = (line for line in text.splitlines() if line.startswith(("│", "┃")))
    return [[entry.strip() for entry in re.split("[│┃]", line)[1:-1]] for line in lines]


def rows_of_markdown(text):
    return {
        entries[0]: entries[1:]
        for entries in (
            [entry.strip() for entry in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in text.splitlines()
            if line.startswith("|")
        )
    }


def measured(values, mark, score="f1"):
    """How Markdown prints the measured numbers of as many rows."""
    known = {f"row {number}": {} if np.isnan(value) else {"value": value} for number, value in enumerate(values)}
    rows = rows_of_markdown(to_markdown(made_up(known, metrics={"metric": Metric(score=score, mark=mark)})))
    return [rows[name][0] for name in known]


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws results and returns the figure as objects, and the picture that was saved."""
    kept, save = [], Drawing.savefig

    def keep(figure, *args, **kwargs):
        kept.append(figure)
        save(figure, *args, **kwargs)

    def drawing(results):
        draw(results, tmp_path / "figure.png")
        with Image.open(tmp_path / "figure.png") as picture:
            picture.load()
        return kept[-1], picture

    monkeypatch.setattr(Drawing, "savefig", keep)
    return drawing


FULL = {
    "CE": {"published": 0.850, "published_std": 0.0007, "value": 0.851, "std": 0.004, "low": 0.83, "high": 0.8699}
    | {"difference": 0.001, "runs": 3},
    "CL (ours)": {"published": 0.865, "published_std": 0.004, "value": 0.851, "std": 0.012, "low": 0.841, "high": 0.87}
    | {"difference": -0.014, "p_holm": 0.049},
    "LDAM": {"published": 0.857},
    "quoted DANIL": {"published": 0.9},
}


class TestNumbers:
    def test_terminal(self):
        rows = rows_of_terminal(in_terminal(made_up(FULL), 100))
        assert rows == [
            ["", "F-score", "", "", ""],
            ["method", "published", "measured", "difference", "runs"],
            ["CE", "0.850 ± 0.001", "0.851 ± 0.004", "+0.001", "3/3"],
            ["", "", "[0.83, 0.87]", "", ""],
            ["CL (ours)", "0.865 ± 0.004", "0.851 ± 0.012*", "-0.014", "2/3"],
            ["", "", "[0.84, 0.87]", "", ""],
            ["LDAM", "0.857", "n/a", "n/a", "0/3"],
            ["quoted DANIL", "0.900", "quoted", "", ""],
        ]

    def test_markdown(self):
        rows = rows_of_markdown(to_markdown(made_up(FULL)))
        assert rows == {
            "method": ["F-score<br>published", "F-score<br>measured", "F-score<br>difference", "runs"],
            "---": ["---:"] * 4,
            "CE": ["0.850 ± 0.001", "0.851 ± 0.004<br><sub>[0.83, 0.87]</sub>", "+0.001", "3/3"],
            "CL (ours)": ["0.865 ± 0.004", r"0.851 ± 0.012\*<br><sub>[0.84, 0.87]</sub>", "-0.014", "2/3"],
            "LDAM": ["0.857", "n/a", "n/a", "0/3"],
            "quoted DANIL": ["**0.900**", "quoted", "", ""],
        }

    def test_latex(self):
        lines = to_latex(made_up(FULL)).splitlines()
        body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
        assert body == [
            r"CE & 0.850 $\pm$ 0.001 & 0.851 $\pm$ 0.004 & +0.001 & 3/3 \\",
            r" &  & {\scriptsize [0.83, 0.87]} &  &  \\",
            r"CL (ours) & 0.865 $\pm$ 0.004 & 0.851 $\pm$ 0.012\rlap{*} & $-$0.014 & 2/3 \\",
            r" &  & {\scriptsize [0.84, 0.87]} &  &  \\",
            r"LDAM & 0.857 & n/a & n/a & 0/3 \\",
            r"quoted DANIL & \textbf{0.900} & quoted &  &  \\",
        ]
        assert r" & \multicolumn{3}{c}{F-score} &  \\" in lines
        assert r"\cmidrule(lr){2-4}" in lines

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_deviation_of_a_single_run_is_not_printed(self, render):
        text = render(made_up({"CE": {"value": 0.851, "runs": 1}}))
        assert "0.851" in text and "1/3" in text
        assert "0.000" not in text

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_columns_that_nobody_published_are_left_out(self, render):
        text = render(made_up({"CE": {"value": 0.851}}))
        assert "measured" in text
        assert "published" not in text and "difference" not in text

    def test_per_cent_have_decimals_of_their_own(self):
        known = {"value": 84.561, "std": 0.25, "low": 83.04, "high": 86.96, "published": 85.0, "difference": -0.439}
        text = to_markdown(made_up({"CE": known}, scale=100, decimals=2))
        assert "| CE | 85.00 | 84.56 ± 0.25<br><sub>[83.0, 87.0]</sub> | -0.44 | 2/3 |" in text

    def test_difference_that_rounds_to_nothing_is_not_negative(self):
        known = {"published": 0.8502, "value": 0.85, "difference": -0.0002}
        assert "+0.000" in to_markdown(made_up({"CE": known}))

    @pytest.mark.parametrize("p_holm, star", [(0.049, True), (0.05, False), (NAN, False)])
    def test_star(self, p_holm, star):
        text = in_terminal(made_up({"CE": {"value": 0.8}, "CL": {"value": 0.851, "p_holm": p_holm}}), 100)
        assert ("0.851*" in text) is star

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_below_a_calibration_error_is_that_of_a_calibrated_network(self, render):
        known = {"CE": {"value": 0.085, "calibrated": 0.0312}, "CL": {"value": 0.851, "low": 0.83, "high": 0.87}}
        text = render(made_up(known))
        assert text.count("calibrated: 0.031") == text.count("calibrated") == text.count("[0.83, 0.87]") == 1

    def test_points_are_below_each_other(self):
        text = in_terminal(made_up({"CE": {"value": 9.5, "std": 0.2, "runs": 2}, "CL": {"value": 10.25}}), 100)
        lines = [line for line in text.splitlines() if "CE" in line or "CL" in line]
        assert lines[0].index(".500") == lines[1].index(".250")


class TestMarks:
    @pytest.mark.parametrize(
        "mark, printed",
        [
            (0, ["0.800", "0.900", "0.700"]),
            (1, ["0.800", "**0.900**", "0.700"]),
            (2, ["<u>0.800</u>", "**0.900**", "0.700"]),
        ],
    )
    def test_as_many_as_asked_for(self, mark, printed):
        assert measured([0.8, 0.9, 0.7], mark) == printed

    def test_equal_as_printed_share_a_mark(self):
        printed = ["**0.900**", "**0.900**", "<u>0.800</u>", "<u>0.800</u>", "0.700"]
        assert measured([0.9001, 0.8999, 0.8, 0.8, 0.7], 2) == printed

    def test_missing_numbers_are_passed_over(self):
        assert measured([0.8, NAN, 0.7, NAN], 2) == ["**0.800**", "n/a", "<u>0.700</u>", "n/a"]

    def test_a_number_alone_is_not_the_best(self):
        assert measured([0.8, NAN], 2) == ["0.800", "n/a"]

    def test_smallest_calibration_error_is_best(self):
        assert measured([0.1, 0.02, 0.3], 2, score="ece") == ["<u>0.100</u>", "**0.020**", "0.300"]

    def test_published_and_measured_have_marks_of_their_own(self):
        known = {"CE": {"published": 0.7, "value": 0.9}, "quoted": {"published": 0.8}, "CL": {"value": 0.8}}
        rows = rows_of_markdown(to_markdown(made_up(known)))
        assert [rows[name][:2] for name in known] == [["0.700", "**0.900**"], ["**0.800**", "quoted"], ["n/a", "0.800"]]

    def test_styles_in_the_terminal(self):
        known = {"CE": {"value": 0.7}, "CL": {"value": 0.9}, "LDAM": {"value": 0.8}, "OHEM": {}}
        results = made_up(known, metrics={"metric": Metric(score="f1", mark=2)})
        text = in_terminal(results, 100, force_terminal=True, color_system="standard")
        assert "\x1b[1m0.900\x1b[0m" in text
        assert "\x1b[4m0.800\x1b[0m" in text
        assert "\x1b[2mn/a" in text

    def test_second_best_in_latex(self):
        known = {"CE": {"value": 0.7}, "CL": {"value": 0.9}}
        assert r"\underline{0.700}" in to_latex(made_up(known, metrics={"metric": Metric(score="f1", mark=2)}))


class TestClasses:
    @staticmethod
    def results(number=0):
        classes = {f"class{i}": i + 1 for i in range(number)} or CLASSES
        known = {"CE": {"value": 0.8}, "LDAM": {}, "CL": {"value": 0.9}}
        f1 = {"CE": 0.5, "CL": 0.6}
        per_row = {row: {name: (count, f1[row]) for name, count in classes.items()} for row in f1}
        per_row["CE"] |= {"melanoma": (779, 0.75)} if not number else {}
        return made_up(known, per_row)

    def test_from_most_to_fewest_training_images(self):
        rows = rows_of_terminal(in_terminal(self.results(), 120))[5:]
        assert rows == [
            ["", "", "", "vascular", ""],
            ["", "nevus", "melanoma", "lesion", "dermatofibroma"],
            ["method", "4,694 images", "779 images", "99 images", "81 images"],
            ["CE", "0.500", "0.750", "0.500", "0.500"],
            ["", "[0.40, 0.55]", "[0.65, 0.80]", "[0.40, 0.55]", "[0.40, 0.55]"],
            ["CL", "0.600", "0.600", "0.600", "0.600"],
            ["", "[0.50, 0.65]", "[0.50, 0.65]", "[0.50, 0.65]", "[0.50, 0.65]"],
        ]

    def test_best_of_each_class(self):
        text = to_markdown(self.results())
        table = text[text.index("F1 of every class") :]
        assert "| method | nevus<br>4,694 images | melanoma<br>779 images |" in table
        assert "| CE | 0.500<br><sub>[0.40, 0.55]</sub> | **0.750**<br>" in table
        assert "| CL | **0.600**<br><sub>[0.50, 0.65]</sub> | 0.600<br>" in table
        assert "LDAM" not in table

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_ten_are_all_shown_and_of_more_the_rarest(self, render):
        text = render(self.results(10))
        assert all(f"class{i}" in text for i in range(10))
        assert "F1 of every class" in text
        text = render(self.results(11))
        assert "F1 of the 5 of 11 classes with fewest training images (the CSV has all)" in text
        assert re.findall(r"class\d+", text) == [f"class{i}" for i in (4, 3, 2, 1, 0)]

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_no_table_before_anything_was_run(self, render):
        assert "F1 of" not in render(made_up({"CE": {}}))


class TestWidth:
    METRICS = {f"m{i}": Metric(score="f1", title=f"Metric{i} of everything") for i in range(5)}
    NAMES = ("CE", "Dual branch-BWCE+BHP / 2 proxies per-class", "quoted DANIL")

    def results(self):
        known = {
            name: {metric: FULL["CL (ours)"] | {"published": 0.1 * i} for i, metric in enumerate(self.METRICS)}
            for name in self.NAMES
        }
        classes = {self.NAMES[1]: {name: (count, 0.5) for name, count in CLASSES.items()}}
        note = "experiments/tables/" + 7 * "long_name_" + ".yaml is a long name."
        return made_up(known, classes, ["laptop"], [note], metrics=self.METRICS)

    @pytest.mark.parametrize("width", [60, 80, 100, 120, 200, 300])
    def test_nothing_is_cut(self, width):
        text = in_terminal(self.results(), width)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        rows = rows_of_terminal(text)
        heads = [entry for row in rows for entry in row]
        assert {word for entry in heads for word in entry.split() if word.startswith("Metric")} == {
            f"Metric{i}" for i in range(5)
        }
        assert sum(entry == "0.851 ± 0.012*" for entry in heads) == 2 * 5
        assert sum(entry == "[0.40, 0.55]" for entry in heads) == len(CLASSES)
        assert all(f"{0.1 * i:.3f} ± 0.004" in heads for i in range(5))

    @pytest.mark.parametrize("width, tables", [(80, 5), (122, 5), (123, 3), (200, 2), (300, 1)])
    def test_as_many_metrics_side_by_side_as_fit(self, width, tables):
        rows = rows_of_terminal(in_terminal(self.results(), width))
        assert sum("published" in row for row in rows) == tables


class TestText:
    def results(self, name):
        known = {name: {"published": 0.7, "value": 0.8}, "CE": {"value": 0.7}}
        metrics = {"metric": Metric(score="f1", title=name)}
        return made_up(known, {name: {name: (10, 0.5)}}, [name], [f"Note on {name}"], metrics=metrics)

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_title_columns_and_notes(self, render):
        text = render(made_up({"CE": {}}, overlays=["laptop", "own"], notes=["First.", "Second."]))
        assert "Table 1 (with laptop, own)" in text
        assert text.index("Table 1") < text.index("ISIC2018, resnet50") < text.index("First.") < text.index("Second.")

    @pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
    def test_title_without_overlays(self, render):
        assert "(with" not in render(made_up({"CE": {}}))

    def test_every_column_has_a_table(self):
        columns = [Column(dataset="A"), Column(dataset="B", backbone="x")]
        text = to_markdown(made_up({"CE": {"value": 0.5}}, columns=columns))
        assert re.findall("^### (.*)$", text, re.MULTILINE) == ["A", "B, x"]
        assert text.count("| CE | 0.500 |") == 2

    @pytest.mark.parametrize("name", ["a|b", "a_b_c", "50 % & 60 %", "[bold]x[/]", "a\\b", "~^$#{}<>", "x* ± 2 → 3"])
    def test_special_characters(self, name):
        results = self.results(name)
        assert name in in_terminal(results, 200)
        rows = rows_of_markdown(to_markdown(results))
        read = {re.sub(r"\\(\W|_)", r"\1", row) for row in rows}
        assert name in read
        assert {len(entries) for entries in rows.values() if len(entries) != 1} == {4}
        self.check_latex(to_latex(results))

    def test_latex_escapes(self):
        text = to_latex(self.results(r"[a]_b & 5 % | ~^$#{}\ <>"))
        name = r"{[}a{]}\_b \& 5 \% \textbar{} \textasciitilde{}\textasciicircum{}\$\#\{\}\textbackslash{} "
        name += r"\textless{}\textgreater{}"
        assert f"\n{name} & " in text
        assert rf"\item Note on {name}" in text

    def test_latex_of_a_large_table(self):
        self.check_latex(to_latex(TestWidth().results()))

    @staticmethod
    def check_latex(text):
        """Braces, environments, formulas and the number of entries of every row are in order."""
        bare = re.sub(r"\\\\|\\[{}$%&#_]", "", re.sub(r"^%.*$|%$", "", text, flags=re.MULTILINE))
        assert not re.search("[#%_~^|<]", bare.replace(r"\ifdim\width>\linewidth", ""))
        assert bare.count("$") % 2 == 0
        depth = np.cumsum([(sign == "{") - (sign == "}") for sign in bare])
        assert depth[-1] == 0 and depth.min() >= 0
        opened = []
        for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
            opened.append(name) if kind == "begin" else None
            assert kind == "begin" or opened.pop() == name
        assert not opened
        for columns, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
            for row in re.findall(r"^(.*)\\\\$", body, re.MULTILINE):
                spared = sum(int(number) - 1 for number in re.findall(r"\\multicolumn\{(\d+)\}", row))
                assert len(re.findall(r"(?<!\\)&", row)) + 1 + spared == len(columns)


class TestLines:
    ROWS = {
        "a 0.1": Row(curve="a", x=0.1),
        "a 0.01": Row(curve="a", x=0.01),
        "a 1": Row(curve="a", x=1.0),
        "b_$ 0.1": Row(curve="b_$ $", x=0.1),
        "CE": Row(),
    }
    KNOWN = {
        "a 0.1": {"value": 0.8, "low": 0.7, "high": 0.85, "std": 0.01},
        "a 0.01": {"value": 0.6, "std": 0.02},
        "a 1": {},
        "b_$ 0.1": {"value": 0.5},
        "CE": {"value": 0.9},
    }

    def results(self, log=True, known=None, **options):
        figure = Figure(kind="lines", x="coefficient", log=log)
        return made_up(known or self.KNOWN, rows=self.ROWS, figure=figure, **options)

    def test_points_and_whiskers(self, drawn):
        figure, picture = drawn(self.results())
        (axes,) = figure.axes
        a, b = axes.containers
        assert np.allclose(np.transpose(a[0].get_data()), [[0.01, 0.6], [0.1, 0.8]])
        (bars,) = a[2]
        assert np.allclose([bar[:, 1] for bar in bars.get_segments()], [[0.58, 0.62], [0.7, 0.85]])
        assert np.allclose(np.transpose(b[0].get_data()), [[0.1, 0.5]])
        assert axes.get_xscale() == "log"
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == (
            "coefficient",
            "F-score",
            "ISIC2018, resnet50",
        )
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", r"b_\$ \$"]
        assert picture.format == "PNG" and picture.size == (1200, 600)
        assert np.asarray(picture.convert("L")).std() > 5

    def test_zero_on_a_logarithmic_axis(self, drawn):
        rows = {"plain": Row(curve="a", x=0), "a 0.1": Row(curve="a", x=0.1)}
        known = {"plain": {"value": 0.4}, "a 0.1": {"value": 0.5}}
        figure, _ = drawn(made_up(known, rows=rows, figure=Figure(kind="lines", log=True)))
        assert figure.axes[0].get_xscale() == "symlog"

    def test_linear_axis(self, drawn):
        figure, _ = drawn(self.results(log=False))
        assert figure.axes[0].get_xscale() == "linear"

    def test_a_panel_for_every_column_and_metric(self, drawn):
        columns = [Column(dataset="A"), Column(dataset="B")]
        metrics = {"all": Metric(score="f1", title="All"), "minor": Metric(score="f1")}
        known = {name: {"all": numbers, "minor": {}} for name, numbers in self.KNOWN.items()}
        figure, picture = drawn(self.results(known=known, columns=columns, metrics=metrics, scale=100))
        panels = [(axes.get_title(), axes.get_ylabel()) for axes in figure.axes]
        assert panels == [("A", "All (%)"), ("A", "minor (%)"), ("B", "All (%)"), ("B", "minor (%)")]
        said = [[text.get_text() for text in axes.texts] for axes in figure.axes]
        assert said == [[], ["nothing run yet"], [], ["nothing run yet"]]
        assert picture.size == (1200, 1080)

    def test_nothing_run(self, drawn):
        figure, _ = drawn(self.results(known=dict.fromkeys(self.KNOWN, {})))
        assert [text.get_text() for text in figure.axes[0].texts] == ["nothing run yet"]
        assert not figure.legends


class TestBars:
    def results(self, score="f1", classes=CLASSES, rows=("CE", "CL"), **options):
        f1 = {row: {name: (count, 0.5 + 0.1 * number) for name, count in classes.items()} for number, row in rows}
        known = {row: {"value": 0.8} for _, row in rows} | {"LDAM": {}, "quoted": {}}
        return made_up(known, f1, figure=Figure(kind="bars", score=score), **options)

    def test_bars_and_whiskers(self, drawn):
        figure, picture = drawn(self.results(rows=[(0, "CE"), (1, "CL")], overlays=["laptop"]))
        (axes,) = figure.axes
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert ticks == ["nevus (4,694)", "melanoma (779)", "vascular lesion (99)", "dermatofibroma (81)"]
        bars = [bars for bars in axes.containers if hasattr(bars, "patches")]
        assert [[bar.get_height() for bar in of_row] for of_row in bars] == [[0.5] * 4, [0.6] * 4]
        (whiskers,) = bars[1].errorbar[2]
        assert np.allclose([line[:, 1] for line in whiskers.get_segments()], [[0.5, 0.65]] * 4)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["CE", "CL"]
        assert axes.get_ylabel() == "F1"
        assert figure.get_suptitle() == "Table 1 (with laptop)"
        assert picture.size == (1200, 660)

    def test_recall_without_an_interval_has_the_deviation(self, drawn):
        figure, _ = drawn(self.results("recall", rows=[(0, "CE")]))
        bars = next(bars for bars in figure.axes[0].containers if hasattr(bars, "patches"))
        (whiskers,) = bars.errorbar[2]
        assert np.allclose([line[:, 1] for line in whiskers.get_segments()], [[0.24, 0.26]] * 4)
        assert figure.axes[0].get_ylabel() == "Recall"

    def test_bars_do_not_overlap(self, drawn):
        figure, _ = drawn(self.results(rows=list(enumerate(["CE", "CL", "RS"]))))
        bars = [bar for bars in figure.axes[0].containers for bar in getattr(bars, "patches", [])]
        bars = sorted(bars, key=lambda bar: bar.get_x())
        assert all(left.get_x() + left.get_width() < right.get_x() for left, right in zip(bars, bars[1:], strict=False))

    def test_many_bars_make_a_wider_picture(self, drawn):
        classes = {f"class{i}": 100 - i for i in range(20)}
        _, picture = drawn(self.results(rows=list(enumerate("abcdefghi")), classes=classes))
        assert picture.width == int(20 * 9 * 0.07 * 150)

    def test_nothing_run(self, drawn):
        columns = [Column(dataset="A"), Column(dataset="B")]
        figure, _ = drawn(self.results(rows=[], columns=columns))
        assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [["nothing run yet"]] * 2


class TestDots:
    def results(self, rows=("CE", "CL", "RS"), **options):
        f1 = {
            row: {name: (count, 0.5 + 0.1 * number) for name, count in CLASSES.items()}
            for number, row in enumerate(rows)
        }
        columns = [Column(dataset="A"), Column(dataset="B")]
        known = dict.fromkeys(("CE", "CL", "RS"), {"value": 0.8})
        return made_up(known, f1, columns=columns, figure=Figure(kind="dots"), **options)

    def test_panel_of_each_class_has_a_dot_for_each_row_and_column(self, drawn):
        figure, _ = drawn(self.results())
        titles = [axes.get_title().replace("\n", " ") for axes in figure.axes]
        assert titles == ["nevus (4,694)", "melanoma (779)", "vascular lesion (99)", "dermatofibroma (81)"]
        for axes in figure.axes:
            first, second = axes.containers
            assert [list(dots[0].get_xdata()) for dots in (first, second)] == [pytest.approx([0.5, 0.6, 0.7])] * 2
            (whiskers,) = first[2]
            assert np.allclose([line[:, 0] for line in whiskers.get_segments()][1], [0.5, 0.65])
            assert (first[0].get_ydata() < second[0].get_ydata()).all()
            assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is at the top
            assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [0.5, 0.5]  # CE
            assert axes.get_xlabel() == "F1"
        assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["CE", "CL", "RS"]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "B"]

    def test_more_rows_make_a_higher_picture(self, drawn):
        heights = [drawn(self.results(rows))[1].height for rows in (["CE"], ["CE", "CL", "RS"])]
        assert heights[1] - heights[0] == pytest.approx(2 * 2 * 0.11 * 150, abs=1)

    def test_nothing_run(self, drawn):
        figure, _ = drawn(self.results(rows=[]))
        assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [["nothing run yet"]]


class TestFloors:
    @pytest.fixture
    def results(self):
        """A row that learned, one that did not though its score is the best, and two that need no training."""
        known = {"CE": {"value": 0.5, "published": 0.75}, "CL": {"value": 0.25}}
        known |= {"RS": {"value": 0.625, "published": 0.25}}
        found = made_up(known, {"CE": {"mel": (9, 0.25)}, "RS": {"mel": (9, 0.5)}})
        last = found.cells["row"] == "RS"
        found.cells.loc[last, ["learned", "remark"]] = [False, 'answers only "mel"']
        floors, classes = found.cells[:2].assign(row=["majority class", "draw"]), found.classes[:2]
        floors = floors.assign(published=NAN, value=[0.125, NAN], low=0.0625, high=0.1875)
        classes = classes.assign(row=["majority class", "draw"], f1=0.9, runs=0)
        return replace(found, floors=floors, floor_classes=classes)

    def test_markdown(self, results):
        of_scores, of_classes = to_markdown(results).split("### ")[1:]
        rows = rows_of_markdown(of_scores)
        assert rows["CE"][:2] == ["**0.750**", "**0.500**"], "the best of those that learned"
        assert rows['RS<br><sub>answers only "mel"</sub>'][:2] == ["0.250", "0.625"]
        assert rows["*majority class*"] == ["", "0.125<br><sub>[0.06, 0.19]</sub>", "", ""]
        assert list(rows)[-1] == "*draw*" and rows["*draw*"][1].startswith("n/a")
        assert [row[0].partition("<")[0] for row in list(rows_of_markdown(of_classes).values())[2:]] == [
            *("0.250", "0.500", "0.900", "0.900")
        ]

    def test_terminal(self, results):
        first, second = in_terminal(results, 300).split("F1 of every class")
        entries = [row[0] for row in rows_of_terminal(first)][2:]
        assert entries == ["CE", "CL", "RS", 'answers only "mel"', "majority class", "", "draw"]
        for text in (first, second):
            names = [line for line in text.splitlines() if line.startswith(("├", "│ majority"))]
            assert names[0].startswith("├") and len(names) == 2, "a line above"

    def test_latex(self, results):
        lines = to_latex(results).splitlines()
        below = lines.index(r'{\scriptsize answers only "mel"} &  &  &  &  \\')
        assert lines[below - 1].startswith("RS & 0.250 & 0.625") and lines[below + 1] == r"\midrule"
        assert lines[below + 2] == r"majority class &  & 0.125 &  &  \\"

    def test_a_row_of_the_same_name_keeps_its_own_remark(self, results):
        rows = {"majority class": Row()}
        cells = results.cells[:1].assign(row="majority class", remark="mine")
        of_both = replace(results, spec=replace(results.spec, rows=rows), cells=cells, classes=results.classes[:0])
        assert to_markdown(of_both).count("<sub>mine</sub>") == in_terminal(of_both, 300).count("mine") == 1
