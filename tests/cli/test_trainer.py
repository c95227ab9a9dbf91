"""Which accelerator a Trainer gets: on a Mac the processor, whose GPU has no double precision."""

import pytest
from lightning.pytorch.accelerators import CPUAccelerator, MPSAccelerator
from small_runs import refused

from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.trainer import evaluation_trainer

DEMO = ["--config", "experiments/demo.yaml", "--config", "experiments/methods/ce.yaml"]


@pytest.fixture
def mac(monkeypatch):
    """A machine with a GPU of Apple."""
    monkeypatch.setattr(MPSAccelerator, "is_available", staticmethod(lambda: True))


@pytest.mark.parametrize("chosen", ["auto", "cpu"])
def test_mac_trains_on_its_processor(mac, chosen):
    cli = ImbalCLI("fit")
    config = cli.read([*DEMO, "--trainer.accelerator", chosen])
    trainer = evaluation_trainer(config, cli.build(config), None)
    assert isinstance(trainer.accelerator, CPUAccelerator) and trainer.world_size == 1


@pytest.mark.parametrize("chosen", ["gpu", "mps"])
def test_gpu_of_a_mac_is_refused(mac, capsys, tmp_path, chosen):
    said = refused(capsys, "fit", *DEMO, "--trainer.accelerator", chosen, "--run_dir", str(tmp_path / "run"))
    assert said.strip().splitlines()[-1].endswith("has no double precision: set it to cpu.")
