"""The small variant over one's own images without a GPU: when it is laid, and that what was given wins."""

from pathlib import Path
from types import SimpleNamespace

import layouts
import pytest
import torch

from lightning_imbal.cli.parts import laptop
from lightning_imbal.cli.parts.parser import ImbalCLI

OWN = ["--config", "experiments/own_csv.yaml", "--data.labels", "labels.csv", "--model.backbone", "test_resnet"]
LAPTOP = ["--config", "experiments/variants/laptop.yaml"]


@pytest.fixture(scope="module")
def cli():
    return ImbalCLI("fit")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return layouts.csv_data(tmp_path_factory.mktemp("biopsies"))


@pytest.fixture
def read(cli, root, monkeypatch):
    """Reads a command line as `fit` does on a machine without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return lambda *args: cli.read(laptop.laid(cli, [*OWN, "--data.root", str(root), *args]))


def shown(config):
    data, trainer = config.data.init_args, config.trainer
    return SimpleNamespace(size=data.image_size, batch=data.batch_size, epochs=trainer.max_epochs, laptop=config.laptop)


def test_it_is_laid_and_said_with_steps_enough(read, told):
    config = read("--config", "experiments/methods/ce_crw.yaml")
    assert vars(shown(config)) == {"size": 64, "batch": 16, "epochs": 300, "laptop": True}
    assert config.then["trainer"]["max_epochs"] == 113 and config.model.init_args.pretrained is False
    assert config.then["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.01, "that of the variant"
    assert config.run_dir == "runs/own_csv-ce_crw", "named after what was given"
    assert "test_resnet on 64 x 64 pixels, 300 epochs in batches of 16. --laptop false trains" in told.text


def test_what_is_given_wins_wherever_it_stands(read):
    given = ["--data.image_size", "32", "--trainer.max_epochs", "2", "--then.trainer.max_epochs", "1"]
    for args in ([*given, "--config", "experiments/methods/ce_crw.yaml"], ["--config=methods/ce_crw.yaml", *given]):
        config = read(*args)
        assert (shown(config).size, shown(config).epochs, config.then["trainer"]["max_epochs"]) == (32, 2, 1)
    assert shown(read("--data.batch_size", "8")).epochs == 150, "as many steps in batches that were given"


def test_a_file_that_adjusts_the_second_stage_wins_too(read, tmp_path):
    (tmp_path / "short.yaml").write_text("then: {trainer: {max_epochs: 2}}\n")
    args = ["--config", "experiments/methods/ce_crw.yaml", "--config", str(tmp_path / "short.yaml")]
    assert read(*args).then["trainer"]["max_epochs"] == 2
    assert read(*args, "--then.trainer.max_epochs", "1").then["trainer"]["max_epochs"] == 1


@pytest.mark.parametrize("args", [["--laptop", "false"], ["--laptop=false", *LAPTOP], ["--trainer.accelerator", "gpu"]])
def test_it_is_not_laid_where_it_is_refused_or_a_gpu_is_asked_for(read, cli, args):
    given = ["--config", "experiments/own_csv.yaml", *args]
    assert laptop.laid(cli, given) == given


def test_it_is_not_laid_with_a_gpu_nor_over_other_protocols(cli, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for given in (["--config", "experiments/demo.yaml"], ["--config", "experiments/zhang_isic2018.yaml", *LAPTOP]):
        assert laptop.laid(cli, given) == given
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert laptop.laid(cli, OWN) == OWN


def test_given_by_name_it_has_its_budget_too_and_nothing_is_said(read, told):
    assert vars(shown(read(*LAPTOP))) == {"size": 64, "batch": 16, "epochs": 300, "laptop": True}
    assert "No GPU" not in told.text


def test_a_run_that_goes_on_keeps_what_it_was_begun_with(read, cli, tmp_path):
    def begin(name, *args):
        config = read("--run_dir", str(tmp_path / name), *args)
        config.laptop = bool(config.laptop)
        (tmp_path / name / "stage1").mkdir(parents=True)
        file = tmp_path / name / "stage1" / "config.yaml"
        file.write_text(cli.parser.dump(config, skip_unset=False))
        return str(file)

    small, full = begin("small", "--data.batch_size", "4"), begin("full", "--laptop", "false")
    again = read("--run_dir", str(tmp_path / "small"), "--ckpt_path", "last")
    assert vars(shown(again)) == {"size": 64, "batch": 4, "epochs": 75, "laptop": True}
    assert not read("--run_dir", str(tmp_path / "full"), "--ckpt_path", "last").laptop
    for file in (small, full):
        assert laptop.laid(cli, ["--config", file]) == ["--config", file], "it is complete"


def test_pictures_have_the_colours_that_weights_of_timm_know(cli, monkeypatch):
    config = cli.read([*OWN, *LAPTOP, "--data.root", "x", "--model.backbone", "resnet18", "--model.pretrained", "true"])
    options = laptop.options_of(config, 400)
    assert options["data.mean"] == [0.485, 0.456, 0.406] and options["model.pretrained"] is True
    config.model.init_args.pretrained = str(Path("weights.safetensors"))
    assert "data.mean" not in laptop.options_of(config, 400)
