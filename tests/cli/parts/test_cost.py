"""What the stages of a run cost by hand, and how long that takes on several jobs at once."""

import pytest
from parsing import EXPERIMENTS, merged, parsed, second, with_configs

from lightning_imbal.cli.parts import cost
from lightning_imbal.launch.job import Job

DEMO = EXPERIMENTS / "demo.yaml"
IMAGES, LARGEST = 359, 106  # of the training part


def test_a_frozen_network_has_no_backward_pass():
    once = cost.operations("test_resnet", 32)
    config = merged(DEMO)
    assert cost.cost_of(config).operations == 30 * IMAGES * 3 * once
    assert cost.cost_of(second(config)).operations == 10 * 10 * LARGEST * once


def test_every_view_and_every_second_image_is_counted():
    views = parsed("fit", *with_configs(DEMO), "--data.views", "2", "--data.more_views", "[ShiftCrop]")
    assert cost.cost_of(views).images == 3 * 30 * IMAGES
    pairs = merged(DEMO, EXPERIMENTS / "methods" / "balanced_mixup.yaml")
    assert cost.cost_of(pairs).images == 2 * 30 * IMAGES


@pytest.mark.parametrize(("at_once", "minutes"), [(1, 120), (2, 60)])
def test_several_jobs_at_once_are_faster(at_once, minutes, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "cost_of", lambda stage: cost.Cost(1e6, 1e12))
    jobs = [Job(name, tmp_path / name, ("fit",)) for name in ("done", "next", "last")]
    jobs[0].folder.mkdir()
    (jobs[0].folder / "metrics.json").touch()
    jobs[0].record.write_text('{"seconds": 3600.0, "identity": {"configs": [], "options": {}}}')
    said = cost.estimate({job: ["one stage"] for job in jobs}, at_once)
    assert said.endswith(f"about {minutes} minutes.")
