"""What a search is, and that a folder holds one."""

import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.tuning.about import about, read_about

ARGS = {
    "search": ["model.optimizer.lr=log:1e-4:1e-1"],
    "score": "val/f1",
    "seed": 0,
    "pruner": "median",
    "configs": ["somewhere/demo.yaml"],
    "options": ["--trainer.max_epochs", "3", "--data.root", "here", "--data.num_workers=2"],
}


def test_a_folder_goes_on_with_the_same_search_anywhere(tmp_path):
    about(**ARGS).write(tmp_path / "run")
    moved = {"configs": ["elsewhere/demo.yaml"], "options": ["--trainer.max_epochs=3", "--data.root", "there"]}
    again = about(**{**ARGS, **moved})
    again.check(tmp_path / "run")
    again.check(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert read_about(tmp_path / "run") == again and read_about(tmp_path) is None


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"search": ["model.optimizer.lr=log:1e-4:1"]}, "--search model.optimizer.lr=log:1e-4:1e-1, not --search"),
        ({"score": "val/auc"}, "with --score val/f1, not --score val/auc"),
        ({"seed": 1}, "--seed 0, not --seed 1"),
        ({"pruner": "none"}, "--pruner median, not --pruner none"),
        ({"configs": ["a.yaml"]}, "--config demo.yaml, not --config a.yaml"),
        ({"options": []}, r"other options --trainer.max_epochs 3, not other options \(none\)"),
    ],
)
def test_another_search_is_refused(other, said, tmp_path):
    about(**ARGS).write(tmp_path / "run")
    with pytest.raises(UserError, match=f"{said}.*run_2"):
        about(**{**ARGS, **other}).check(tmp_path / "run")


def test_the_folder_of_a_run_is_refused(tmp_path):
    (tmp_path / "run" / "stage1").mkdir(parents=True)
    with pytest.raises(UserError, match="run holds a run of `fit`: .*run_2"):
        about(**ARGS).check(tmp_path / "run")
    assert not (tmp_path / "run" / "tune.json").exists()


@pytest.mark.parametrize(
    ("score", "lower"),
    [("val/f1", False), ("val/f1/melanoma", False), ("val/loss", True), ("val/ece", True), ("val/auc", False)],
)
def test_which_scores_are_better_if_smaller(score, lower):
    assert about(**{**ARGS, "score": score}).lower is lower


def test_a_damaged_file_is_one_sentence(tmp_path):
    about(**ARGS).write(tmp_path)
    (tmp_path / "tune.json").write_text('{"search": []')
    with pytest.raises(UserError, match=r"tune.json is cut off.*another --run_dir"):
        read_about(tmp_path)
