"""The figures of a paper, drawn from made-up runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import COUNTS, NAMES, write_features, write_run, write_stage
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from lightning_imbal.report.figures.look import COLOURS, HATCHES, IN_GREY, filling, line, wrapped
from lightning_imbal.report.figures.of_runs import (
    PAPER,
    class_histogram,
    class_scores,
    confusion_matrices,
    drawn_runs,
    feature_maps,
    figures_of,
    reliability_diagrams,
    sweep_lines,
    training_curves,
    write_figures,
)
from lightning_imbal.report.figures.panels import draw_matrix, draw_sweep
from lightning_imbal.stats.analysis import reliability
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.sweeps import Sweep

LONG = (
    "a $x_1$ of 100 % with a name that takes more letters than any line of a figure has, and _then_ some more of them"
)


def read_two(folder, **options):
    """Results of two methods with two seeds each."""
    for row, skill in {"CE": 1.0, "SC": 2.0}.items():
        for seed in range(2):
            run = folder / f"{row}+seed{seed}"
            write_run(run, skill=skill, noise=seed, seed=seed, **options)
            write_stage(run / "stage1", seed=seed)
    return read_runs(sorted(folder.iterdir()))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return read_two(tmp_path_factory.mktemp("two"))


def read_rows(folder, rows, **options):
    """Results of a run of each row."""
    for noise, row in enumerate(rows):
        write_run(folder / row, noise=noise, **options)
    return read_runs([folder / row for row in rows])


def bars_of(axes):
    return [bars for bars in axes.containers if hasattr(bars, "patches")]


def lines_of(axes):
    """Points of each curve that the legend names."""
    lines = zip(*axes.get_legend_handles_labels(), strict=True)
    return {label: np.transpose(handle.get_data()) for handle, label in lines}


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def check_layout(figure):
    """Nothing is cut off, and every axis that has numbers or names at its ticks has one itself."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.01 and box.y0 > -0.01 and box.x1 < width + 0.01 and box.y1 < height + 0.01
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_label() == "<colorbar>" or not has_tick_labels(axes.xaxis)
        assert axes.get_ylabel() or not has_tick_labels(axes.yaxis)


def has_tick_labels(axis):
    return any(tick.label1.get_visible() for tick in axis.get_major_ticks())


def luminance(colour):
    return np.dot(to_rgb(colour), [0.299, 0.587, 0.114])


class TestHistogram:
    def test_classes_from_most_to_fewest_in_the_look_of_their_group(self, two):
        figure = class_histogram(two)
        assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]
        for axes in figure.axes:
            major, minor = bars_of(axes)
            assert [bar.get_height() for bars in (major, minor) for bar in bars] == COUNTS
            assert [bar.get_x() + bar.get_width() / 2 for bar in minor] == pytest.approx([2, 3])
            assert major[0].get_hatch() != minor[0].get_hatch()
            ticks = [label.get_text() for label in axes.get_xticklabels()]
            assert ticks == ["nv (400)", "mel (60)", "bkl/lk (30)", "df (7)"]
        assert legend_of(figure) == ["major", "minor"]
        check_layout(figure)

    def test_classes_in_no_group(self, tmp_path):
        figure = class_histogram(read_rows(tmp_path, ["CE", "SC"], groups={"major": NAMES[:1]}, predictions=False))
        assert legend_of(figure) == ["major", "other classes"]
        assert [len(bars) for bars in bars_of(figure.axes[0])] == [1, 3]

    def test_no_groups(self, tmp_path):
        figure = class_histogram(read_rows(tmp_path, ["CE", "SC"], groups={}, predictions=False))
        assert not figure.legends and len(bars_of(figure.axes[0])[0]) == 4

    def test_a_single_image_is_seen_on_the_logarithmic_axis(self, two):
        counts = two.classes["train_images"].where(two.classes["class"] != "df", 1)
        figure = class_histogram(replace(two, classes=two.classes.assign(train_images=counts)))
        assert figure.axes[1].get_ylim()[0] < 1


class TestClassScores:
    @pytest.mark.parametrize("score, name", [("f1", "F1"), ("recall", "recall")])
    def test_bars_and_intervals_are_those_of_the_table(self, two, score, name):
        figure = class_scores(two, score)
        (axes,) = figure.axes
        for row, bars in zip(["CE", "SC"], bars_of(axes), strict=True):
            table = two.classes[two.classes["row"] == row].set_index("class").loc[NAMES]
            assert [bar.get_height() for bar in bars] == table[score].tolist()
            (whiskers,) = bars.errorbar[2]
            ends = [segment[:, 1] for segment in whiskers.get_segments()]
            assert np.allclose(ends, table[[f"{score}_low", f"{score}_high"]])
        assert legend_of(figure) == ["CE", "SC"]
        assert axes.get_ylabel() == name and "95 % intervals" in figure.get_suptitle()
        check_layout(figure)

    def test_without_predictions_the_whiskers_are_called_deviations(self, tmp_path):
        for seed in range(2):
            write_run(tmp_path / f"CE+seed{seed}", noise=seed, seed=seed, predictions=False)
        figure = class_scores(read_runs(sorted(tmp_path.iterdir())), "f1")
        assert figure.get_suptitle().endswith("± standard deviation")

    def test_a_single_run_without_predictions_has_no_whiskers(self, tmp_path):
        figure = class_scores(read_rows(tmp_path, ["CE"], predictions=False), "f1")
        assert figure.get_suptitle() == "ISIC2018, test part: F1 of each class"

    def test_102_classes_are_in_several_panels_with_names_that_do_not_overlap(self, two):
        table = two.classes[two.classes["class"] == "nv"]
        many = [table.assign(**{"class": f"flower number {i}", "train_images": 200 - i}) for i in range(102)]
        results = replace(two, classes=pd.concat(many, ignore_index=True))
        scores = class_scores(results, "f1")
        for figure in (scores, class_histogram(results)):
            check_layout(figure)
            for axes in figure.axes:
                boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
                assert all(left.x1 <= right.x0 + 0.5 for left, right in zip(boxes, boxes[1:], strict=False))
        names = [label.get_text() for axes in scores.axes for label in axes.get_xticklabels()]
        assert names == [f"flower number {i} ({200 - i})" for i in range(102)]


class TestInGrey:
    def test_rows_differ_in_hatch_or_lightness(self):
        looks = [filling(number * IN_GREY) for number in range(len(COLOURS))]
        assert looks[0]["hatch"] != looks[1]["hatch"]
        for first, look in enumerate(looks):
            for other in looks[:first]:
                lightness = abs(luminance(look["color"]) - luminance(other["color"]))
                assert look["hatch"] != other["hatch"] or lightness > 0.1

    def test_lines_differ_in_marker(self):
        assert len({line(number * IN_GREY)["marker"] for number in range(len(COLOURS))}) == len(COLOURS)

    def test_figures_use_them(self, two):
        (axes,) = class_scores(two, "f1").axes
        assert [bars[0].get_hatch() or "" for bars in bars_of(axes)] == list(HATCHES[:2])


class TestConfusion:
    def test_rows_are_shares_of_the_true_class_over_all_runs(self, two):
        figure = confusion_matrices(two)
        assert [axes.get_title() for axes in figure.axes] == ["CE", "SC", ""]
        for axes, runs in zip(figure.axes, drawn_runs(two).values(), strict=False):
            label = np.concatenate([run.predictions.label for run in runs])
            predicted = np.concatenate([run.predictions.probability.argmax(axis=1) for run in runs])
            share = [[100 * np.mean(predicted[label == true] == to) for to in range(4)] for true in range(4)]
            assert np.allclose(axes.images[0].get_array(), share)
            assert [text.get_text() for text in axes.texts] == [f"{cell:.0f}" for row in share for cell in row]
        assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == NAMES
        assert [axes.get_ylabel() for axes in figure.axes[:2]] == ["true class", ""]
        check_layout(figure)

    def test_classes_are_ordered_by_training_images(self, two):
        counts = dict(zip(NAMES, [1, 2, 4, 3], strict=True))
        results = replace(two, classes=two.classes.assign(train_images=two.classes["class"].map(counts)))
        axes, given = confusion_matrices(results).axes[0], confusion_matrices(two).axes[0]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["bkl/lk", "df", "mel", "nv"]
        order = [2, 3, 1, 0]
        assert np.allclose(axes.images[0].get_array(), given.images[0].get_array()[np.ix_(order, order)])

    def test_a_class_without_test_images_stays_empty(self):
        axes = Figure().subplots()
        drawn = draw_matrix(axes, np.array([[3, 1], [0, 0]]), ["a", "b"])
        assert drawn.get_array().mask.tolist() == [[False, False], [True, True]]
        assert [text.get_text() for text in axes.texts] == ["75", "25"]

    @pytest.mark.parametrize("number, texts", [(15, 225), (16, 0), (102, 0)])
    def test_many_classes(self, number, texts):
        axes = Figure().subplots()
        draw_matrix(axes, np.eye(number, dtype=int), [f"flower {i}" for i in range(number)])
        assert len(axes.texts) == texts
        ticks = [label.get_text() for label in axes.get_yticklabels()]
        assert ticks == (
            ["1", "21", "41", "61", "81", "101"] if number == 102 else [f"flower {i}" for i in range(number)]
        )


class TestManyMethods:
    def test_the_baseline_and_the_best_are_drawn_and_the_title_says_so(self, tmp_path):
        for number in range(8):
            write_run(tmp_path / f"m{number}", images=60, skill=number / 2)
        results = read_runs(sorted(tmp_path.iterdir()))
        assert list(drawn_runs(results)) == ["m0", "m3", "m4", "m5", "m6", "m7"]
        matrices = confusion_matrices(results)
        for figure in (matrices, reliability_diagrams(results), class_scores(results, "f1")):
            assert figure.get_suptitle().endswith("\n6 of 8 methods: the baseline and the best by macro F1")
            check_layout(figure)
        titles = [axes.get_title() for axes in matrices.axes]
        assert titles == ["m0", "m3", "m4", "m5", "m6", "m7", ""]

    def test_six_are_all_drawn(self, tmp_path):
        results = read_rows(tmp_path, list("abcdef"), images=40)
        assert len(drawn_runs(results)) == 6
        assert confusion_matrices(results).get_suptitle() == "ISIC2018, test part: confusion"


class TestSweep:
    SWEEP = Sweep("model.loss.gamma", {"Focal": [(1.0, "CE"), (50.0, "SC")], "other": [(2.0, "SC")]})

    def test_points_and_intervals_are_those_of_the_table(self, two):
        figure = sweep_lines(two, self.SWEEP)
        assert [axes.get_ylabel() for axes in figure.axes] == ["Balanced accuracy (MCR)", "Macro F1"]
        for axes, metric in zip(figure.axes, ["balanced_accuracy", "f1"], strict=True):
            cells = two.cells[two.cells["metric"] == metric].set_index("row").loc[["CE", "SC"]]
            focal, other = axes.containers
            assert np.allclose(np.transpose(focal[0].get_data()), list(zip([1, 50], cells["value"], strict=True)))
            (whiskers,) = focal[2]
            ends = [segment[:, 1] for segment in whiskers.get_segments()]
            assert np.allclose(ends, cells[["low", "high"]])
            assert np.allclose(other[0].get_data(), [[2], [cells["value"]["SC"]]])
            assert axes.get_xlabel() == "model.loss.gamma"
            assert axes.get_xscale() == "log"
            assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "50", "2"]
        assert legend_of(figure) == ["Focal", "other"]
        check_layout(figure)

    @pytest.mark.parametrize(
        "values, scale",
        [((1, 20), "linear"), ((1, 21), "log"), ((0, 1), "linear"), ((0, 0.1, 3), "symlog"), ((-2, -1), "linear")],
    )
    def test_axis_is_logarithmic_where_values_are_far_apart(self, values, scale):
        axes = Figure().subplots()
        unknown = np.full(len(values), np.nan)
        points = pd.DataFrame({"x": values, "value": 0.5, "low": unknown, "high": unknown, "std": unknown})
        draw_sweep(axes, {"": points})
        assert axes.get_xscale() == scale

    def test_table_without_these_scores_has_no_figure(self, two):
        metrics = {"auc": two.spec.metrics["auc"]}
        assert sweep_lines(replace(two, spec=replace(two.spec, metrics=metrics)), self.SWEEP) is None


class TestReliability:
    def test_a_line_per_group_with_its_error(self, two):
        figure = reliability_diagrams(two)
        for axes, runs in zip(figure.axes, drawn_runs(two).values(), strict=True):
            groups = reliability(runs)
            lines = lines_of(axes)
            assert list(lines) == [f"{group}: ECE {found.ece:.3f}" for group, found in groups.items()]
            for points, found in zip(lines.values(), groups.values(), strict=True):
                assert np.allclose(points, found.bins[["confidence", "accuracy"]])
        assert not figure.legends  # each panel has its own
        check_layout(figure)

    def test_no_predictions(self, tmp_path):
        assert reliability_diagrams(read_rows(tmp_path, ["CE"], predictions=False)) is None


class TestTraining:
    def test_mean_of_the_seeds_and_a_thin_line_for_each(self, tmp_path):
        two = read_two(tmp_path, predictions=False)
        for row in ("CE", "SC"):
            for seed in range(2):
                table = pd.DataFrame({"epoch": [0, 1], "val/f1": [0.2, 0.4 + 0.2 * seed], "step": 0, "train/loss": 1.0})
                table.to_csv(tmp_path / f"{row}+seed{seed}" / "stage1" / "metrics.csv", index=False)
        figure = training_curves(two)
        (axes,) = figure.axes
        assert np.allclose(lines_of(axes)["CE"], [[1, 0.2], [2, 0.5]])
        thin = [drawn.get_ydata().tolist() for drawn in axes.lines if drawn.get_linewidth() < 1]
        assert np.allclose(thin, [[0.2, 0.4], [0.2, 0.6]] * 2)
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "macro F1 (validation part)")
        check_layout(figure)

    def test_without_validation_the_loss_of_every_stage(self, tmp_path):
        results = read_rows(tmp_path, ["CE", "SC", "none"], predictions=False)
        for row, stages in {"CE": ["stage1"], "SC": ["stage1", "stage2"]}.items():
            for stage in stages:
                (tmp_path / row / stage).mkdir()
                table = pd.DataFrame({"epoch": [0, 1], "step": 0, "train/loss": [3.0, 2.0], "test/f1": 0.9})
                table.to_csv(tmp_path / row / stage / "metrics.csv", index=False)
        first, second = training_curves(results).axes
        assert (first.get_title(), second.get_title()) == ("stage 1", "stage 2")
        assert first.get_ylabel() == "training loss"
        assert list(lines_of(first)) == ["CE", "SC"] and list(lines_of(second)) == ["SC"]
        assert np.allclose(lines_of(second)["SC"], [[1, 3], [2, 2]])

    def test_nothing_recorded(self, tmp_path):
        assert training_curves(read_rows(tmp_path, ["CE", "SC"], predictions=False)) is None


class TestFeatureMap:
    def test_images_of_each_class(self, tmp_path):
        results = read_rows(tmp_path, ["CE", "SC"])
        write_features(tmp_path / "SC")
        figure = feature_maps(results)
        (axes,) = figure.axes
        assert axes.get_title() == "SC"
        table = drawn_runs(results)["SC"][0].feature_map()
        for name, points in zip(NAMES, axes.collections, strict=True):
            assert np.allclose(points.get_offsets(), table.loc[table["label"] == name, ["x", "y"]])
        assert legend_of(figure) == NAMES
        check_layout(figure)

    def test_very_many_classes_have_a_scale_in_place_of_a_legend(self, tmp_path):
        results = read_rows(tmp_path, ["CE"])
        write_features(tmp_path / "CE")
        table = results.classes[results.classes["class"] == "nv"]
        many = pd.concat([table.assign(**{"class": name}) for name in [*NAMES, *map(str, range(30))]])
        figure = feature_maps(replace(results, classes=many))
        assert not figure.legends and len(figure.axes) == 2
        check_layout(figure)

    def test_no_features(self, two):
        assert feature_maps(two) is None


class TestNames:
    NAMES = [LONG, "_mel$", "bkl/lk", "df %"]
    ROWS = ["_base$line$", LONG + " (1)", "no_space_" * 12, "cost$ 5 & 6"]

    def test_are_printed_as_they_are(self, tmp_path):
        groups = {"ma$jor$": self.NAMES[:2], "_minor": self.NAMES[2:]}
        results = read_rows(tmp_path, self.ROWS, names=self.NAMES, groups=groups)
        for row in self.ROWS:
            write_stage(tmp_path / row / "stage1", names=self.NAMES)
            write_features(tmp_path / row)
        with rc_context(PAPER):
            figures = dict(figures_of(results))
            for name, figure in figures.items():
                if name != "recall_per_class":  # which is laid out as the F1 per class
                    check_layout(figure)
        assert len(figures) == 7
        assert legend_of(figures["class_histogram"]) == [r"ma\$jor\$", " _minor"]
        legend = legend_of(figures["f1_per_class"])
        assert len(legend) == 4 and legend[0] == r" _base\$line\$" and legend[1].startswith("a \\$x_1\\$ of 100 %")
        assert "\n" in legend[2] and legend[2].replace("\n", "") == self.ROWS[2]
        ticks = [label.get_text() for label in figures["confusion"].axes[0].get_yticklabels()]
        assert ticks[1:] == [r" _mel\$", "bkl/lk", "df %"]

    def test_too_long_ones_keep_both_ends(self):
        lines = wrapped("the first " + "x" * 200 + " the last", 20).split("\n")
        assert lines[0].startswith("the first ") and lines[-1].endswith(" the last")
        assert len(lines) <= 5 and max(map(len, lines)) <= 20 and "…" in "".join(lines)

    @pytest.mark.parametrize("name", ["method+epochs=0.25+cosine", "ratio 0.25", "2018-07-31"])
    def test_nothing_is_lost_in_a_line_break(self, name):
        assert wrapped(name, 12).replace("\n", "").replace(" ", "") == name.replace(" ", "")


class TestFiles:
    @pytest.mark.slow  # each is drawn by itself above
    def test_each_figure_as_png_and_pdf(self, tmp_path):
        folders = []
        for gamma in (1, 2):
            folders.append(tmp_path / "runs" / f"gamma={gamma}")
            write_run(folders[-1], noise=gamma)
            write_stage(folders[-1] / "stage1", loss={"class_path": "x.Focal", "init_args": {"a/ä gamma": gamma}})
            write_features(folders[-1])
        written = write_figures(read_runs(folders), tmp_path / "figures")
        names = ["class_histogram", "f1_per_class", "recall_per_class", "confusion", "reliability", "learning_curves"]
        names += ["feature_map", "sweep_model.loss.a-gamma"]
        assert [file.name for file in written] == [f"{name}.{kind}" for name in names for kind in ("png", "pdf")]
        assert sorted(written) == sorted((tmp_path / "figures").iterdir())
        for file in written:
            if file.suffix == ".png":
                with Image.open(file) as picture:
                    assert picture.format == "PNG" and picture.width == 2100
                    assert np.asarray(picture.convert("L")).std() > 5
            else:
                content = file.read_bytes()
                assert content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
                assert b"/Type3" not in content

    def test_nothing_was_run(self, two, tmp_path):
        assert write_figures(replace(two, runs={}, classes=two.classes.iloc[:0]), tmp_path / "figures") == []
        assert not (tmp_path / "figures").exists()

    def test_only_what_there_is_data_for(self, tmp_path):
        names = [name for name, _ in figures_of(read_rows(tmp_path, ["CE"], predictions=False))]
        assert names == ["class_histogram", "f1_per_class", "recall_per_class", "confusion"]

    def test_a_failing_write_leaves_the_old_file(self, two, tmp_path, monkeypatch):
        def fail(figure, file, **options):
            Path(file).write_text("half")
            raise OSError("disk full")

        old = tmp_path / "figures" / "class_histogram.png"
        old.parent.mkdir()
        old.write_text("old")
        monkeypatch.setattr(Figure, "savefig", fail)
        with pytest.raises(OSError, match="disk full"):
            write_figures(two, old.parent)
        assert old.read_text() == "old"
        assert [file.name for file in old.parent.glob("[!.]*")] == ["class_histogram.png"]
