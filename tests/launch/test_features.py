"""A table whose cells are trained on stored features: which jobs there are, in which order, with which command."""

import pytest
import yaml

from lightning_imbal.launch import runner
from lightning_imbal.launch.features import FeatureJob, freezes_backbone
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.spec import Column, Metric, Row, Spec


@pytest.fixture
def plan(tmp_path):
    """A plan of a table with so many versions, over configurations that name a model."""

    def of(features=True, folds=None, **more):
        for name, model in (("small", "Classifier"), ("probe", "FrozenHead"), ("ce_crw", "Classifier")):
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"model": {"class_path": model}}))
        files = {name: str(tmp_path / f"{name}.yaml") for name in ("small", "probe", "ce_crw")}
        column = Column(dataset="Skin", configs=[files["small"]], seeds=[0, 1], folds=folds)
        rows = {
            "CE": Row(),
            "CE -> cRW": Row(configs=[files["ce_crw"]], start="CE"),
            "Probe": Row(configs=[files["probe"]]),
            "Probe -> LWS": Row(configs=[files["probe"]], options={"then": "heads/lws.yaml"}, start="Probe"),
        }
        spec = Spec(title="T", columns=[column], rows=rows, metrics={"f1": Metric(score="f1")}, features=features)
        return Plan(spec, tmp_path / "runs", **more)

    return of


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        *(("FrozenHead", True), ("lightning_imbal.modules.FrozenHead", True), ("own_module.Mine", True)),
        *(("Classifier", False), ("own_module.Trained", False), ("own_module.Nothing", False), ("None", False)),
    ],
)
def test_which_modules_keep_their_backbone_is_read_from_their_source(name, frozen, tmp_path, monkeypatch):
    own = "class Mine(FrozenHead):\n    x = 1\nclass Trained(FrozenHead):\n    freezes_backbone = False\n"
    (tmp_path / "own_module.py").write_text(f"from lightning_imbal.modules import FrozenHead\n{own}")
    monkeypatch.chdir(tmp_path)
    assert freezes_backbone(name) is frozen


def told(jobs):
    """Each job by its folder: its own last option, and the folders of those that it needs."""
    return {
        job.folder.name: (" ".join(job.arguments[-2:]), [need.folder.name for need in job.needs])
        for job in jobs
        if "seed1" not in job.folder.name
    }


def test_features_are_stored_once_and_read_by_all(plan):
    made = plan()
    runs = made.runs
    assert told(made.jobs) == {
        "small+CE+seed0": ("--seed_everything 0", []),
        "small+CE+seed0+features": (f"--run {runs}/small+CE+seed0", ["small+CE+seed0"]),
        "small+ce_crw+seed0": (
            f"--then.data.features {runs}/small+CE+seed0+features/features",
            ["small+CE+seed0", "small+CE+seed0+features"],
        ),
        "small+features": ("--seed_everything 0", []),
        "small+probe+seed0": (f"--data.features {runs}/small+features/features", ["small+features"]),
        "small+probe+then=heads_lws.yaml+seed0": (
            f"--data.features {runs}/small+features/features",
            ["small+probe+seed0", "small+features"],
        ),
    }
    position = {job: place for place, job in enumerate(made.jobs)}
    assert all(position[need] < position[job] for job in made.jobs for need in job.needs)
    [of_column] = [job for job in made.jobs if job.folder.name == "small+features"]
    assert isinstance(of_column, FeatureJob) and of_column.arguments[0] == "features"
    assert of_column.command()[-2:] == ["--out", f"{runs}/small+features/features"]


def test_what_differs_by_fold_or_is_augmented_is_stored_for_each(plan):
    for made, ends in ((plan(features=4), ("seed0", "seed1")), (plan(folds=[0, 1]), ("fold0", "fold1"))):
        stored = [job for job in made.jobs if isinstance(job, FeatureJob) and job.after is None]
        assert [job.folder.name for job in stored] == [f"small+features+{end}" for end in ends]
    assert all(job.arguments[-2:] == ("--views", "4") for job in plan(features=4).jobs if isinstance(job, FeatureJob))


def test_without_the_key_nothing_is_stored(plan):
    jobs = plan(features=False).jobs
    assert {type(job) for job in jobs} == {Job} and not any("features" in " ".join(job.arguments) for job in jobs)


def test_they_are_finished_when_the_features_are_there(plan):
    [job] = [job for job in plan().jobs if job.folder.name == "small+features"]
    (job.folder / "features").mkdir(parents=True)
    (job.folder / "metrics.json").write_text("{}")
    assert not job.finished
    (job.folder / "features" / "features.json").write_text("{}")
    assert job.finished and job.is_recorded


def test_cells_wait_for_them_and_fail_with_them(plan, monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0)
    started, running = [], []

    class Launcher:
        def has_room(self):
            return True

        def start(self, job):
            started.append(job.folder.name)
            running.append(job)

        def ended(self):
            return [(running.pop(), 2, "") for _ in running[:]]

        def stop(self):
            pass

    class Display:
        def __getattr__(self, name):
            return lambda *_: None

    jobs = [job for job in plan(only=["Probe*"]).jobs if "seed1" not in job.folder.name]
    failures = runner.run(jobs, Launcher(), Display())
    assert started == ["small+features"]
    assert [failure.reason for failure in failures][1:] == ["not run: it needs features, Skin, which failed"] * 2
