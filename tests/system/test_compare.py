"""`lightning_imbal compare`: from a folder of images to a leaderboard, killed and repeated; what it refuses first."""

import html
import json
import os
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import layouts
import numpy as np
import pandas as pd
import pytest
import torch
from forked import Forked, run_forked, wait_for
from forked_jobs import command_in
from jsonargparse import Namespace
from made_runs import write_run
from small_runs import refused

from lightning_imbal.cli import compare, main
from lightning_imbal.cli.parts import compare_data, running
from lightning_imbal.cli.parts.configurations import read_stages
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data import CSVData, Holdout, KFold
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.stats.floors import FLOORS
from lightning_imbal.tables.comparison import comparison
from lightning_imbal.tables.methods import protocol_of, rows_of
from lightning_imbal.tables.spec import Row
from lightning_imbal.tables.suited import suitable

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TINY = [
    *("--model.backbone", "test_resnet", "--data.image_size", "16", "--trainer.max_epochs", "1"),
    *("--then.trainer.max_epochs", "1", "--data.num_workers", "0", "--trainer.enable_model_summary", "false"),
]
CLEAN = {"suspected_groups": None, "unreadable": [], "leaks": False}
OWN = ["--data.class_path", "CSVData", "--data.root", "biopsies", "--data.labels", "labels.csv"]


@pytest.fixture
def labels(tmp_path, monkeypatch):
    """44 images of three classes in the folder `biopsies`, and the file of their labels."""
    monkeypatch.chdir(tmp_path)
    Path("biopsies").mkdir()
    layouts.csv_data(Path("biopsies").absolute())
    return Path("biopsies/labels.csv")


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    """No process imports everything for runs that do not start; where they do, `command_in` has one."""
    monkeypatch.setattr(running, "FORKS", False)


@pytest.fixture
def nothing_runs(monkeypatch):
    """Makes every run fail to start."""

    def refuse(*args):
        raise AssertionError("a run was started")

    monkeypatch.setattr(running, "run_jobs", refuse)


def change(file, spoil):
    spoil(pd.read_csv(file)).to_csv(file, index=False)


# A run that is finished, or was begun, when the command is repeated is also in tests/launch and in test_resume.py.
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_also_killed_and_repeated_it_ends_with_leaderboard_page_and_advice(killed, labels):
    runs = Path("runs/kept")
    command = ["compare", *OWN, "--methods", "ce,crw", "--folds", "2", "--runs", str(runs), *TINY]
    if killed:
        with Forked(command_in, Path.cwd(), *command):
            wait_for(lambda: any(runs.glob("*/metrics.json")))
    before = {file: file.stat().st_mtime_ns for file in runs.glob("*/metrics.json")}
    assert len(before) == killed

    run_forked(command_in, Path.cwd(), *command, "--jobs", "2")
    said = Path("said.txt").read_text().strip().splitlines()
    assert said[0].startswith("Warning: The column 'patient' looks like 22 patients") and "in several parts" in said[0]
    assert said[1].startswith("Warning: Too few test images") and "unclear (8 images" in said[1]
    assert said[-1] == f"Page: {runs / 'compare.html'} (open it in a browser)"
    assert all(file.stat().st_mtime_ns == time for file, time in before.items()), "what was finished is not run again"
    folders = [folder.name for folder in runs.glob("*+fold?")]
    split = "own_csv+split=KFold+folds=2+val=0.125"
    assert sorted(folders) == [f"{split}+{method}+fold{fold}" for method in ("ce", "ce_crw") for fold in (0, 1)]
    assert all((runs / folder / "features.npz").is_file() for folder in folders), "also of a second stage"
    for fold in (0, 1):  # the second stage goes on from the first one of CE
        both = [pd.read_csv(runs / f"{split}+{name}+fold{fold}/stage1/metrics.csv") for name in ("ce", "ce_crw")]
        assert both[0]["train/loss"].dropna().tolist() == both[1]["train/loss"].dropna().tolist()

    cells = pd.read_csv(runs / "compare.csv")
    scores = cells[(cells["metric"] == "f1") & ~cells["floor"]]
    assert set(scores["row"]) == {"CE", "CE -> cRW"} and (scores["runs"] == 2).all()
    assert (scores["baseline"] == "CE -> cRW").all()
    assert {path.name for path in runs.iterdir() if path.is_file()} == {
        *("compare.csv", "compare.html", "compare.json", "compare.md", "compare.tex", "compare_classes.csv")
    }
    # It depends on the processor whether two epochs teach anything.
    known = ("test images, 2 methods", "has a higher macro F1", "Nothing was learned: ", "is left out here")
    advice = [line for line in said if any(words in line for words in known)]
    assert advice
    page = (runs / "compare.html").read_text()
    assert "Too few test images" in page and advice[0].split(":")[0].replace(">", "&gt;") in page
    assert "CE, fold 2 of 2" in page


@pytest.mark.parametrize("gpu", [pytest.param(True, marks=pytest.mark.slow), False])  # tests/cli/parts/test_laptop.py
def test_failed_run_is_named_and_the_page_has_the_others(gpu, labels, monkeypatch, capsys):
    def fail(jobs, *args):
        for job in jobs:
            if "+rs+" not in job.folder.name:
                write_run(job.folder, skill=2.0 if "+ldam+" in job.folder.name else 1.0)
        return [running.Failure(job, "killed by SIGKILL", ["the last line"]) for job in jobs if not job.finished]

    monkeypatch.setattr(running, "run_jobs", fail)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert main(["compare", *OWN, "--methods", "ce", "rs,ldam", "--baseline", "ce", *TINY]) == 1
    said = capsys.readouterr().out
    assert "RS, seed 0: killed by SIGKILL" in said and "the last line" in said and "1 run failed" in said
    assert "LDAM has a higher macro F1 than CE: +0." in said
    assert "Runs are missing (RS 0 of 1)" in said and "Each method was trained once:" in said
    runs = "runs/compare-biopsies" + ("" if gpu else "-laptop")
    assert said.strip().splitlines()[-1] == f"Page: {runs}/compare.html (open it in a browser)"
    assert ("No GPU was found" in said) == ("No GPU was found" in Path(runs, "compare.html").read_text()) == (not gpu)
    scores = pd.read_csv(f"{runs}/compare.csv").drop_duplicates("row")
    assert scores["row"].tolist() == ["LDAM", "CE", "RS", *FLOORS]


def test_where_nothing_was_learned_the_command_that_may_help_is_ready(labels, monkeypatch, capsys):
    monkeypatch.setattr(
        running, "run_jobs", lambda jobs, *args: [write_run(job.folder, skill=0, noise=3) for job in jobs] and []
    )
    command = ["compare", *OWN, "--methods", "ce", "rs", "--runs", "my runs", *TINY, "--trainer.max_epochs", "30"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "Nothing was learned: these runs say nothing about the methods." in said and "is the best" not in said
    [again] = [line for line in said.splitlines() if line.startswith("More epochs")]
    assert again in html.unescape(Path("my runs/compare.html").read_text())
    again = shlex.split(again.partition("lightning_imbal ")[2])
    assert again == [*command, "--trainer.max_epochs", "60", "--model.pretrained", "true", "--runs", "my runs-longer"]
    assert main([*again, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.count("--trainer.max_epochs 60 --model.pretrained true") == 2 and "0 of 2 runs are finished" in said


def test_what_is_pretrained_stays_so_and_50_epochs_are_enough_to_learn_something():
    options = ["--model.pretrained", "mine.pt", "--trainer.max_epochs", "1"]
    plan = SimpleNamespace(jobs=[Job("CE", Path("ce"), ("fit", *options))], runs=Path("my runs"))
    again = compare._again(["compare", *options, "--jobs", "0"], plan)
    assert again.endswith("--jobs 0 --trainer.max_epochs 50 --jobs 1 --runs 'my runs-longer'")


MISTAKES = {
    "column": (lambda t: t.rename(columns={"label": "lable"}), ["biopsies/labels.csv", "'label'", "'lable'"]),
    "two images": (
        lambda t: t.assign(label=t["label"].where(t.index > 1, "scarce")),
        ["The class scarce has 2 images", "2 folds", "4"],
    ),
    "absent": (lambda t: t.assign(image=t["image"].replace("images/003.png", "gone.png")), ["1 of the 44", "gone.png"]),
}


@pytest.mark.parametrize("spoil, named", MISTAKES.values(), ids=MISTAKES)
def test_mistake_in_the_labels_is_one_sentence_before_training(spoil, named, labels, nothing_runs, capsys):
    change(labels, spoil)
    said = refused(capsys, "compare", *OWN, "--folds", "2", *TINY)
    assert all(word in said for word in named), said
    assert not Path("runs").exists()


def test_bad_picture_is_named_before_training_and_may_be_left_out(labels, nothing_runs, capsys):
    Path("biopsies/images/007.png").write_bytes(b"no picture")
    command = ["compare", *OWN, "--methods", "ce", *TINY]
    said = refused(capsys, *command)
    assert "1 of 44 images cannot be read" in said and "images/007.png" in said and "on_bad_image skip" in said
    assert not Path("runs").exists()
    assert main([*command, "--data.on_bad_image", "skip", "--jobs", "0"]) == 0
    assert "Warning: 1 image left out that cannot be read. The first: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--methods", "ce,ldam_dwr"], ["'ldam_dwr'", "did you mean ldam_drw?"]),
        (["--methods", "ce", "--baseline", "rs"], ["'rs'", "ce"]),
        (["--methods", "ce", "--folds", "1"], ["--folds is 1"]),
        (["--methods", "ce", "--folds", "2", "--seeds", "0"], ["--seeds", "--folds"]),
        (["--methods", "ce", "--jobs", "-1"], ["--jobs is -1"]),
        (["--methods", "ce", "--edges", "age=60,40"], ["age=60,40", "ascending"]),
        (["--methods", "ce", "--edges", "age=40"], ["--edges age", "--data.metadata_columns"]),
        (["--methods", "ce", "--config", "gone.yaml"], ["gone.yaml"]),
        (["--methods", "ce", "--data.image_siz", "8"], ["image_siz", "image_size"]),
        (["--methods", "ce,ldam", "--model.loss.max_margin", "1"], ["max_margin", "CrossEntropy"]),
        (["--methods", "ce", "--data.root", "nowhere"], ["no folder nowhere", "--data.root"]),
        (["--methods", "ce", "--data.split", "KFold"], ["no validation part", "--folds 5"]),
    ],
)
def test_mistake_is_one_sentence(args, named, labels, nothing_runs, capsys):
    said = refused(capsys, "compare", *OWN, *args)
    assert all(word in said for word in named), said
    assert not Path("runs").exists()


def test_torn_groups_are_refused_as_by_fit(labels, nothing_runs, capsys):
    change(labels, lambda t: t.assign(part=np.resize(["train", "train", "train", "val", "test"], len(t))))
    columns = ["--data.split_column", "part", "--data.group_column", "patient"]
    assert "images of one patient into several parts" in refused(capsys, "compare", *OWN, "--methods", "ce", *columns)


def test_images_must_be_given(tmp_path, monkeypatch, capsys):
    assert "--data.root my_images" in refused(capsys, "compare", "--methods", "ce")
    monkeypatch.chdir(tmp_path)
    # The methods come with the package, so that only the images lack.
    assert "There is no folder biopsies" in refused(capsys, "compare", *OWN)


def test_auto_says_why_and_dry_run_writes_nothing(labels, nothing_runs, capsys):
    assert main(["compare", *OWN, "--dry-run", *TINY]) == 0
    said = capsys.readouterr().out.splitlines()
    reasons = [line.partition(" was chosen: ") for line in said if " was chosen: " in line]
    assert [name for name, _, _ in reasons] == ["CE", "CE -> cRW", "Logit adjustment", "Mixup"]
    assert all(why for _, _, why in reasons)
    assert sum(line.startswith("lightning_imbal fit") for line in said) == 4
    assert not Path("runs").exists()


@pytest.mark.slow  # as the runs above are
def test_methods_are_tested_against_re_weighted_cross_entropy(labels):
    assert main(["compare", *OWN, "--methods", "ce", "rs", "ce_crw", "--jobs", "0", *TINY]) == 0
    assert set(pd.read_csv("runs/compare-biopsies-laptop/compare.csv")["baseline"].dropna()) == {"CE -> cRW"}


def commands_of(said):
    return [shlex.split(line)[2:] for line in said.splitlines() if line.startswith("lightning_imbal fit")]


@pytest.mark.parametrize(
    "given", [[], pytest.param(["--model.pretrained", "mine.safetensors"], marks=pytest.mark.slow)]
)
def test_weights_and_steps_are_decided_once_for_every_run_and_stage(given, labels, nothing_runs, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    weights = Path("weights/test_resnet.safetensors").absolute()
    weights.parent.mkdir()
    weights.touch()
    command = ["compare", *OWN, "--methods", "ce,crw", "--model.backbone", "test_resnet", *given, "--dry-run"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "lies over all runs: test_resnet on 64 x 64 pixels, 300 epochs in batches of 16. " in said
    cli = ImbalCLI("fit")
    stages = [stage for args in commands_of(said) for stage in cli.stages(cli.read(args))]
    assert [(stage.data.init_args.batch_size, stage.trainer.max_epochs, stage.laptop) for stage in stages] == [
        *[(16, 300, False)] * 2,
        (16, 113, False),
    ]
    assert {stage.model.init_args.pretrained for stage in stages} == {(given or [str(weights)])[-1]}


def test_the_small_variant_may_be_refused(labels, nothing_runs, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["compare", *OWN, "--methods", "ce", "--laptop", "false", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "laptop.yaml" not in said and "runs/compare-biopsies/own_csv+ce+seed0" in said


def test_runs_that_were_begun_keep_the_weights_that_could_be_had_then(labels, nothing_runs, capsys):
    folder = Path("runs/compare-biopsies-laptop/own_csv+ce+seed0")
    folder.mkdir(parents=True)
    options = {"model.pretrained": "true", "trainer.max_epochs": "8"}
    record = {"identity": {"configs": [], "options": options}, "seconds": 0.0}
    (folder / "command.json").write_text(json.dumps(record))
    assert main(["compare", *OWN, "--methods", "ce", "--laptop", "true", "--dry-run", "--jobs", "0"]) == 0
    [args] = commands_of(capsys.readouterr().out)
    assert args[args.index("--model.pretrained") + 1] == "true" and "--data.batch_size" not in args


def test_every_seed_that_is_asked_for_is_run(labels, nothing_runs, capsys):
    assert main(["compare", *OWN, "--methods", "ce", "rs", "--seeds", "3", "4", "--dry-run", *TINY]) == 0
    runs = re.findall(r"own_csv\+(\w+)\+seed(\d)\n", capsys.readouterr().out)
    assert runs == [("ce", "3"), ("ce", "4"), ("rs", "3"), ("rs", "4")]


CHOSEN = [
    ([100, 80, 60], ["ce", "ce_crw", "label_smoothing", "mixup"]),
    ([200, 40], ["ce", "ce_crw", "logit_adjust", "mixup"]),
    ([900, 100, 40], ["ce", "ce_crw", "ldam_drw", "balanced_mixup"]),
    ([900, 100, 12], ["ce", "ce_crw", "ldam_drw", "logit_adjust"]),
    ([6705, 1113, 115], ["ce", "ce_crw", "ldam_drw", "balanced_mixup", "supcon", "ecl"]),
    ([20] * 20, ["ce", "ce_crw", "tau_norm", "label_smoothing", "mixup"]),
    ([1148] * 22 + [6], ["ce", "ce_crw", "tau_norm", "ldam_drw", "logit_adjust", "supcon"]),
]


@pytest.mark.parametrize(("counts", "chosen"), CHOSEN)
def test_auto_chooses_by_the_class_sizes(counts, chosen):
    assert list(suitable(counts)) == chosen
    assert list(rows_of(suitable(counts), EXPERIMENTS)) == chosen, "each is there"


def test_auto_chooses_a_method_of_grades_for_grades_alone():
    assert list(suitable([900, 100, 40], ordered=True)) == ["ce", "ce_crw", "corn", "ldam_drw", "balanced_mixup"]
    assert "corn" not in suitable([900, 100], ordered=True)


def test_methods_of_grades_are_refused_where_classes_have_no_order():
    def stage(loss):
        loss = Namespace(class_path=f"lightning_imbal.losses.{loss}", init_args=Namespace())
        deferred = Namespace(class_path="lightning_imbal.losses.Deferred", init_args=Namespace(loss=loss))
        return Namespace(model=Namespace(class_path="lightning_imbal.modules.Classifier", loss=deferred, head=None))

    stages = {Job(name, Path(name), ("fit",)): [stage(name)] for name in ("LDAM", "CornLoss")}
    compare_data.check_order(stages, True)
    with pytest.raises(UserError, match="^CornLoss: CornLoss takes the classes for grades, but these have no order"):
        compare_data.check_order(stages, False)


def test_grades_are_also_compared_by_scores_of_grades():
    spec = comparison({}, "biopsies", Path("own_csv.yaml"), ordered=True)
    assert list(spec.metrics)[-2:] == ["kappa", "mean_grade_error"] and next(iter(spec.metrics)) == "f1"
    assert "kappa" not in comparison({}, "biopsies", Path("own_csv.yaml")).metrics


def test_methods_are_named_as_in_the_papers_and_share_first_stages():
    methods = ["ce_crw", "ce", "crt", "focal_crw", "center_crw", "balanced_mixup", "mixup", "mixup_crw", "supcon"]
    rows = dict(rows_of(methods, EXPERIMENTS).values())
    starts = {name: row.start for name, row in rows.items()}
    assert starts == {
        "CE -> cRW": "CE",
        "CE": None,
        "CE -> cRT": "CE",
        "Focal -> cRW": None,  # Focal alone is not in the list
        "CE+CT -> cRW": None,
        "Balanced-MixUp": None,
        "Mixup": None,
        "Mixup -> cRW": "Mixup",
        "CL": None,
    }
    assert rows["CE -> cRT"].configs == [str(EXPERIMENTS / "methods" / "ce_crt.yaml")]
    assert rows_of(["crw"], EXPERIMENTS)["crw"][0] == "CE -> cRW"


def test_head_of_ones_own_comes_after_cross_entropy(tmp_path):
    for kind, name, copy in (("methods", "ce", "ce"), ("heads", "crt", "ours")):
        (tmp_path / kind).mkdir()
        content = (EXPERIMENTS / kind / f"{name}.yaml").read_text()
        if copy == "ours":
            content = "# A head of our own.\n" + content
        (tmp_path / kind / f"{copy}.yaml").write_text(content)
    rows = dict(rows_of(["ce", "ours"], tmp_path).values())
    assert [(name, row.start) for name, row in rows.items()] == [("CE", None), ("CE -> ours", "CE")]
    assert rows["CE -> ours"].options == {"then": str(tmp_path / "heads" / "ours.yaml")}


SUITED = sorted({method for _, chosen in CHOSEN for method in chosen})
EVERY = [file.stem for kind in ("methods", "heads") for file in EXPERIMENTS.glob(f"{kind}/*.yaml")]


def test_every_method_and_head_has_a_name_of_its_own():
    rows = rows_of(EVERY, EXPERIMENTS)
    path = {name: row.configs + list(row.options.values()) for name, row in rows.values()}
    assert all(path[name] == row.configs + list(row.options.values()) for name, row in rows.values())


# Of the others, whether they can be read at all is told by the table of all methods.
FEW = ["ce_crw", "ecl"]


@pytest.mark.parametrize(
    "files",
    [FEW, *(pytest.param(more, marks=pytest.mark.slow) for more in (SUITED, EVERY))],
    ids=["few", "suited", "every"],
)
def test_method_can_be_read_over_the_protocol(files, tmp_path):
    rows, protocol = dict(rows_of(files, EXPERIMENTS).values()), protocol_of("CSVData", EXPERIMENTS)
    plan = Plan(comparison(rows, "skin", protocol, 5), tmp_path)
    for job, stages in read_stages([cell.job for cell in plan.cells if cell.repeat == "fold 0"]).items():
        assert all(stage.data.init_args.split.init_args.val and stage.monitor == "val/f1" for stage in stages), job.name


def test_protocol_is_that_of_the_data():
    names = [protocol_of(data, EXPERIMENTS).name for data in ("lightning_imbal.data.CSVData", "FolderData", "ISIC2018")]
    assert names == ["own_csv.yaml", "own_folder.yaml", "own_folder.yaml"]


def test_table_of_folds_or_of_seeds():
    rows = {"CE": Row(configs=["ce.yaml"])}
    folds = comparison(rows, "skin", Path("own_csv.yaml"), 3).columns[0]
    assert folds.folds == [0, 1, 2]
    assert folds.options == {"data.split": "KFold", "data.split.folds": 3, "data.split.val": 0.125}
    seeds = comparison(rows, "skin", Path("own_csv.yaml"), seeds=[1, 2, 1]).columns[0]
    assert (seeds.seeds, seeds.folds, seeds.options) == ([1, 2], None, {})


def test_experiments_here_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped, ours = EXPERIMENTS / "methods", Path("experiments/methods")
    assert rows_of(["ecl"])["ecl"] == ("ECL", Row(configs=[str(shipped / "ecl.yaml")]))
    ours.mkdir(parents=True)
    (ours / "ecl.yaml").write_text("# ECL, ours: changed.\nmodel: {}\n")
    (ours / "new.yaml").write_text("# New: added.\nmodel: {}\n")
    rows = rows_of(["ce", "ecl", "new"])
    assert [name for name, _ in rows.values()] == ["CE", "ECL, ours", "New"]
    assert rows["ce"][1].configs == [str(shipped / "ce.yaml")] and rows["new"][1].configs == [str(ours / "new.yaml")]


def parts(folds=2, **kwargs):
    def data(split):
        return CSVData("biopsies", "labels.csv", split=split, image_size=16, num_workers=0, **kwargs)

    splits = [KFold(folds, fold, val=0.25) for fold in range(folds)] if folds else [Holdout(test=0.2, val=0.1)]
    return [compare_data.Part(f"fold {fold}", data(split), "val/f1") for fold, split in enumerate(splits)]


class TestCheck:
    def test_copies_across_folds_are_warned_of(self, labels):
        for number in range(10, 20):  # one photograph under ten names
            Path(f"biopsies/images/{number:03d}.png").write_bytes(Path("biopsies/images/009.png").read_bytes())
        suspected, leak, few = compare_data.check(parts(), Path("runs"))
        assert suspected.startswith("The column 'patient' looks like 22 patients")
        assert leak.startswith("LEAKS: 1 set of identical files across parts (in the first fold). ")
        assert "--data.group_column" in leak and few.startswith("Too few test images")

    def test_pictures_are_opened_again_only_if_something_changed(self, labels, monkeypatch):
        first = compare_data.check(parts(), Path("runs"))
        opened = []
        monkeypatch.setattr(compare_data, "audit", lambda *args, **kwargs: opened.append(1) or CLEAN)
        assert compare_data.check(parts(), Path("runs")) == first and not opened
        os.utime("biopsies/images/003.png", (0, 0))
        compare_data.check(parts(), Path("runs"))
        assert len(opened) == 1
        compare_data.check(parts(3), Path("runs"))
        assert len(opened) == 2, "other folds may leak elsewhere"

    def test_other_data_in_the_same_folder_are_refused(self, labels, tmp_path):
        compare_data.check(parts(), Path("runs"))
        change(labels, lambda t: t.assign(label=t["label"].replace("unclear", "other")))
        with pytest.raises(UserError, match="runs holds runs on other images, labels or groups: .* --runs runs_2"):
            compare_data.check(parts(), Path("runs"))
        Path("biopsies").rename("moved")
        Path("biopsies").symlink_to("moved")
        change(Path("moved/labels.csv"), lambda t: t.assign(label=t["label"].replace("other", "unclear")))
        assert compare_data.check(parts(), Path("runs"))

    def test_another_root_is_refused(self, labels):
        compare_data.check(parts(), Path("runs"))
        record = json.loads(Path("runs/compare.json").read_text())
        record["data"]["root"] = "/elsewhere"
        Path("runs/compare.json").write_text(json.dumps(record))
        with pytest.raises(UserError, match="runs holds runs on /elsewhere"):
            compare_data.check(parts(), Path("runs"))

    def test_score_that_chooses_the_epoch_needs_a_validation_part(self, labels):
        data = CSVData("biopsies", "labels.csv", split=Holdout(test=0.2), image_size=16)
        with pytest.raises(UserError, match="no validation part, on which the epoch with the best val/f1"):
            compare_data.check([compare_data.Part("seed 0", data, "val/f1")], Path("runs"))
        assert compare_data.check([compare_data.Part("seed 0", data, None)], Path("runs"), pictures=False)

    def test_class_that_no_fold_tests(self, labels):
        change(labels, lambda t: t.assign(part=t["part"].where(t["label"] != "unclear", "train")))
        data = CSVData("biopsies", "labels.csv", split_column="part", image_size=16)
        with pytest.raises(UserError, match="No image of the class unclear is in a test part"):
            compare_data.check([compare_data.Part("seed 0", data, None)], Path("runs"))

    def test_class_that_is_not_trained(self, labels):
        change(labels, lambda t: t.assign(part=t["part"].where(t["label"] != "unclear", "test")))
        data = CSVData("biopsies", "labels.csv", split_column="part", image_size=16)
        with pytest.raises(UserError, match="No image of the class unclear is in the training part of seed 0"):
            compare_data.check([compare_data.Part("seed 0", data, None)], Path("runs"))

    @pytest.mark.parametrize(("images", "folds", "refused"), [(2, None, True), (3, None, False), (3, 2, True)])
    def test_smallest_class(self, images, folds, refused, labels):
        change(labels, lambda t: t.assign(label=t["label"].where(np.arange(len(t)) >= images, "scarce")))
        data = parts(folds)[0].data
        if refused:
            with pytest.raises(UserError, match=f"The class scarce has {images} images, too few"):
                compare_data.count_classes(data, folds)
        else:
            assert compare_data.count_classes(data, folds)["scarce"] == images

    @pytest.mark.parametrize("folds", [2, 3, 4])
    def test_smallest_class_that_is_taken_can_be_split(self, folds, labels):
        change(labels, lambda t: t.assign(label=t["label"].where(np.arange(len(t)) >= max(folds, 4), "scarce")))
        smallest = {2: 4, 3: 3, 4: 4}[folds]
        change(labels, lambda t: t[(t["label"] != "scarce") | (np.arange(len(t)) < smallest)])
        assert compare_data.count_classes(parts(folds)[0].data, folds)["scarce"] == smallest
        warnings = compare_data.check(parts(folds), Path("runs"), pictures=False)
        assert "scarce" in warnings[0] and not Path("runs").exists()
