"""The tables of the papers: their numbers, and the runs behind them."""

import functools
import itertools
import re
from pathlib import Path

import pytest
import small_runs
import torch
import yaml
from parsing import EXPERIMENTS, parsed, second, with_configs

from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.metrics import classification_scores, groups_by_count
from lightning_imbal.modules import PerturbedClassifier
from lightning_imbal.tables.read import KEYS, published_numbers, read_spec

TABLES = sorted(EXPERIMENTS.glob("tables/*.yaml"))
OF_PAPERS = [path for path in TABLES if not path.stem.startswith(("isic2018_", "chula_", "fundus_"))]
OF_ALL_METHODS = [pytest.param(path, marks=pytest.mark.slow) for path in TABLES if path not in OF_PAPERS]
PUBLISHED = sorted(EXPERIMENTS.glob("published/*.csv"))
ORIGINALS = Path(__file__).resolve().parents[3] / "shared" / "published"
WITH_NUMBERS = [path for path in TABLES if path.stem in {numbers.stem for numbers in PUBLISHED}]
CHEN = ("chen_table2", "chen_fig2", "chen_fig3", "chen_fig3_temperature")
ZENG = ("zeng_table2", "zeng_table3", "zeng_table4", "zeng_table5")


def name_of(path):
    return path.stem


@functools.cache
def spec_of(table):
    return read_spec(EXPERIMENTS / "tables" / f"{table}.yaml")


@functools.cache
def plan_of(table):
    return Plan(spec_of(table), Path("runs"))


@functools.cache
def every_cell_of(table):
    """The cell of each row in each column: that of its first seed or fold."""
    return list({(cell.row, cell.column.title): cell for cell in reversed(plan_of(table).cells)}.values())[::-1]


@functools.cache
def cells_of(table):
    """The cells of the first row, and of the column that sets the most, in which a row is likeliest to clash."""
    most = max(spec_of(table).columns, key=lambda column: len(column.configs) + len(column.options))
    cells = every_cell_of(table)
    return [cell for cell in cells if cell.row == cells[0].row or cell.column == most]


@functools.cache
def some_cells_of(table):
    """Of these, the first row and every third of the others, which the slow tests look at too."""
    cells = cells_of(table)
    return [cell for place, cell in enumerate(cells) if cell.row == cells[0].row or place % 3 == 0]


def trained(cell):
    """The job that trains what is tested in a cell."""
    return cell.job if cell.job.arguments[0] == "fit" else cell.job.after


def config_of(cell):
    """The configuration of a cell's run, as `fit` reads it."""
    return parsed(*trained(cell).arguments)


def as_tested(cell):
    """The configuration of the test whose results a cell shows."""
    if cell.job is trained(cell):
        return config_of(cell)
    # A test has the configuration of its run below its own.
    return parsed("test", *trained(cell).arguments[1:], *cell.job.arguments[1:], "--ckpt_path", "best.ckpt")


def first_stage(config):
    """All that decides the first stage."""
    return {key: value for key, value in config.as_dict().items() if key not in ("then", "config", "run_dir")}


def folders(table, row=None, dataset=None):
    """Where the runs of a table, or of one of its rows, lie."""
    wanted = ((cell, (row or cell.row, dataset or cell.column.dataset)) for cell in plan_of(table).cells)
    return {trained(cell).folder for cell, names in wanted if names == (cell.row, cell.column.dataset)}


def content_of(table):
    """What a table's file holds, with paths that can be read from any folder."""
    folder = EXPERIMENTS / "tables"
    content = yaml.safe_load((folder / f"{table}.yaml").read_text())
    content["published"] = str(folder / content["published"])
    for holder in [*content["columns"], *content["rows"].values()]:
        for part in filter(None, [holder, holder.get("test")]):
            part["configs"] = [str(folder / name) for name in part.get("configs", [])]
    return content


@pytest.fixture
def originals():
    if not ORIGINALS.is_dir():
        pytest.skip("the CSV files that were read off the papers are not beside this checkout, in ../shared/published")
    return ORIGINALS


def test_published_numbers_are_those_read_off_the_papers(originals):
    assert {path.name: path.read_text() for path in PUBLISHED} == {
        path.name: path.read_text() for path in sorted(originals.glob("*.csv"))
    }


def test_every_published_number_is_in_a_table():
    assert len(PUBLISHED) == 13
    with_numbers = [spec for spec in (spec_of(path.stem) for path in TABLES) if spec.published]
    assert [Path(spec.published).resolve() for spec in with_numbers] == [path.resolve() for path in PUBLISHED]
    assert sum(len(published_numbers(spec)) for spec in with_numbers) == 835


@pytest.mark.parametrize("path", WITH_NUMBERS, ids=name_of)
def test_published_number_has_its_place(path):
    spec, numbers = spec_of(path.stem), published_numbers(spec_of(path.stem))
    columns = {(column.dataset, column.backbone): column for column in spec.columns}
    assert not numbers[KEYS].duplicated().any() and numbers["value"].notna().all()
    assert list(dict.fromkeys(numbers["row"])) == list(spec.rows)
    assert set(numbers["metric"]) == set(spec.metrics)
    assert set(zip(numbers["dataset"], numbers["backbone"], strict=True)) == set(columns)
    # Nothing of a table is missing but the second data set of two quoted rows.
    missing = len(spec.rows) * len(spec.columns) * len(spec.metrics) - len(numbers)
    assert missing == (2 if path.stem == "galdran_table2" else 0)
    # What varies was measured more than once.
    for key, part in numbers.groupby(["dataset", "backbone"]):
        runs = columns[key].folds or columns[key].seeds
        assert len(runs) > 1 or part["std"].isna().all()
        assert part["value"].max() <= spec.scale


# The slow tables are read by the same function.
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if place else []) for place, path in enumerate(WITH_NUMBERS)],
    ids=name_of,
)
@pytest.mark.parametrize("lacking", ["row", "column", "metric"])
def test_table_that_lacks_a_published_number_is_refused(path, lacking, tmp_path):
    content = content_of(path.stem)
    if lacking == "column":
        column = content["columns"][-1]
        name = ", ".join(filter(None, [column["dataset"], column.get("backbone")]))
        content["columns"][-1] = column | {"dataset": "other"}
    else:
        names = content[f"{lacking}s"]
        name = list(names)[-1]
        names["other"] = names.pop(name)
    (tmp_path / "table.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(UserError, match=f"has the {lacking} {re.escape(repr(name))}, which .*table.yaml lacks"):
        read_spec(tmp_path / "table.yaml")


# Diagnoses have no order, and the official files have no ages.
OF_OTHER_DATA = {"ce_metadata", "coral", "corn", "cost_sensitive", "sord"}


def test_all_methods_are_in_the_table_of_all():
    spec = spec_of("isic2018_small")
    files = {Path(file).stem for row in spec.rows.values() for file in row.configs}
    # A PerturbedClassifier is a Classifier with this test.
    assert spec.rows["CE, perturbed input"].test.options == {"model.predictor": "PerturbedInput"}
    assert files | {"perturbed"} | OF_OTHER_DATA == {path.stem for path in EXPERIMENTS.glob("methods/*.yaml")}
    # That of cRW by another optimizer, and what isic2018_features.yaml has.
    solved_otherwise = {"ce_lbfgs", "ce_linear_probe", "ce_knn"}
    assert {f"ce_{path.stem}" for path in EXPERIMENTS.glob("heads/*.yaml")} - solved_otherwise <= files
    assert [column.options for column in spec.columns] == [{}, {"data.group_by": "lesion"}]
    assert all(column.seeds == [0, 1, 2] for column in spec.columns)


@pytest.mark.parametrize("path", OF_PAPERS, ids=name_of)
def test_table_says_what_it_is_in_two_lines(path):
    authors, year, kind, number = re.match(r"# (\w+), .* (\d{4}): (Table|Figure) (\d)[.,]", path.read_text()).groups()
    assert path.stem.startswith(f"{authors.lower()}_{'table' if kind == 'Table' else 'fig'}{number}")
    [title] = [line.removeprefix("title: ") for line in path.read_text().splitlines() if line.startswith("title:")]
    assert spec_of(path.stem).title == title.strip('"')
    assert title.strip('"').startswith(f"{authors} et al. {year}, {kind} {number}")


@pytest.mark.parametrize("path", TABLES, ids=name_of)
def test_every_row_has_a_cell_in_every_column(path):
    rows, cells = [name for name, row in spec_of(path.stem).rows.items() if not row.quoted], every_cell_of(path.stem)
    columns = [column.title for column in spec_of(path.stem).columns]
    assert [(cell.column.title, cell.row) for cell in cells] == list(itertools.product(columns, rows))
    assert {cell.row for cell in cells_of(path.stem)} == set(rows)
    assert {cell.column.title for cell in cells_of(path.stem)} == set(columns)


# The slow ones differ from others in a number alone.
# As another one of the same paper.
ALIKE = ("galdran_table3", "marrakchi_table1", "marrakchi_table3", "zeng_table4", "zeng_table5")
SWEPT = ("chen_fig2", "chen_fig3", "chen_fig3_temperature", "zeng_fig2")


@pytest.mark.parametrize(
    "path",
    [
        *(pytest.param(path, marks=[pytest.mark.slow] if path.stem in SWEPT + ALIKE else []) for path in OF_PAPERS),
        *OF_ALL_METHODS,
    ],
    ids=name_of,
)
@pytest.mark.parametrize("cells_of", [some_cells_of, pytest.param(every_cell_of, marks=pytest.mark.slow)])
def test_every_cell_can_be_run_and_its_first_stage_is_trained_once(cells_of, path):
    spec, seen = spec_of(path.stem), {}
    for cell in cells_of(path.stem):
        as_tested(cell)
        config = config_of(cell)
        if config.then:
            assert second(config).model.class_path.endswith(".FrozenHead")
        stage = first_stage(config)
        if spec.rows[cell.row].start:
            assert stage == first_stage(parsed(*trained(cell).after.arguments))
            assert config.then and not parsed(*trained(cell).after.arguments).then
        else:
            assert seen.setdefault(str(stage), trained(cell)) is trained(cell), cell.row


@pytest.mark.parametrize("path", TABLES, ids=name_of)
def test_metrics_are_scores_of_a_run(path):
    wanted, found = {metric.score for metric in spec_of(path.stem).metrics.values()}, []
    # Only the scores of a class or group depend on the data set.
    named = any("/" in score for score in wanted)
    for cell in {cell.column.title: cell for cell in cells_of(path.stem)}.values() if named else [None]:
        groups = named and config_of(cell).data.init_args.class_groups
        groups = groups or groups_by_count([4, 3, 2, 1], list("abcd"))
        names = list(dict.fromkeys(name for members in groups.values() for name in members))
        image = torch.eye(len(names))
        found.append(classification_scores(image, image.argmax(dim=1), [1] * len(names), names, groups))
    assert found and all(wanted <= scores.keys() for scores in found)


def test_rows_with_a_start_are_those_with_a_one_stage_twin():
    starts = {table: {name: row.start for name, row in spec_of(table).rows.items() if row.start} for table in ZENG}
    of_two = {name: name.removesuffix(" -> cRW") for name in spec_of("zeng_table2").rows if name.endswith(" -> cRW")}
    twins = {name: twin for name, twin in of_two.items() if twin in spec_of("zeng_table2").rows}
    assert starts["zeng_table2"] == twins | {"CE -> cRS": "CE"}
    assert starts["zeng_table3"] == {"CE+cRW": "CE", "CE+SC+cRW": "CE+SC"}
    assert starts["zeng_table4"] == {} and starts["zeng_table5"] == {"CE -> cRW": "CE"}


def test_same_folder_is_the_same_run_in_every_table():
    arguments_of, folder_of = {}, {}
    for path in TABLES:
        for job in plan_of(path.stem).jobs:
            assert arguments_of.setdefault(job.folder, job.arguments) == job.arguments, job.name
            identity = (job.arguments, job.after.folder if job.arguments[0] == "test" else None)
            assert folder_of.setdefault(identity, job.folder) == job.folder, job.name


@pytest.mark.parametrize(
    ("figure", "table"), [*((figure, CHEN[0]) for figure in CHEN[1:]), ("marrakchi_fig3", "marrakchi_table1")]
)
def test_figure_shows_runs_of_the_table(figure, table):
    runs = {(cell.row, cell.column.title, cell.repeat): trained(cell).folder for cell in plan_of(table).cells}
    for cell in plan_of(figure).cells:
        assert trained(cell).folder == runs[cell.row.split(",")[0], cell.column.title, cell.repeat], cell.row


def test_network_tested_on_messidor_is_that_of_the_first_table():
    own = [cell for cell in plan_of("galdran_table1").cells if cell.row == "Bal-Mxp: alpha=0.2"]
    assert folders("galdran_table2") == {cell.job.folder for cell in own if cell.column.backbone == "resnext50"}
    assert [cell.job.arguments[0] for cell in cells_of("galdran_table2")] == ["fit", "test"]
    assert as_tested(cells_of("galdran_table2")[1]).data.class_path.endswith(".Messidor2")


@pytest.mark.parametrize(
    ("table", "row", "of", "row_of"),
    [
        ("marrakchi_table3", "tau=0.05", "marrakchi_table1", "CL (ours)"),
        ("marrakchi_table3", "tau=0.05 + resample", "marrakchi_table1", "CL (ours) + resample"),
        ("zeng_table3", "CE", "zeng_table2", "CE"),
        ("zeng_table3", "CE+cRW", "zeng_table2", "CE -> cRW"),
        ("zeng_table3", "CE+SC+cRW", "zeng_table2", "CE+SC -> cRW"),
        ("zeng_fig2", "CE+CT -> cRW, 0.001", "zeng_table2", "CE+CT -> cRW"),
        ("zeng_fig2", "CE+TP -> cRW, 0.001", "zeng_table2", "CE+TP -> cRW"),
        ("zeng_fig2", "CE+SC -> cRW, 1.0", "zeng_table2", "CE+SC -> cRW"),
        ("zhang_table2", "Classifier branch-CE / HPM", "zhang_table1", "CE"),
        ("zhang_table2", "Dual branch-BWCE+BHP / HPM", "zhang_table1", "ECL"),
    ],
)
def test_row_of_two_tables_is_run_once(table, row, of, row_of):
    assert folders(table, row) and all(
        folders(table, row, column.dataset) == folders(of, row_of, column.dataset) for column in spec_of(table).columns
    )


@pytest.mark.parametrize("table", CHEN[:2])
def test_plain_and_perturbed_results_are_of_one_run(table):
    rows = spec_of(table).rows
    for name in filter(lambda name: not name.endswith("+ours"), rows):
        plain, ours = ([cell for cell in plan_of(table).cells if cell.row == row] for row in (name, f"{name}+ours"))
        assert [cell.job for cell in plain] == [cell.job for cell in ours] != []
        assert [cell.folder for cell in plain] == [cell.folder / "plain" for cell in ours]


@pytest.mark.parametrize("cells_of", [some_cells_of, pytest.param(every_cell_of, marks=pytest.mark.slow)])
@pytest.mark.parametrize("table", CHEN)
def test_perturbation_and_learning_rate_are_those_of_the_data_and_the_network(table, cells_of):
    for cell in cells_of(table):
        model = config_of(cell).model
        assert model.class_path.endswith(".PerturbedClassifier")
        perturb = model.init_args.perturb
        assert perturb.class_path.endswith(".PerturbedInput")
        assert perturb.init_args.epsilon == (1e-4 if cell.column.dataset == "X-ray6" else 1e-3)
        assert perturb.init_args.temperature == 1000
        assert model.init_args.predictor.class_path.endswith(".Plain")
        lr = model.init_args.optimizer.init_args.lr
        assert lr == (0.01 if cell.column.backbone == "mobilenetv2" else 0.001)
        assert config_of(cell).trainer.max_epochs == 200


def test_cross_entropy_is_that_of_the_other_papers_but_for_its_test():
    cell = cells_of("chen_table2")[0]
    files = EXPERIMENTS / "chen_skin7.yaml", EXPERIMENTS / "methods" / "ce.yaml"
    plain = parsed("fit", *with_configs(*files), "--model", "PerturbedClassifier", "--data.split.fold", "0")
    assert first_stage(config_of(cell)) == first_stage(plain)


@pytest.mark.parametrize("curves", [2, pytest.param(6, marks=pytest.mark.slow)])  # which differ in their method
def test_report_is_that_of_the_epsilon(curves):
    rows, more = spec_of("chen_fig3").rows, {}
    wanted = list(dict.fromkeys(row.curve for row in rows.values()))[:curves]
    assert len(wanted) == curves
    for cell in (cell for cell in cells_of("chen_fig3") if rows[cell.row].curve in wanted):
        row, epsilons = rows[cell.row], as_tested(cell).model.init_args.more_epsilons
        assert (row.test is None) == (epsilons is None) == (row.x in (0, 0.001))
        if row.test is None:
            assert row.report == {0: "plain", 0.001: ""}[row.x]
        else:
            more.setdefault(tuple(epsilons), {})[row.x] = row.report
    [(epsilons, report_of)] = more.items()
    built = small_runs.build(PerturbedClassifier, small_runs.digits(), more_epsilons=list(epsilons))
    assert report_of == dict(zip(epsilons, list(built.side_reports)[1:], strict=True))


# What the number in the name of a row, or on its curve, is.
NUMBERS = {
    "galdran_table1": "mixer.init_args.alpha",
    "galdran_table2": "mixer.init_args.alpha",
    "galdran_table3": "mixer.init_args.alpha",
    "marrakchi_table3": "temperature",
    "zeng_fig2": "metric_weight",
    "chen_fig3_temperature": "perturb.init_args.temperature",
}


# Some rows and points of curves; all of them, and the same number again, are slow.
NUMBERED = [(table, 6 if table in SWEPT else 3) for table in ("galdran_table1", "marrakchi_table3", *list(NUMBERS)[4:])]
ALL_NUMBERED = [(table, 1) for table in NUMBERS]


@pytest.mark.parametrize(
    ("table", "every"),
    [*NUMBERED, *(pytest.param(*each, marks=pytest.mark.slow) for each in ALL_NUMBERED if each not in NUMBERED)],
)
def test_row_runs_with_the_number_in_its_name(table, every):
    numbers = 0
    for cell in cells_of(table)[::every]:
        if found := re.search(r"(?:=|, )([\d.]+)", cell.row):
            assert as_tested(cell).model.init_args[NUMBERS[table]] == float(found[1]), cell.row
            assert spec_of(table).rows[cell.row].x in (None, float(found[1]))
            numbers += 1
    assert numbers


BASELINES = [f"{name}+ours" for name in ("CE", "RS", "RW", "FL", "DRS", "LDAM")]
# Points of the figures that the papers name, in the text or as their default.
NAMED = {
    "chen_fig3": dict.fromkeys(BASELINES, {0, 0.0005, 0.001}),
    "chen_fig3_temperature": dict.fromkeys(BASELINES, {100, 1000}),
    "zeng_fig2": {
        "center loss": {0.00005, 0.001, 0.004},
        "triplet loss": {0.00005, 0.001, 0.01},
        "contrastive loss": {0.04, 1.0, 1.8},
    },
}


@pytest.mark.parametrize("table", NAMED)
def test_curve_goes_through_the_points_that_the_paper_names(table):
    curves = {}
    for row in spec_of(table).rows.values():
        curves.setdefault(row.curve, []).append(row.x)
    assert list(curves) == list(NAMED[table])
    for curve, points in curves.items():
        assert points == sorted(set(points)) and len(points) >= 5 and NAMED[table][curve] < set(points)


@pytest.mark.parametrize("cells_of", [some_cells_of, pytest.param(every_cell_of, marks=pytest.mark.slow)])
@pytest.mark.parametrize("table", ["galdran_table1", "galdran_table2", "galdran_table3"])
def test_every_row_is_tested_with_the_mirror_image(table, cells_of):
    for cell in cells_of(table):
        assert as_tested(cell).model.init_args.predictor.class_path.endswith(".FlipTTA")
        assert "mobilenetv2" in config_of(cell).model.init_args.backbone or cell.column.backbone != "mobilenetv2"


@pytest.mark.parametrize(("table", "epochs"), [("marrakchi_table1", 250), ("marrakchi_table2", 500)])
def test_resampled_rows_have_as_many_epochs_as_the_paper_says(table, epochs):
    for cell in cells_of(table):
        resampled = cell.row.endswith("+ resample")
        assert config_of(cell).trainer.max_epochs == (epochs if resampled else 4 * epochs)
