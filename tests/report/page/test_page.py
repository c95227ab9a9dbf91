"""The report page: its numbers, its safety against names from users' files, and what a browser makes of it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import do_without
from made_runs import COUNTS, write_features, write_run, write_stage

from lightning_imbal.data import thumbnails as pictures_module
from lightning_imbal.errors import UserError
from lightning_imbal.report.page.charts_base import honest_range, label
from lightning_imbal.report.page.charts_scores import (
    MANY_CLASSES,
    class_histogram,
    confusions,
    f1_bars,
    reliability_diagrams,
    sweep_chart,
)
from lightning_imbal.report.page.charts_training import curves_of, feature_maps, learning_charts
from lightning_imbal.report.page.page import for_script, write_page
from lightning_imbal.report.page.tables import calibration_table, class_table, leaderboard
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.analysis import confusion, reliability
from lightning_imbal.stats.analysis import test_counts as images_tested
from lightning_imbal.stats.drawn_methods import MOST_DRAWN, Method, methods_of
from lightning_imbal.stats.floors import FLOORS
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.sweeps import sweeps

NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b</script>", "<b>{{7*7}}</b>"]
ORDER = NASTY  # from most to fewest training images, as in made_runs
GROUPS = {"major": NASTY[:2], "<i>minor</i>": NASTY[2:]}
PREFIX = "<img src=x onerror=alert(2)>"
TRAIN = dict(zip(NASTY, COUNTS, strict=True))
SCREENS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 400)]
JPEG = b"\xff\xd8 a picture"


def write_methods(folder, number=3, seeds=(0, 1), features=True, stages=2, **settings):
    """Leaves runs of so many methods with nasty names, the later ones with more skill, and reads them."""
    names = {"names": NASTY, "groups": GROUPS, "prefix": PREFIX}
    for method in range(number):
        for seed in seeds:
            run = folder / f"<b>m{method}<b>+seed{seed}"
            write_run(run, skill=0.5 + 0.25 * method, noise=10 * method + seed, seed=seed, **names | settings)
            for stage in range(stages):
                write_stage(run / f"stage{stage + 1}", seed=seed, names=NASTY)
            if features:
                write_features(run)
    return read_runs(sorted(folder.iterdir()))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_methods(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    """The page of these runs with pictures of all images but one, and the images that pictures were asked for."""
    asked = []

    def thumbnails(folder, images, side, root=None):
        asked.extend(images)
        return dict.fromkeys(images[1:], JPEG)

    file = tmp_path_factory.mktemp("page") / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures_module, "thumbnails", thumbnails)
        write_page(results, file, ["<b>Few</b> images."], ["<script>alert(3)</script>"], ["<i>Chosen</i>."])
    return file, asked


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    return write_methods(tmp_path_factory.mktemp("two"), number=2, seeds=[0], features=False, stages=0)


class Elements(HTMLParser):
    """All elements of a page, and its text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text, self._inside = [], "", ""
        self.scripts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page[0].read_text())


class TestPage:
    def test_refers_to_nothing_outside(self, elements):
        addresses = [value for _, attrs in elements.found for name, value in attrs.items() if name in ("src", "href")]
        assert addresses
        assert all(address.startswith(("#", "data:")) for address in addresses)
        assert not {"iframe", "object", "embed", "base", "form"} & {tag for tag, _ in elements.found}
        [policy] = [attrs["content"] for attrs in elements.of("meta") if "http-equiv" in attrs]
        assert policy.startswith("default-src 'none'; script-src 'nonce-")

    def test_style_and_own_script_load_nothing(self, page):
        text = page[0].read_text()
        style = text[text.index("<style>") : text.index("</style>")]
        assert "url(" not in style and "@import" not in style
        own = text[text.rindex("<script nonce=") :]
        assert "http" not in own and "fetch(" not in own

    def test_names_are_text(self, elements):
        assert not [attrs for _, attrs in elements.found if any(name.startswith("on") for name in attrs)]
        assert not elements.of("b") and not elements.of("i")
        assert all("data-image" in attrs for attrs in elements.of("img"))
        programs = [attrs for attrs in elements.of("script") if attrs.get("type") != "application/json"]
        assert len(programs) == 2
        for name in (
            *NASTY,
            *GROUPS,
            "<b>m0<b>",
            f"{PREFIX}0",
            "<b>Few</b> images.",
            "<script>alert(3)</script>",
            "<i>Chosen</i>.",
        ):
            assert name in elements.text

    def test_data_in_scripts_cannot_end_them(self, page, elements):
        texts = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page[0].read_text(), re.DOTALL)
        assert len(texts) > 5
        for text in texts:
            assert not set("<>&\u2028\u2029") & set(text)
            json.loads(text)

    def test_json_stays_equal(self):
        names = ["</script>", "<!--", "a & b", "\u2028\u2029", 'quote " and \\']
        assert json.loads(for_script(json.dumps(names, ensure_ascii=False))) == names

    def test_can_be_read_aloud(self, elements):
        assert elements.of("html")[0]["lang"] == "en"
        levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))
        assert len(elements.of("caption")) == len(elements.of("table"))
        charts = [attrs for attrs in elements.of("div") if attrs.get("class") == "chart"]
        assert len(charts) == 10 and all(attrs["role"] == "group" and attrs["aria-label"] for attrs in charts)
        ids = [attrs["id"] for _, attrs in elements.found if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert {attrs["href"] for attrs in elements.of("a")} <= {f"#{name}" for name in ids}

    def test_pictures_are_embedded_once(self, page, elements):
        asked = page[1]
        assert len(asked) == len(set(asked))
        embedded = json.loads(elements.scripts[-3])
        assert set(embedded) == set(asked[1:])
        assert len(elements.of("img")) > len(embedded)  # methods share mistakes
        assert "no picture" in elements.text
        assert all(attrs["alt"] and attrs["width"] and attrs["height"] for attrs in elements.of("img"))

    def test_mistakes_are_listed_where_the_pictures_are_missing(self, two_runs, tmp_path, monkeypatch):
        def thumbnails(folder, images, side, root=None):
            raise UserError("There is no folder <b>images</b>: give that of the images, data.root=FOLDER.")

        monkeypatch.setattr(pictures_module, "thumbnails", thumbnails)
        write_page(two_runs, tmp_path / "page.html")
        found = Elements((tmp_path / "page.html").read_text())
        assert "There is no folder <b>images</b>: give that of the images, --data.root FOLDER." in found.text
        assert f"{PREFIX}0" in found.text and not found.of("img")

    def test_pictures_are_read_from_another_run_if_the_first_cannot_tell(self, two_runs, tmp_path, monkeypatch):
        def thumbnails(folder, images, side, root=None):
            if "m0" in folder.name:
                raise UserError("This run names no data.")
            return dict.fromkeys(images, JPEG)

        monkeypatch.setattr(pictures_module, "thumbnails", thumbnails)
        write_page(two_runs, tmp_path / "page.html")
        found = Elements((tmp_path / "page.html").read_text())
        assert found.of("img") and "names no data" not in found.text

    def test_runs_without_anything_but_scores(self, tmp_path):
        write_run(tmp_path / "run", predictions=False)
        write_page(read_runs([tmp_path / "run"]), tmp_path / "page.html")
        text = Elements((tmp_path / "page.html").read_text()).text
        assert "No run has predictions of single images" in text
        assert "No run has kept its losses" in text
        assert "--save_features true" in text

    def test_configurations(self, elements):
        assert elements.text.count("torch.optim.SGD") == 12  # 3 methods x 2 seeds x 2 stages
        assert "<b>m2<b>, seed 1" in elements.text

    def test_of_nothing_is_refused(self, results, tmp_path):
        with pytest.raises(UserError, match="no run is finished"):
            write_page(replace(results, classes=results.classes.iloc[:0]), tmp_path / "page.html")


class TestTables:
    def test_leaderboard(self, results):
        table = leaderboard(results)
        f1 = table.headings.index("Macro F1")
        cells = results.cells[results.cells["metric"] == "f1"].set_index("row")
        assert table.headings[-1] == "runs"
        for row in table.rows:
            cell = cells.loc[row[0].text]
            star = "*" if cell["p_holm"] < 0.05 else ""
            assert row[f1].text == f"{cell['value']:.3f} ± {cell['std']:.3f}{star}"
            assert row[f1].value == round(cell["value"], 3)
            assert row[f1].below == f"[{cell['low']:.2f}, {cell['high']:.2f}]"
            assert row[-1].text == "2/2"
        assert [row[f1].best for row in table.rows] == [False, False, True]

    def test_classes(self, results):
        methods = methods_of(results)
        table = class_table(results, methods, TRAIN, images_tested([methods[0].runs]), "recall")
        assert [row[0].text for row in table.rows] == ORDER
        assert table.headings[3:] == [*(method.name for method in methods), *FLOORS]
        scores = results.classes.set_index(["class", "row"])["recall"]
        floors = results.floor_classes.set_index(["class", "row"])["recall"]
        for row in table.rows:
            expected = [scores[row[0].text, method.name] for method in methods]
            assert [entry.value for entry in row[3:]] == pytest.approx([*expected, *floors[row[0].text]], abs=5e-4)
            trained = row[3:-2]
            highest = max(entry.value for entry in trained)
            assert [entry.best for entry in trained] == [entry.value == highest for entry in trained]
            assert not any(entry.best for entry in row[-2:]), "also of the class that majority answers"
        assert [row[1].value for row in table.rows] == COUNTS

    def test_calibration(self, results):
        methods = methods_of(results)
        found = {method.name: reliability(method.runs) for method in methods}
        table = calibration_table(found)
        assert table.headings == ["method", "all", *GROUPS]
        assert table.rows[0][1].value == found["<b>m0<b>"]["all"].ece
        for row, groups in zip(table.rows, found.values(), strict=True):
            below = f"calibrated: {groups['all'].calibrated:.3f}"
            assert [entry.below for entry in row] == ["", below, *("" for _ in GROUPS)]


class TestCharts:
    def test_bars_are_the_results(self, results):
        methods = methods_of(results)
        test = images_tested([methods[0].runs])
        [figure] = f1_bars(results, methods, TRAIN, test).figures.values()
        names = figure.layout.xaxis.ticktext
        images = [f"<br>{TRAIN[name]:,} train, {test[name]:,} test" for name in ORDER]
        assert list(names) == [label(name, 20) + more for name, more in zip(ORDER, images, strict=True)]
        for bar, method in zip(figure.data, methods, strict=True):
            scores = results.classes[results.classes["row"] == method.name].set_index("class").loc[ORDER]
            np.testing.assert_allclose(bar.y, scores["f1"])
            np.testing.assert_allclose(bar.y - bar.error_y.arrayminus, scores["f1_low"])
            np.testing.assert_allclose(bar.y + bar.error_y.array, scores["f1_high"])
        looks = {(bar.marker.color, bar.marker.pattern.shape) for bar in figure.data}
        assert len({shape for _, shape in looks}) == len({colour for colour, _ in looks}) == 3

    def test_of_many_methods_the_baseline_and_the_best_are_drawn(self, tmp_path):
        results = write_methods(tmp_path, number=MOST_DRAWN + 2, seeds=[0], features=False, stages=0)
        methods = methods_of(results)
        chart = f1_bars(results, methods, TRAIN, images_tested([methods[0].runs]))
        visible = [bar.visible for bar in chart.figures[""].data]
        f1 = results.cells[results.cells["metric"] == "f1"]["value"].to_numpy()
        best = set(np.argsort(-f1[1:])[: MOST_DRAWN - 1] + 1)
        assert visible == [True if place == 0 or place in best else "legendonly" for place in range(len(methods))]
        assert "6 of 8 methods" in chart.about

    def test_histogram(self, results):
        [figure] = class_histogram(TRAIN, dict(zip(NASTY, [5, 4, 3, 2], strict=True))).figures.values()
        assert list(figure.data[0].y) == COUNTS and list(figure.data[1].y) == [5, 4, 3, 2]
        assert figure.layout.yaxis.type == "log"

    def test_confusion_is_by_true_class(self, results):
        methods = methods_of(results)
        order = NASTY[::-1]
        chart = confusions(methods, NASTY, order)
        assert list(chart.figures) == [method.name for method in methods]
        heat = chart.figures["<b>m1<b>"].data[0]
        images = confusion(methods[1].runs)[::-1, ::-1]
        np.testing.assert_array_equal(heat.customdata, images)
        np.testing.assert_allclose(heat.z.sum(axis=1), 1)
        assert heat.text[0][0] == f"{images[0, 0]:,}<br>{heat.z[0][0]:.0%}"

    def test_cells_of_many_classes_have_no_text(self, results):
        names = [f"class {number}" for number in range(MANY_CLASSES + 1)]
        run = Run("made up")
        run.results = {"confusion": np.eye(len(names), dtype=int).tolist()}  # as if it had been read
        [figure] = confusions([Method("m", 0, [run], True)], names, names).figures.values()
        assert figure.data[0].texttemplate is None

    def test_reliability(self, results):
        found = {method.name: reliability(method.runs) for method in methods_of(results)}
        figure = reliability_diagrams(found).figures["<b>m0<b>"]
        of_all = found["<b>m0<b>"]["all"]
        lines = figure.data[1:]
        assert [line.name.partition(":")[0] for line in lines] == ["all", *map(label, GROUPS)]
        assert f"ECE {of_all.ece:.3f} (480 images)" in lines[0].name
        np.testing.assert_allclose(lines[0].y, of_all.bins["accuracy"])

    def test_learning_curves_of_both_stages(self, results):
        methods = methods_of(results)
        charts = learning_charts(curves_of(methods), methods, ORDER)
        assert [chart.key for chart in charts] == ["curves-stage1", "curves-stage2"]
        titles = list(charts[0].figures)
        assert titles[0] == "Macro F1 (validation)" and f"F1 of {ORDER[-1]} (validation)" in titles
        losses = charts[0].figures["Loss (training)"].data
        assert len(losses) == 6 and sum(line.showlegend for line in losses) == 3
        np.testing.assert_array_equal(losses[0].x, [1, 2, 3, 4, 5])
        np.testing.assert_allclose(losses[0].y, [2, 1, 2 / 3, 1 / 2, 2 / 5], rtol=1e-6)

    @pytest.mark.parametrize(
        "values, least, low, high",
        [
            ([0.5, 0.5], 0.0, 0.365, 0.635),  # half of 0.5 and 4 % of room on both sides
            ([2.0, 8.0], 0.0, 1.76, 8.24),  # its own range
            ([0.01, 0.02], 0.1, 0.0, 0.104),  # what is never negative
            ([-1.0, np.nan, -1.0], 0.0, -1.27, -0.73),
            ([0.0, 0.0], 0.0, 0.0, 1.04),
        ],
    )
    def test_what_is_flat_looks_flat(self, values, least, low, high):
        assert honest_range(values, least) == pytest.approx([low, high])

    def test_nothing_has_no_range(self):
        assert honest_range([np.nan]) is None

    def test_scores_have_the_same_axis_everywhere_and_losses_their_own(self, results):
        methods = methods_of(results)
        figures = learning_charts(curves_of(methods), methods, ORDER)[0].figures
        assert figures["Macro F1 (validation)"].layout.yaxis.range == (0, 1.02)
        assert figures["Loss (training)"].layout.yaxis.range == pytest.approx(honest_range([2 / 5, 2]))

    def test_sweep(self, tmp_path):
        for gamma in (0.1, 1.0, 10.0):
            write_run(tmp_path / f"g{gamma}", skill=gamma)
            loss = {"class_path": "lightning_imbal.losses.focal.Focal", "init_args": {"gamma": gamma}}
            write_stage(tmp_path / f"g{gamma}" / "stage1", loss=loss)
        results = read_runs(sorted(tmp_path.iterdir()))
        [sweep] = sweeps(results)
        figure = sweep_chart(results, sweep, 0).figures["Macro F1"]
        [line] = figure.data
        cells = results.cells[results.cells["metric"] == "f1"].set_index("row").loc[list(results.spec.rows)]
        assert line.x == (0.1, 1.0, 10.0) and figure.layout.xaxis.type == "log"
        np.testing.assert_allclose(line.y, cells["value"])
        np.testing.assert_allclose(line.y + line.error_y.array, cells["high"])

    def test_feature_map(self, results):
        chart = feature_maps(methods_of(results), ORDER)
        figure = chart.figures["<b>m0<b>"]
        assert [points.name for points in figure.data] == [label(name) for name in ORDER]
        assert len({points.marker.symbol for points in figure.data}) == 4
        assert sum(len(points.x) for points in figure.data) == 192  # four fifths of 240 are on the map
        assert all(text.startswith("&lt;img src=x") for text in figure.data[0].customdata)

    def test_every_axis_has_a_title_and_names_are_escaped(self, results):
        methods = methods_of(results)
        test = images_tested([methods[0].runs])
        found = {method.name: reliability(method.runs) for method in methods}
        charts = [
            f1_bars(results, methods, TRAIN, test),
            class_histogram(TRAIN, test),
            confusions(methods, NASTY, ORDER),
            reliability_diagrams(found),
            feature_maps(methods, ORDER),
            *learning_charts(curves_of(methods), methods, ORDER),
        ]
        for figure in (figure for chart in charts for figure in chart.figures.values()):
            assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
            tags = set(re.findall(r"<[^>]*>", json.dumps(figure.to_plotly_json(), default=str)))
            assert tags <= {"<br>", "<extra></extra>", "<extra>", "</extra>"}


@pytest.fixture(scope="module")
def browser(started):
    """The tab of all pages, which the tests of a class share."""
    started.prefer("light")
    return started


@pytest.mark.parametrize("value, outcome", [("true", pytest.fail), ("false", pytest.skip), (None, pytest.skip)])
def test_only_continuous_integration_must_have_a_browser(monkeypatch, value, outcome):
    monkeypatch.setenv("CI", value or "")
    if value is None:
        monkeypatch.delenv("CI")
    with pytest.raises(outcome.Exception, match="Chromium is not installed"):
        do_without()


def column(browser, number):
    """What a column of the leaderboard says, from top to bottom."""
    script = f"[...document.querySelectorAll('#leaderboard tbody tr')].map(row => row.cells[{number}].textContent)"
    return browser.evaluate(script)


def test_browser_notices_what_a_page_must_not_do(browser, tmp_path):
    file = tmp_path / "bad.html"
    image = '<img src="http://example.org/a.png">'
    file.write_text(f"<!DOCTYPE html>{image}<script>alert(1); console.error('two'); throw Error('three')</script>")
    browser.open(file)
    assert "http://example.org/a.png" in browser.requests
    assert all(any(word in line for line in browser.complaints) for word in ("dialog: 1", "two", "three"))


def draw(browser, which="true"):
    """Draws charts that are not drawn yet."""
    charts = f"charts.filter((chart) => {which})"
    browser.evaluate(f"Promise.all({charts}.filter((chart) => !isDrawn(chart)).map(draw)).then(() => 0)")
    browser.wait(f"{charts}.every((chart) => chart.querySelector('.main-svg'))")


def choose(browser, key, number):
    """Chooses another method of what is shown of one."""
    change = f"select.value = '{number}'; select.dispatchEvent(new Event('change'));"
    browser.evaluate(f"(select => {{ {change} }})(document.querySelector('[data-for={key}]'))")


@pytest.fixture(scope="class")
def quiet(browser):
    """Forgets what the tests before this class did."""
    browser.complaints.clear()
    browser.requests.clear()


@pytest.fixture(scope="class")
def opened(request, quiet, browser, page):
    """The page, which the tests of a class share: each leaves it as the others need it."""
    browser.open(page[0], request.cls.width)
    if request.cls.all_drawn:
        draw(browser)


class InBrowser:
    @pytest.fixture(autouse=True)
    def clean(self, quiet, browser):
        """Looks in the end for errors and requests of all that a test did."""
        yield
        complaints, requests = [*browser.complaints], [*browser.requests]
        browser.complaints.clear()
        browser.requests.clear()
        assert complaints == []
        assert {address.partition(":")[0] for address in requests} <= {"file", "data", "blob"}


@pytest.mark.usefixtures("opened")
class OpenedOnce(InBrowser):
    width = 1280
    all_drawn = False


class TestOpened(OpenedOnce):
    def test_bars_are_there(self, browser):
        browser.evaluate("document.getElementById('f1').scrollIntoView()")
        browser.wait("document.querySelectorAll('#f1 .barlayer .point path').length === 12")  # 4 classes, 3 methods

    def test_charts_wait_until_they_come_into_view(self, browser):
        assert not browser.evaluate("isDrawn(document.getElementById('map'))")
        browser.evaluate("document.getElementById('map').scrollIntoView()")
        browser.wait("document.querySelectorAll('#map .scatterlayer .point').length === 192")

    @pytest.fixture
    def unsorted(self, browser):
        browser.evaluate(
            "document.querySelectorAll('#leaderboard thead th').forEach((each) => (each.ariaSort = 'none'))"
        )

    def test_click_on_a_heading_sorts(self, browser, unsorted):
        heading = "document.querySelectorAll('#leaderboard thead th')[1]"
        before = column(browser, 0)
        browser.evaluate(f"{heading}.querySelector('button').click()")
        scores = [float(text.split()[0]) for text in column(browser, 1)]
        assert scores == sorted(scores, reverse=True) and len(scores) == 3
        assert browser.evaluate(f"{heading}.ariaSort") == "descending"
        browser.evaluate(f"{heading}.querySelector('button').click()")
        assert [float(text.split()[0]) for text in column(browser, 1)] == scores[::-1]
        assert browser.evaluate(f"{heading}.ariaSort") == "ascending"
        browser.evaluate("document.querySelector('#leaderboard thead button').click()")
        assert column(browser, 0) == sorted(before)

    @pytest.mark.parametrize("key", ["Enter", " "])
    def test_keyboard_sorts(self, browser, unsorted, key):
        browser.evaluate("document.querySelectorAll('#leaderboard thead button')[3].focus()")
        browser.press(key)
        assert browser.evaluate("document.querySelectorAll('#leaderboard thead th')[3].ariaSort") == "descending"

    def test_what_is_not_known_stays_last(self, browser, unsorted):
        browser.evaluate("(cell => { cell.dataset.value = ''; cell.textContent = 'n/a'; })"
                         "(document.querySelector('#leaderboard tbody tr').cells[3])")  # fmt: skip
        for _ in range(2):
            browser.evaluate("document.querySelectorAll('#leaderboard thead button')[3].click()")
            assert column(browser, 3)[-1] == "n/a"

    def test_dark_charts_on_a_dark_screen(self, browser):
        draw(browser, "chart.id === 'f1' || chart.id === 'confusion'")
        colours = (
            "[document.getElementById('f1').layout.paper_bgcolor, getComputedStyle(document.body).backgroundColor]"
        )
        assert browser.evaluate(colours) == ["#ffffff", "rgb(255, 255, 255)"]
        browser.prefer("dark")
        browser.wait("document.getElementById('f1').layout.paper_bgcolor === '#14181d'")
        assert browser.evaluate(colours)[1] == "rgb(20, 24, 29)"
        assert browser.evaluate("document.getElementById('confusion').data[0].colorscale[0][1]") == "#14181d"
        assert browser.evaluate("document.getElementById('f1').data[0].marker.color") == "#0072b2"
        browser.prefer("light")
        browser.wait("document.getElementById('f1').layout.paper_bgcolor === '#ffffff'")

    def numbers(self, browser, key):
        """The table of a chart's numbers."""
        browser.evaluate(f"document.querySelector('[data-numbers-of=\\'{key}\\']').open = true")
        table = f"document.querySelector('[data-numbers-of=\\'{key}\\'] table')"
        browser.wait(table)
        return browser.evaluate(f"[...{table}.rows].map((row) => [...row.cells].map((cell) => cell.textContent))")

    def test_every_chart_says_its_numbers(self, browser, results):
        [figure] = f1_bars(results, methods_of(results), TRAIN, dict.fromkeys(NASTY, 1)).figures.values()
        headings, *rows = self.numbers(browser, "f1")
        assert headings == ["class (training and test images)", "<b>m0<b>", "<b>m1<b>", "<b>m2<b>"]
        assert len(rows) == 4 and rows[0][0].replace(" ", "").startswith(NASTY[0])
        assert float(rows[0][1].split()[0]) == pytest.approx(figure.data[0].y[0], abs=1e-3)
        low = figure.data[0].y[0] - figure.data[0].error_y.arrayminus[0]
        assert float(rows[0][1].split("[")[1].split(",")[0]) == pytest.approx(low, abs=1e-3)
        headings, *rows = self.numbers(browser, "confusion")
        images = confusion(methods_of(results)[0].runs)
        assert [name.replace(" ", "") for name in headings[1:]] == [name.replace(" ", "") for name in NASTY] and rows[
            2
        ][1].split()[0] == str(images[2, 0])
        choose(browser, "confusion", 2)
        assert self.numbers(browser, "confusion")[3][1].split()[0] == str(confusion(methods_of(results)[2].runs)[2, 0])
        headings, *rows = self.numbers(browser, "curves-stage1")
        assert headings[0] == "epoch" and [row[0] for row in rows] == list("12345") and len(headings) == 7
        headings, *rows = self.numbers(browser, "prevalence")
        assert len(headings) == 1 + 3 * 4 and "<b>m1<b>, precision of the class" in headings and 20 < len(rows) <= 41
        headings, *rows = self.numbers(browser, "reliability")
        assert headings == ["curve", "mean confidence", "accuracy (share that is right)"] and rows[0][0].startswith(
            "all"
        )
        without = browser.evaluate(
            "charts.filter((c) => !document.querySelector(`[data-numbers-of='${c.id}']`)).map((c) => c.id)"
        )
        assert without == ["map"]


class Drawn(OpenedOnce):
    all_drawn = True

    def test_page_does_not_scroll_sideways(self, browser):
        assert browser.evaluate("innerWidth") == self.width
        assert browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert browser.evaluate("charts.every((chart) => chart.clientWidth === chart.layout.width)")


class TestDrawn(Drawn):
    def test_names_did_nothing(self, browser):
        assert browser.evaluate("document.title") == "6 runs of Classifier -> Classifier, ISIC2018"
        assert browser.evaluate("document.querySelectorAll('[onerror], b, i, img:not([data-image])').length") == 0
        names = browser.evaluate("[...document.querySelectorAll('#f1 .legendtext')].map(text => text.textContent)")
        assert names == ["<b>m0<b>", "<b>m1<b>", "<b>m2<b>"]

    def test_nothing_offers_to_send_a_chart_away(self, browser):
        titles = "[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)"
        assert set(browser.evaluate(titles)) == {"Download plot as a PNG", "Zoom", "Pan", "Reset axes"}

    def test_choice_of_a_method(self, browser):
        trace = "document.getElementById('confusion').data[0].text[0][0]"
        before = browser.evaluate(trace)
        choose(browser, "confusion", 2)
        browser.wait(f"{trace} !== {json.dumps(before)}")
        assert browser.evaluate("document.querySelectorAll('img[src]').length") < 30
        choose(browser, "mistakes", 2)
        assert browser.evaluate("[...document.querySelectorAll('[data-choice]')].map(part => part.hidden)") == [
            True,
            True,
            False,
        ]
        assert browser.evaluate("[...document.querySelectorAll('[data-choice]:not([hidden]) img')].every(i => i.src)")


class TestOnAPhone(Drawn):
    width = 400
    domains = "['', 2, 3, 4].map((n) => document.getElementById('prevalence').layout[`xaxis${n}`].domain)"

    def test_all_is_legible_on_a_phone(self, browser):
        texts = (
            "[...chart.querySelectorAll('text')].filter((text) => text.textContent.trim() && !text.closest('.modebar'))"
        )
        sizes = f"charts.flatMap((chart) => {texts}.map((text) => parseFloat(getComputedStyle(text).fontSize)))"
        assert min(browser.evaluate(sizes)) >= 12
        inside = "(box, room) => box.left > room.left - 2 && box.right < room.right + 2 && box.bottom < room.bottom + 2"
        cut = f"{texts}.filter((text) => !({inside})(text.getBoundingClientRect(), chart.getBoundingClientRect()))"
        assert browser.evaluate(f"charts.flatMap((chart) => {cut}.map((text) => [chart.id, text.textContent]))") == []
        heading = "document.querySelectorAll('#leaderboard thead th')[1]"
        assert browser.evaluate(f"{heading}.textContent").startswith("Macro F1")
        assert browser.evaluate(f"{heading}.getBoundingClientRect().right") <= 400
        assert browser.evaluate(self.domains) == [[0, 1]] * 4, "panels lie below each other"

    def test_charts_follow_the_width_of_the_window(self, browser):
        followed = "charts.every((chart) => chart.layout.width === chart.clientWidth)"
        browser.resize(1280)
        browser.wait(f"{self.domains}[0][1] === 0.45 && {followed}")
        browser.resize(400)
        browser.wait(f"innerWidth === 400 && {followed}")
        wide = "charts.filter((chart) => chart.clientWidth >= 400).map((chart) => [chart.id, chart.clientWidth])"
        assert browser.evaluate(wide) == []


class TestOpenedAnew(InBrowser):
    @pytest.mark.parametrize(
        "scheme, width, drawn",
        [("dark", 400, False), *(pytest.param(*each, True, marks=pytest.mark.slow) for each in SCREENS)],
    )
    def test_nothing_keeps_people_out(self, browser, page, scheme, width, drawn):
        browser.prefer(scheme)
        browser.open(page[0], width)
        browser.wait("isDrawn(document.getElementById('f1'))")
        if drawn:
            draw(browser)
            browser.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert browser.barriers() == []
        browser.prefer("light")

    def test_on_paper_everything_is_there_in_light_colours_and_not_cut(self, browser, page):
        browser.prefer("dark")
        browser.open(page[0])
        look = "charts.map((chart) => [chart.layout.paper_bgcolor, chart.getBoundingClientRect().height])"
        printed = "dispatchEvent(new Event('beforeprint')); await printed;"
        at_the_end = f"(async () => {{ {printed} return {look}; }})()"
        found = browser.evaluate(at_the_end)
        assert {colour for colour, _ in found} == {"#ffffff"}
        assert all(0 < height <= 530 for _, height in found), "a page of paper is no higher"
        assert browser.evaluate("[...document.querySelectorAll('#class-table details')].every((each) => each.open)")
        browser.send("Emulation.setEmulatedMedia", media="print")
        hidden = "[...document.querySelectorAll('nav, select, .modebar, .numbers')].every((each) => !each.offsetWidth)"
        assert browser.evaluate(hidden)
        browser.resize(1000)
        assert browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        browser.send("Emulation.setEmulatedMedia", media="")
        browser.evaluate("document.querySelectorAll('#class-table details').forEach((each) => (each.open = false))")
        browser.send("Page.printToPDF", pageRanges="1")
        assert not browser.evaluate("document.querySelector('#class-table details').open")
        browser.prefer("light")
