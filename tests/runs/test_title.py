"""What runs are called: by their configurations, by what older ones say, and without what all share."""

import json

import pytest
import yaml
from made_runs import write_run

from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.runs.caveats import caveats_of
from lightning_imbal.runs.lineage import lineage
from lightning_imbal.runs.method_names import method_name
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.title import fitted_text, named, ordered_classes, short_names, shown_scores, title_parts

METHODS, HEADS = files_of("methods"), files_of("heads")
FOLD = {"kind": "KFold", "folds": 3, "fold": 0, "val": 0.0, "seed": 0}
# Files of two stages whose names are those of neither.
OF_TWO = {
    "ce_oversampled": "CE -> oversampled",
    "ce_tau_norm": "CE -> tau-norm",
    "scl_two_stage": "SCL, two stages -> oversampled",
    "supcon": "CL -> oversampled",
    "supcon_resample": "CL + resample -> oversampled",
    "tsc": "TSC -> cRT",
}


def of(method, model=(), data=()):
    """The settings of a method's file, some of them others."""
    content = read_yaml(METHODS[method])
    content["model"]["init_args"] |= dict(model)
    content["data"]["init_args"] |= dict(data)
    return content


def write_config(run, *stages, data="lightning_imbal.data.ISIC2018", predictor="Plain", **of_data):
    """Leaves the configurations of stages as `fit` does."""
    for number, stage in enumerate(stages, start=1):
        model = stage["model"] | {"init_args": {**stage["model"]["init_args"], "predictor": {"class_path": predictor}}}
        settings = {**(stage.get("data") or {}).get("init_args", {}), **of_data}
        config = {"trainer": {}, "model": model, "data": {"class_path": data, "init_args": settings}}
        (run / f"stage{number}").mkdir(parents=True)
        (run / f"stage{number}" / "config.yaml").write_text(yaml.safe_dump(config | {"ckpt_path": None}))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_called_by_its_file(method):
    content, then = read_yaml(METHODS[method]), read_yaml(METHODS[method]).get("then")
    stages = [content, read_yaml(METHODS[method].parent / then)] if then else [content]
    first_words = METHODS[method].read_text().removeprefix("# ").partition(":")[0]
    assert method_name(stages) == OF_TWO.get(method, first_words)


@pytest.mark.parametrize(
    ("stages", "name"),
    [
        ([of("ce", data={"sampler": {"class_path": "ClassPower", "init_args": {"q": 0.25}}})], "CE (sampler.q 0.25)"),
        (
            [of("ldam", {"loss": {"class_path": "x.LDAM", "init_args": {"max_margin": 0.3}}})],
            "LDAM (loss.max_margin 0.3)",
        ),
        ([of("ce", {"loss": {"class_path": "my_losses.MyLoss", "init_args": {"a": 1}}})], "MyLoss"),
        ([of("mixup", {"loss": {"class_path": "Focal", "init_args": {}}})], "Focal + MixUp"),
        ([of("contrast", {"metric": {"class_path": "ContrastTerm", "init_args": {"hidden_size": 32}}})], "CE+SC"),
        ([read_yaml(HEADS["crw"])], "cRW"),
        (
            [of("ce"), {"model": {"class_path": "FrozenHead", "init_args": {"head": {"class_path": "Mine"}}}}],
            "CE -> Mine",
        ),
        ([{"model": {"class_path": "Classifier", "init_args": {}}}], "Classifier"),
    ],
)
def test_what_is_like_no_file_is_told_by_what_is_another(stages, name):
    assert method_name(stages) == name


def test_a_run_that_does_not_say_it_is_named_by_its_configurations(tmp_path):
    write_run(tmp_path / "test_2", split=FOLD)
    write_config(tmp_path / "test_2", of("ldam_drw"), read_yaml(HEADS["crw"]), predictor="x.FlipTTA")
    assert Run(tmp_path / "test_2").title == "LDAM-DRW -> cRW, FlipTTA, ISIC2018, fold 1 of 3, seed 0"
    assert Run(tmp_path / "test_2", "fold 0").repeat_title == "fold 1 of 3"
    (tmp_path / "test_2" / "stage2" / "config.yaml").write_text("cut")
    assert Run(tmp_path / "test_2").title == "test_2, ISIC2018, fold 1 of 3, seed 0", "a damaged file names nothing"


def test_a_run_that_says_it_is_believed(tmp_path):
    title = {"method": "ECL", "predictor": "", "data": "skin_pictures"}
    write_run(tmp_path / "a", title=title, data="CSVData", pool="mean", decision="Offsets")
    assert Run(tmp_path / "a").title == "ECL, Offsets, pooled by mean, skin_pictures, seed 0"


def test_folders_inside_a_run_are_called_after_it_and_what_they_are(tmp_path):
    run = tmp_path / "old"
    write_run(run, split=FOLD)
    write_config(run, of("perturbed"), predictor="x.FlipTTA", root="/a/eyes", data="x.FolderData")
    write_run(run / "plain", name="old plain", data="FolderData")
    assert Run(run / "plain").title == "CE, perturbed input, plain, eyes, seed 0"
    # Which predictor another test had was not written, and it may be on other data.
    write_run(run / "test", checkpoint=str(run / "stage1" / "checkpoints" / "best.ckpt"), data="FolderData")
    write_run(run / "test_2", checkpoint=str(run / "stage1" / "checkpoints" / "best.ckpt"), data="Messidor2")
    assert Run(run / "test").title == "CE, perturbed input, eyes, seed 0"
    assert Run(run / "test_2").title == "CE, perturbed input, Messidor2, seed 0"


def test_a_test_of_the_first_stage_is_not_of_the_second(tmp_path):
    write_config(tmp_path, of("ldam"), read_yaml(HEADS["crw"]))
    write_run(tmp_path / "test", checkpoint=str(tmp_path / "stage1" / "checkpoints" / "best.ckpt"))
    assert Run(tmp_path / "test").title.startswith("LDAM, ISIC2018")


def test_an_older_ensemble_is_called_one(tmp_path):
    write_run(tmp_path / "all", members=[{}, {}, {}], seed=None)
    assert Run(tmp_path / "all").title == "ensemble of 3 runs, ISIC2018"


def test_stages_of_another_run_and_those_to_come_belong_to_it(tmp_path):
    write_config(tmp_path / "ce", of("focal"))
    begun = {"backbone_ckpt": str(tmp_path / "ce" / "stage1" / "checkpoints" / "best.ckpt")}
    head = read_yaml(HEADS["crt"])
    head["model"]["init_args"] |= begun
    assert method_name(lineage(head, tmp_path / "other" / "stage1")) == "Focal -> cRT"
    coming = of("ldam") | {"then": read_yaml(HEADS["crw"])}
    assert method_name(lineage(coming, tmp_path / "new" / "stage1", later=True)) == "LDAM -> cRW"
    assert method_name(lineage(coming, tmp_path / "new" / "stage1")) == "LDAM"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"class_path": "x.CSVData", "init_args": {"root": "/a/my_images/"}}, "my_images"),
        ({"class_path": "x.MedMNIST", "init_args": {"flag": "retinamnist", "root": "/a"}}, "retinamnist"),
        ({"class_path": "x.ISIC2018", "init_args": {"root": "/a/b"}}, "ISIC2018"),
        ({}, ""),
    ],
)
def test_own_data_are_called_by_their_folder(data, name):
    assert named([of("ce") | {"data": data}])["data"] == name


@pytest.mark.parametrize(
    ("split", "text"),
    [
        ({"kind": "Holdout", "test": 0.3, "val": 0.1, "seed": 0}, "30 % test"),
        ({"kind": "Holdout", "test": 0.25, "seed": 7}, "25 % test (split 7)"),
        ({"kind": "KFold", "folds": 5, "fold": 4, "seed": 0}, "fold 5 of 5"),
        ({"kind": "OfficialFold", "fold": 1}, "official fold 2"),
        ({"kind": "Official", "val": 0.1, "seed": 0}, "official split"),
        ({"kind": "Mine"}, ""),
    ],
)
def test_splits_in_words(split, text):
    assert title_parts({"name": "a", "split": split})["split"] == text


def test_rows_do_not_say_which_repetition():
    identity = {"name": "ce+seed3", "split": FOLD, "seed": 3}
    parts = title_parts(identity, repeats=False)
    assert (parts["method"], parts["split"], parts["seed"]) == ("ce", "3 folds", "")


def test_what_all_share_is_said_once():
    def parts(*values):
        return dict(zip(("method", "predictor", "data"), values, strict=True))

    names, shared = short_names([parts("CE", "", "A"), parts("LDAM", "FlipTTA", "A")])
    assert names == ["CE", "LDAM, FlipTTA"] and shared == {"data": "A"}
    # One of them would have no name.
    names, shared = short_names([parts("CE", "", "A"), parts("CE", "FlipTTA", "A")])
    assert names == ["CE", "CE, FlipTTA"] and shared == {"data": "A"}
    names, shared = short_names([parts("CE", "", "A")] * 2)
    assert names == ["", ""] and shared == {"method": "CE", "data": "A"}


def test_scores_of_an_order_are_shown_of_grades_alone():
    grades, others = {"name": "a", "data": "APTOS2019"}, {"name": "b", "data": "ISIC2018"}
    assert ordered_classes(grades) and not ordered_classes(others)
    assert ordered_classes(others | {"ordered": True}) and not ordered_classes(grades | {"ordered": False})
    assert ordered_classes({"name": "a", "data": "MedMNIST", "title": {"data": "retinamnist"}})
    assert {"kappa", "kendall_tau"} <= shown_scores([grades]).keys()
    assert not {"kappa", "kendall_tau"} & shown_scores([grades, others]).keys() and "mcc" in shown_scores([others])


def test_what_was_fitted_is_said():
    assert fitted_text({"fitted": {"temperature": 1.37246}}) == "Fitted on the validation part: temperature 1.372."
    assert fitted_text({"fitted": {}}) == fitted_text({}) == ""


def test_caveats_are_of_the_title(tmp_path):
    write_run(tmp_path / "a", title={"method": "CE", "predictor": "", "data": "skin"}, trained_images=3)
    assert caveats_of(Run(tmp_path / "a").results)[0].startswith("CE, skin, seed 0: 3 of the 240 test images were")
    assert "title" in json.loads((tmp_path / "a" / "metrics.json").read_text())["identity"]
