"""What the stages of a run cost by hand, and how long that takes on several jobs at once."""

import json

import pytest
from parsing import EXPERIMENTS, merged, parsed, second, with_configs

from lightning_imbal.cli.parts import cost
from lightning_imbal.launch.job import Job
from lightning_imbal.tables.tags import Labels

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


class TestDuration:
    OPERATIONS = {"tiny": 1e12, "small": 2e12, "large": 1e15}

    @pytest.fixture(autouse=True)
    def sizes(self, monkeypatch):
        """Stages are named after what they cost."""
        monkeypatch.setattr(cost, "cost_of", lambda stage: cost.Cost(1e6, self.OPERATIONS[stage]))

    @pytest.fixture
    def stages(self, tmp_path):
        """Runs of rows that are named after their stage, with the seconds that finished ones took."""

        def make(*runs):
            found = {}
            for number, (row, seconds) in enumerate(runs):
                job = Job(str(number), tmp_path / str(number), ("fit",), labels=Labels("table", row, "Skin7"))
                if seconds:
                    job.folder.mkdir(exist_ok=True)
                    (job.folder / "metrics.json").touch()
                    record = {"seconds": seconds, "identity": {"configs": [], "options": {}}}
                    job.record.write_text(json.dumps(record))
                found[job] = [row]
            return found

        return make

    @pytest.mark.parametrize(("at_once", "minutes"), [(1, 120), (2, 60), (3, 40), (8, 40)])
    def test_is_shared_by_jobs_but_no_shorter_than_the_longest(self, at_once, minutes, stages):
        said = cost.estimate(stages(("tiny", 2400.0), *3 * [("tiny", None)]), at_once)
        assert said.endswith(f"Going by 1 finished run, that takes about {minutes} minutes.")

    def test_is_unknown_before_the_first_run_has_finished(self, stages):
        said = cost.estimate(stages(("tiny", None), ("large", None)), 1)
        assert said.endswith("How long that takes is unknown until the first run has finished.")

    def test_is_that_of_the_same_row_and_column(self, stages):
        runs = [("tiny", 600.0), ("tiny", 1800.0), ("large", 60.0), ("tiny", None), ("large", None)]
        assert "Going by 3 finished runs, that takes about 21 minutes." in cost.estimate(stages(*runs), 1)

    def test_of_another_size_has_the_start_of_a_process_and_its_operations(self, stages):
        # 10 seconds, and one for each 1e12 operations: 1010 for 1e15 of them.
        runs = [("tiny", 11.0), ("small", 12.0), ("large", None)]
        assert "about 17 minutes." in cost.estimate(stages(*runs), 1)
        thousands = [("large", 1010.0), ("small", 12.0), *1000 * [("tiny", None)]]
        assert "about 3.1 hours." in cost.estimate(stages(*thousands), 1)

    def test_of_another_size_is_that_of_a_run_if_all_had_one_size(self, stages):
        assert "about 2 minutes." in cost.estimate(stages(("tiny", 60.0), ("tiny", 180.0), ("large", None)), 1)
