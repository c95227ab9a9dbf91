"""Which runs a table plans: their command lines, folders and order, and what is refused before anything is run."""

import json
import re

import pytest
import yaml

from lightning_imbal.command_line import last_setting
from lightning_imbal.errors import UserError
from lightning_imbal.launch import plan as plans
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.spec import Column, FurtherTest, Metric, Row, Spec


@pytest.fixture
def config(tmp_path):
    """Writes a configuration as far as a plan reads it."""

    def write(name, epochs=None, root=None):
        content = {"trainer": {"max_epochs": epochs}} if epochs else {}
        content |= {"data": {"init_args": {"root": root}}} if root else {}
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content) if content else "# nothing that a plan reads\n")
        return str(file)

    return write


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def spec_of(rows, *columns):
    columns = columns or (Column(dataset="Skin7", configs=["skin7.yaml"]),)
    return Spec(title="A table", columns=list(columns), rows=rows, metrics={"f1": Metric(score="f1")})


def row(name, **more):
    return Row(configs=[f"methods/{name}.yaml"], **more)


def places(plan):
    """The folder of the results of each cell."""
    return [cell.folder.relative_to(plan.runs).as_posix() for cell in plan.cells]


def folders(plan):
    """The folder of each job."""
    return [job.folder.relative_to(plan.runs).as_posix() for job in plan.jobs]


def option(job, name):
    """The value that a job's command line has for an option, None if it has none."""
    return dict(zip(job.arguments[1::2], job.arguments[2::2], strict=True)).get(f"--{name}")


def begin(job):
    """Leaves the record that a process of a job leaves."""
    job.folder.mkdir(parents=True)
    job.record.write_text(json.dumps({"identity": job.identity, "command": job.command(), "seconds": 1.0}))


class TestCommandLine:
    def test_order(self, config, runs):
        column = Column(
            dataset="Skin7",
            configs=[config("skin7", epochs=100), config("resnet18")],
            options={"data.image_size": 64, "model.views": [1, 2], "model.bias": False},
            seeds=[3],
        )
        rows = {"CL": Row(configs=[config("cl"), config("rs")], options={"model.temperature": 0.1}, epochs=0.25)}
        plan = Plan(
            spec_of(rows, column), runs, [config("laptop"), config("quick")], ["--data.root", "images", "--a=1"]
        )
        files = [config(name) for name in ("cl", "rs", "laptop", "quick")]
        rows = {"CL": Row(configs=files[:2], options={"model.temperature": 0.1}, epochs=0.25)}
        assert plan.cells[0].job.arguments == (
            *("fit", "--config", column.configs[0], "--config", column.configs[1]),
            *("--config", files[0], "--config", files[1]),
            *("--model.temperature", "0.1"),
            *("--data.image_size", "64", "--model.views", "[1, 2]", "--model.bias", "false"),
            *("--config", files[2], "--config", files[3]),
            *("--data.root", "images", "--a=1"),
            *("--seed_everything", "3"),
            *("--trainer.max_epochs", "25"),
        )

    def test_fold_in_the_place_of_the_seed(self, runs):
        plan = Plan(spec_of({"CE": row("ce")}, Column(dataset="Skin7", folds=[2])), runs, options=["--a", "1"])
        [cell] = plan.cells
        assert cell.job.arguments == ("fit", "--config", "methods/ce.yaml", "--a", "1", "--data.split.fold", "2")
        assert (cell.repeat, cell.folder) == ("fold 2", runs / "ce+fold2")

    @pytest.mark.parametrize(
        ("share", "row_epochs", "overlay_epochs", "options", "epochs"),
        [
            (0.25, None, None, [], 25),
            (2.0, None, None, [], 200),
            (0.25, 40, None, [], 10),
            (0.25, 40, 8, [], 2),
            (0.25, None, 8, ["--data.root", "images"], 2),
            (0.25, None, 8, ["--trainer.max_epochs", "12"], 3),
            (0.25, None, 8, ["--trainer.max_epochs=12"], 3),
            (0.25, None, None, ["--trainer.max_epochs", "12", "--trainer.max_epochs=20"], 5),
            (0.25, None, 1, [], 1),
            (0.3, 9, None, [], 3),
            (0.001, None, None, [], 1),
        ],
    )
    def test_share_of_the_epochs(self, share, row_epochs, overlay_epochs, options, epochs, config, runs):
        column = Column(dataset="Skin7", configs=[config("skin7", epochs=100), config("resnet18")])
        rows = {"CE": Row(configs=[config("ce", row_epochs)]), "half": Row(configs=[config("half", row_epochs)])}
        rows["half"].epochs = share
        overlays = [config("laptop", overlay_epochs), config("last")]
        whole, part = Plan(spec_of(rows, column), runs, overlays, options).jobs
        assert part.arguments[-2:] == ("--trainer.max_epochs", str(epochs))
        assert whole.arguments[-2:] == ("--seed_everything", "0")

    @pytest.mark.parametrize("holder", ["row", "column"])
    def test_share_is_of_the_epochs_in_the_options_of_row_and_column(self, holder, config, runs):
        options = {holder: {"trainer.max_epochs": 8}}
        column = Column(dataset="Skin7", configs=[config("skin7", epochs=100)], options=options.get("column", {}))
        rows = {"CE": Row(configs=[config("ce")], options=options.get("row", {}), epochs=0.25)}
        assert Plan(spec_of(rows, column), runs).jobs[0].arguments[-2:] == ("--trainer.max_epochs", "2")

    def test_share_of_epochs_that_nobody_says_is_refused(self, config, runs):
        rows = {"CE": Row(configs=[config("ce")], epochs=0.25)}
        with pytest.raises(UserError, match="max_epochs"):
            Plan(spec_of(rows, Column(dataset="Skin7", configs=[config("skin7")])), runs)

    def test_share_of_what_is_no_number_is_refused(self, config, runs):
        rows = {"CE": Row(configs=[config("ce")], epochs=0.25)}
        with pytest.raises(UserError, match="max_epochs is '0x': give a number"):
            Plan(spec_of(rows, Column(dataset="Skin7")), runs, options=["--trainer.max_epochs", "0x"])

    def test_of_a_fit(self, runs):
        [job] = Plan(spec_of({"CE": row("ce")}), runs).jobs
        as_planned = [*job.arguments, "--laptop", "false", "--run_dir", str(job.folder)]
        assert job.command() == as_planned
        (job.folder / ".stage1.77").mkdir(parents=True)
        assert job.command() == as_planned
        (job.folder / "stage1").mkdir()
        assert job.command() == [*as_planned, "--ckpt_path", "last"]

    def test_of_a_fit_that_takes_a_first_stage(self, runs):
        job = Plan(spec_of({"CE": row("ce"), "CE -> cRW": row("ce_crw", start="CE")}), runs).cells[1].job
        assert job.command()[-4:] == ["--run_dir", str(job.folder), "--ckpt_path", "last"]

    def test_of_a_test(self, runs):
        test = FurtherTest(name="test_tta", configs=["tta.yaml"], options={"model.predictor": "FlipTTA"})
        plan = Plan(spec_of({"CE": row("ce", test=test)}), runs, ["laptop.yaml"], ["--data.root", "images"])
        fit, job = plan.jobs
        # Seed and overlays are in the configuration that the trained checkpoint has beside it.
        arguments = ("test", "--config", "tta.yaml", "--model.predictor", "FlipTTA", "--data.root", "images")
        assert job.arguments == arguments and job.after is fit

        def command(stage):
            trained = f"{runs}/skin7+ce+seed0/{stage}/checkpoints/best.ckpt"
            return [*arguments, "--ckpt_path", trained, "--run_dir", str(runs / "skin7+ce+seed0" / "test_tta")]

        assert job.command() == command("stage1")
        for stage in ("stage1", "stage2"):
            (fit.folder / stage).mkdir(parents=True)
            assert job.command() == command(stage)


class TestJobs:
    def test_cells_with_the_same_run_share_a_job(self, runs):
        messidor = FurtherTest(name="test_messidor2", configs=["messidor2.yaml"])
        columns = [
            Column(dataset="EyePACS", configs=["eyepacs.yaml"], seeds=[0, 1]),
            Column(dataset="Messidor-2", configs=["eyepacs.yaml"], seeds=[0, 1], test=messidor),
        ]
        plan = Plan(spec_of({"CE": row("ce", report="plain"), "CE+ours": row("ce")}, *columns), runs)
        assert [cell.repeat for cell in plan.cells] == 4 * ["seed 0", "seed 1"]
        fits = [cell.job if cell.job.after is None else cell.job.after for cell in plan.cells]
        assert fits == 4 * fits[:2] and fits[0] is not fits[1]
        assert folders(plan) == [f"eyepacs+ce+seed{seed}{test}" for test in ("", "/test_messidor2") for seed in (0, 1)]
        assert all(
            cell.job is plan.cells[at].job for at, cell in zip((0, 1, 0, 1, 4, 5, 4, 5), plan.cells, strict=True)
        )

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (Row(configs=["a/ce.yaml"]), Row(configs=["b/ce.yaml"])),
            (Row(options={"model.alpha": 1}), Row(options={"data.alpha": 1})),
            (Row(options={"a": "x y"}), Row(options={"a": "x/y"})),
            (row("ce", test=FurtherTest(name="tta")), row("ce", test=FurtherTest(name="tta", options={"a": 1}))),
        ],
        ids=["files of the same name", "options of the same name", "values that look alike", "tests of the same name"],
    )
    def test_rows_that_differ_in_one_folder_are_refused(self, first, second, runs):
        with pytest.raises(UserError, match="Two rows run differently in the same folder .*skin7.*: use"):
            Plan(spec_of({"A": first, "B": second}), runs)
        # Beside any other row each is fine.
        for each in (first, second):
            assert len(Plan(spec_of({"A": each, "other": row("other")}), runs).cells) == 2

    def test_a_person_reads_the_row_and_counts_folds_from_one(self, runs):
        folds = Column(dataset="Skin7", configs=["skin7.yaml"], folds=[0, 1, 2])
        assert [job.name for job in Plan(spec_of({"CE": row("ce")}, folds), runs).jobs] == [
            "CE, fold 1 of 3",
            "CE, fold 2 of 3",
            "CE, fold 3 of 3",
        ]
        some = Column(dataset="Skin7", configs=["skin7.yaml"], folds=[3])
        assert [cell.title for cell in Plan(spec_of({"CE": row("ce")}, some), runs).cells] == ["fold 4 of 4"]
        columns = [Column(dataset=name, configs=[f"{name}.yaml"], seeds=[7]) for name in ("Skin7", "X-ray6")]
        names = [job.name for job in Plan(spec_of({"CE -> cRW": row("ce_crw")}, *columns), runs).jobs]
        assert names == ["CE -> cRW, Skin7, seed 7", "CE -> cRW, X-ray6, seed 7"]

    def test_settings_are_looked_up_once_for_all_seeds(self, config, runs, monkeypatch):
        asked = []
        monkeypatch.setattr(plans, "last_setting", lambda *args: asked.append(args) or last_setting(*args))
        columns = [Column(dataset=name, configs=[config(name, epochs=8)], seeds=list(range(9))) for name in "AB"]
        plan = Plan(spec_of({"CE": Row(configs=[config("ce")], epochs=0.5)}, *columns), runs)
        assert len(plan.jobs) == 18 and len(asked) == 2
        Plan(plan.spec, runs, options=["--data.root", "x"]).check_root()
        assert len(asked) == 6

    def test_start_is_waited_for(self, runs):
        rows = {"CE -> cRW": row("ce_crw", start="CE"), "CE": row("ce"), "RS": row("rs")}
        plan = Plan(spec_of(rows, Column(dataset="Skin7", seeds=[4, 5])), runs)
        of_row = {name: [cell.job for cell in plan.cells if cell.row == name] for name in rows}
        assert [job.after for job in of_row["CE -> cRW"]] == of_row["CE"]
        assert [job.after for job in of_row["CE"] + of_row["RS"]] == 4 * [None]
        assert folders(plan) == [*("ce+seed4", "ce_crw+seed4", "ce+seed5", "ce_crw+seed5", "rs+seed4", "rs+seed5")]

    def test_start_that_is_not_asked_for_is_a_job_and_no_cell(self, runs):
        rows = {"CE": row("ce"), "CE -> cRW": row("ce_crw", start="CE"), "RS": row("rs")}
        plan = Plan(spec_of(rows), runs, only=["CE -> cRW"])
        assert [cell.row for cell in plan.cells] == ["CE -> cRW"]
        assert folders(plan) == ["skin7+ce+seed0", "skin7+ce_crw+seed0"]
        assert plan.cells[0].job.after is plan.jobs[0]

    def test_start_has_the_share_of_its_own_row(self, config, runs):
        column = Column(dataset="Skin7", configs=[config("skin7", epochs=100)])
        rows = {"CE": Row(configs=[config("ce")], epochs=0.5), "cRW": Row(configs=[config("ce_crw")], start="CE")}
        first, second = Plan(spec_of(rows, column), runs, only=["cRW"]).jobs
        assert option(first, "trainer.max_epochs") == "50" and option(second, "trainer.max_epochs") is None

    def test_tests_come_after_their_fit(self, runs):
        of_row, of_column = FurtherTest(name="test_row", options={"a": 1}), FurtherTest(name="test_column")
        columns = [Column(dataset="A", configs=["a.yaml"]), Column(dataset="B", configs=["b.yaml"], test=of_column)]
        rows = {"CE": row("ce"), "ours": row("ce", test=of_row), "cRW": row("ce_crw", start="CE", test=of_row)}
        plan = Plan(spec_of(rows, *columns), runs)
        # The test of a row wins over that of the column.
        assert places(plan) == [
            *("a+ce+seed0", "a+ce+seed0/test_row", "a+ce_crw+seed0/test_row"),
            *("b+ce+seed0/test_column", "b+ce+seed0/test_row", "b+ce_crw+seed0/test_row"),
        ]
        assert [cell.job.arguments[0] for cell in plan.cells] == ["fit"] + 5 * ["test"]
        for number, job in enumerate(plan.jobs):
            assert job.after is None or plan.jobs.index(job.after) < number
            assert (job.arguments[0] == "test") == job.folder.name.startswith("test")
            if job.arguments[0] == "test":
                assert job.after.folder == job.folder.parent
        # The first stage is taken from the training, not from the test, of the other row.
        second_stage = plan.cells[5].job.after
        assert second_stage.after is plan.cells[3].job.after and second_stage.after.arguments[0] == "fit"

    def test_is_finished_when_its_results_are_there(self, runs):
        fit, test = Plan(spec_of({"CE": row("ce", test=FurtherTest(name="tta"))}), runs).jobs
        test.folder.mkdir(parents=True)
        (test.folder / "metrics.json").write_text("{}")
        assert test.finished and not fit.finished


class TestFolders:
    def test_say_what_is_run(self, config, runs):
        column = Column(
            dataset="Skin7",
            configs=[config("skin7", epochs=8), config("resnet18")],
            options={"model.optimizer.lr": 0.01},
        )
        rows = {
            "CE": Row(configs=[config("ce")]),
            "ours": Row(configs=[config("ce"), config("rs")], options={"model": "Perturbed", "model.a.b": [0.1, 1e-5]}),
            "half": Row(configs=[config("ce")], options={"model.c": None}, epochs=0.5),
            "tau = 1 / 2": Row(),
        }
        plan = Plan(spec_of(rows, column), runs)
        below = "skin7+resnet18+lr=0.01"
        assert places(plan) == [
            f"{below}+{name}+seed0"
            for name in ("ce", "ce+rs+model=Perturbed+b=_0.1_1e-05", "ce+c=None+epochs=0.5", "tau_=_1_2")
        ]
        assert folders(plan) == places(plan)

    def test_of_reports(self, runs):
        test = FurtherTest(name="test_epsilons")
        rows = {
            "plain": row("ce", report="plain"),
            "ours": row("ce"),
            "0.1": row("ce", test=test, report="epsilon_0_1"),
        }
        plan = Plan(spec_of(rows), runs)
        at = "skin7+ce+seed0"
        assert places(plan) == [f"{at}/plain", at, f"{at}/test_epsilons/epsilon_0_1"]
        assert [cell.job.name for cell in plan.cells] == [*2 * ["plain, seed 0"], "plain, seed 0, test_epsilons"]

    def test_have_no_odd_characters(self, config, runs):
        odd = "a b/c\\d:e*f?g\"h<i>j|k'l$m&n;o(p)q[r]s{t}u`v~w!x#y%z^,@\n"
        rows = {odd: Row(), "of options": Row(options={"a": odd, "b": [1, {"c": "../.."}]}), "file": row("x (1) $HOME")}
        plan = Plan(spec_of(rows, Column(dataset="S", configs=["y [2].yaml"], options={"z": "a:b"})), runs)
        for place in places(plan):
            assert re.fullmatch(r"[\w.=+-]+", place, re.ASCII)

    def test_quoted_rows_have_no_cells(self, runs):
        plan = Plan(spec_of({"CE": row("ce"), "DANIL": Row(quoted=True)}), runs)
        assert [cell.row for cell in plan.cells] == ["CE"] and len(plan.jobs) == 1


class TestRepeats:
    FOLDS = Column(dataset="Skin7", folds=[0, 1, 2])
    SEEDS = Column(dataset="X-ray6", configs=["x.yaml"], seeds=[0, 1])

    @pytest.mark.parametrize(
        ("repeats", "repeated"),
        [
            (None, ["fold 0", "fold 1", "fold 2", "seed 0", "seed 1"]),
            ([2], ["fold 2", "seed 2"]),
            ([1, 0, 1], ["fold 1", "fold 0", "seed 1", "seed 0"]),
        ],
    )
    def test_are_those_asked_for(self, repeats, repeated, runs):
        plan = Plan(spec_of({"CE": row("ce")}, self.FOLDS, self.SEEDS), runs, repeats=repeats)
        assert [cell.repeat for cell in plan.cells] == repeated
        given = [(option(job, "data.split.fold"), option(job, "seed_everything")) for job in plan.jobs]
        expected = [each.split() for each in repeated]
        assert given == [(number, None) if kind == "fold" else (None, number) for kind, number in expected]
        assert [place.rpartition("+")[2] for place in places(plan)] == ["".join(each) for each in expected]

    def test_any_seed_can_be_run(self, runs):
        plan = Plan(spec_of({"CE": row("ce")}, self.SEEDS), runs, repeats=[12345])
        assert places(plan) == ["x+ce+seed12345"] and option(plan.jobs[0], "seed_everything") == "12345"

    def test_only_folds_that_there_are(self, runs):
        spec = spec_of({"CE": row("ce")}, self.FOLDS, self.SEEDS)
        with pytest.raises(UserError, match=r"Skin7 has no fold 3: its folds are \[0, 1, 2\]\."):
            Plan(spec, runs, repeats=[1, 7, 3])
        # A column that is left out has no say.
        assert [cell.repeat for cell in Plan(spec, runs, repeats=[7], only=["X-ray6"]).cells] == ["seed 7"]


class TestOnly:
    COLUMNS = [
        Column(dataset="Skin7", backbone="resnet50", configs=["a.yaml"]),
        Column(dataset="X-ray6", backbone="resnet50", configs=["b.yaml"]),
        Column(dataset="Skin7", backbone="mobilenetv2", configs=["c.yaml"]),
        Column(dataset="OCTMNIST", configs=["d.yaml"]),
    ]
    ROWS = {"CE": row("ce"), "CE+ours": row("ours"), "RS": row("rs"), "Bal [1]": row("bal"), "DANIL": Row(quoted=True)}

    @pytest.mark.parametrize(
        ("only", "rows", "columns"),
        [
            ([], "all", "abcd"),
            (["CE"], ["CE"], "abcd"),
            (["ce+OURS"], ["CE+ours"], "abcd"),
            (["CE*"], ["CE", "CE+ours"], "abcd"),
            (["r?", "CE"], ["CE", "RS"], "abcd"),
            (["Bal [1]"], ["Bal [1]"], "abcd"),
            (["Skin7"], "all", "ac"),
            (["skin*", "OCT*"], "all", "acd"),
            (["RESNET50"], "all", "ab"),
            (["mobile*", "X-ray6"], "all", ""),
            (["mobile*", "Skin7"], "all", "c"),
            (["RS", "X-ray6"], ["RS"], "b"),
            (["CE", "RS", "Skin7", "resnet50"], ["CE", "RS"], "a"),
            (["DANIL"], [], "abcd"),
        ],
    )
    def test_leaves_rows_data_sets_and_backbones(self, only, rows, columns, runs):
        plan = Plan(spec_of(self.ROWS, *self.COLUMNS), runs, only=only)
        rows = ["CE", "CE+ours", "RS", "Bal [1]"] if rows == "all" else rows
        assert [(cell.column.configs[0][0], cell.row) for cell in plan.cells] == [(c, r) for c in columns for r in rows]

    @pytest.mark.parametrize("only", [["CE", "Focal"], ["focal*", "Skin7"], ["FOCAL"]])
    def test_unknown_name_is_refused_with_those_there_are(self, only, runs):
        names = "CE, CE+ours, RS, Bal [1], DANIL, Skin7, X-ray6, OCTMNIST, resnet50, mobilenetv2."
        unknown = next(name for name in only if "focal" in name.lower())
        told = f"The table has no row, data set or backbone {unknown!r}: it has {names}"
        with pytest.raises(UserError, match=f"^{re.escape(told)}$"):
            Plan(spec_of(self.ROWS, *self.COLUMNS), runs, only=only)


MACHINE = {
    "data.root": "elsewhere",
    "data.num_workers": "3",
    "data.cache": "disk",
    "data.cache_dir": "cache",
    "trainer.accelerator": "cpu",
    "trainer.devices": "2",
    "trainer.num_nodes": "2",
    "trainer.strategy": "ddp",
    "trainer.logger": "false",
    "trainer.enable_progress_bar": "false",
    "trainer.enable_model_summary": "false",
}
SETTINGS = {
    "data": "Messidor2",
    "data.batch_size": "8",
    "data.image_size": "64",
    "data.split.fold": "1",
    "model.backbone": "resnet18",
    "model.root": "x",
    "seed_everything": "1",
    "trainer.max_epochs": "3",
    "trainer.precision": "16-mixed",
    "trainer.callbacks": "null",
    "then": "null",
}


class TestIdentity:
    @staticmethod
    def job(folder, *arguments):
        return Job("a", folder, ("fit", "--config", "experiments/skin7.yaml", "--config", "ce.yaml", *arguments))

    @pytest.mark.parametrize("name", MACHINE)
    def test_leaves_out_what_is_of_the_machine(self, name, tmp_path):
        bare = self.job(tmp_path).identity
        for given in ([f"--{name}", MACHINE[name]], [f"--{name}={MACHINE[name]}"]):
            assert self.job(tmp_path, *given).identity == bare

    @pytest.mark.parametrize("name", SETTINGS)
    def test_has_everything_else(self, name, tmp_path):
        bare = self.job(tmp_path).identity
        one, same = self.job(tmp_path, f"--{name}", SETTINGS[name]), self.job(tmp_path, f"--{name}={SETTINGS[name]}")
        assert one.identity == same.identity != bare
        assert self.job(tmp_path, f"--{name}", SETTINGS[name] + "0").identity != one.identity

    def test_has_the_names_of_the_configurations_in_their_order(self, tmp_path):
        elsewhere = Job("b", tmp_path, ("fit", "--config=other/skin7.yaml", "--config", "other/methods/ce.yaml"))
        assert (
            elsewhere.identity == self.job(tmp_path).identity == {"configs": ["skin7.yaml", "ce.yaml"], "options": {}}
        )
        turned = Job("b", tmp_path, ("fit", "--config", "ce.yaml", "--config", "skin7.yaml"))
        assert turned.identity != elsewhere.identity
        assert self.job(tmp_path, "--config", "laptop.yaml").identity != elsewhere.identity

    def test_has_the_last_of_several_values(self, tmp_path):
        first, last = ("--a", "1"), ("--a=2",)
        assert self.job(tmp_path, *first, *last).identity == self.job(tmp_path, *last).identity
        assert self.job(tmp_path, *last, *first).identity == self.job(tmp_path, *first).identity

    @pytest.mark.parametrize("stray", [["2"], ["--a", "1", "2"], ["--a=1", "2"]])
    def test_value_without_an_option_is_refused(self, stray, tmp_path):
        with pytest.raises(UserError, match="'2' has no option before it: write --name value"):
            _ = self.job(tmp_path, *stray).identity

    def test_record_of_the_same_settings_is_accepted(self, tmp_path):
        job = self.job(tmp_path / "run", "--a", "ä")
        assert job.is_recorded, "there is nothing yet"
        begin(job)
        assert job.is_recorded
        assert self.job(tmp_path / "run", "--a", "ä", "--data.root", "elsewhere").is_recorded
        assert not self.job(tmp_path / "run", "--a", "b").is_recorded


class TestCheck:
    def test_folder_with_other_settings_is_refused(self, runs):
        spec = spec_of({"CE": row("ce"), "RS": row("rs")})
        before = Plan(spec, runs, options=["--model.alpha", "1"])
        begin(before.jobs[1])
        before.check_settings()
        Plan(spec, runs, options=["--model.alpha=1", "--data.num_workers", "0"]).check_settings()
        Plan(spec, runs, ["laptop.yaml"], only=["CE"]).check_settings()
        for overlays, options in ([], []), ([], ["--model.alpha", "2"]), (["laptop.yaml"], ["--model.alpha", "1"]):
            with pytest.raises(UserError) as refused:
                Plan(spec, runs, overlays, options).check_settings()
            folder = runs / "skin7+rs+seed0"
            assert str(refused.value) == (
                f"{folder} was run with other settings ({folder / 'command.json'} has them): "
                "give the options it was run with, or another --runs folder."
            )

    def test_first_stage_with_other_settings_is_refused(self, runs):
        spec = spec_of({"CE": row("ce"), "cRW": row("ce_crw", start="CE")})
        begin(Plan(spec, runs, options=["--a", "1"]).jobs[0])
        with pytest.raises(UserError, match=r"skin7\+ce\+seed0 was run with other settings"):
            Plan(spec, runs, only=["cRW"]).check_settings()

    def test_one_root_for_several_data_sets_is_refused(self, config, runs):
        columns = [
            Column(
                dataset="Skin7", backbone=backbone, configs=[config("skin7", root="data/isic2018"), config(backbone)]
            )
            for backbone in ("resnet50", "resnet18")
        ]
        columns.append(Column(dataset="X-ray6", configs=[config("xray6", root="data/xray14")]))
        columns.append(Column(dataset="Digits", configs=[config("digits")]))
        spec = spec_of({"CE": Row(configs=[config("ce")])}, *columns)
        Plan(spec, runs, options=["--data.batch_size", "8"]).check_root()
        for options in (["--data.root", "x"], ["--data.root=x"], ["--a", "1", "--data.root", "x"]):
            with pytest.raises(UserError) as refused:
                Plan(spec, runs, options=options).check_root()
            assert str(refused.value) == (
                "--data.root is one folder, but this table has several data sets: choose one with --only, or put each "
                "where its protocol looks for it (data/isic2018, data/xray14)."
            )
            for name in ("Skin7", "X-ray6", "Digits"):
                Plan(spec, runs, options=options, only=[name]).check_root()

    def test_one_root_for_training_and_another_data_set_to_test_is_refused(self, config, runs):
        test = FurtherTest(name="test_messidor2", configs=[config("messidor2", root="data/messidor2")])
        column = Column(dataset="Messidor-2", configs=[config("eyepacs", root="data/eyepacs")], test=test)
        with pytest.raises(UserError, match=r"several data sets.*\(data/eyepacs, data/messidor2\)"):
            Plan(spec_of({"CE": Row(configs=[config("ce")])}, column), runs, options=["--data.root", "x"]).check_root()

    def test_one_root_for_a_row_with_another_data_set_is_refused(self, config, runs):
        test = FurtherTest(name="test_messidor2", configs=[config("messidor2", root="data/messidor2")])
        column = Column(dataset="EyePACS", configs=[config("eyepacs", root="data/eyepacs")])
        with pytest.raises(UserError, match="several data sets"):
            Plan(
                spec_of({"CE": Row(configs=[config("ce")], test=test)}, column), runs, options=["--data.root", "x"]
            ).check_root()

    def test_a_root_that_another_configuration_replaces_is_no_data_set(self, config, runs):
        files = [config("skin7", root="data/isic2018"), config("small", root="data/isic2018_small")]
        Plan(
            spec_of({"CE": Row(configs=[config("ce")])}, Column(dataset="A", configs=files)),
            runs,
            options=["--data.root", "x"],
        ).check_root()


class TestSetting:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("data: {init_args: {root: images, views: 2}}", "images"),
            ("data: {init_args: {views: 2}}", None),
            ("data: {init_args: null}", None),
            ("data: null", None),
            ("", None),
            ("data: DigitsLT", None),
        ],
    )
    def test_is_read_where_it_is_set(self, text, value, tmp_path):
        (tmp_path / "file.yaml").write_text(text)
        arguments = ["--config", str(tmp_path / "file.yaml"), "--data.batch_size", "4"]
        assert last_setting(arguments, "data", "init_args", "root") == value
        assert last_setting([*arguments, "--data.init_args.root", "there"], "data", "init_args", "root") == "there"

    def test_of_workers_decides_whether_their_number_is_chosen(self, config, tmp_path):
        bare, four = config("bare"), tmp_path / "four.yaml"
        four.write_text("data: {init_args: {num_workers: 4}}")

        def sets_workers(*arguments):
            return Job("a", tmp_path, ("fit", "--config", bare, *arguments)).sets_workers

        assert sets_workers("--config", str(four)) and sets_workers("--data.num_workers=0")
        assert not sets_workers() and not sets_workers("--data.batch_size", "4")
