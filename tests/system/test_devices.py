"""Two processes train and score exactly as one does: samplers, augmentation, gather, gradients, reports."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from forked import Forked, check_status, run_ranks

from lightning_imbal.cli import main

# A backbone without BatchNorm, whose statistics are per device, in double precision; with the progress bar, which only
# the first rank has: it must not ask for a reduction that the other rank does not take part in.
TRAIN = [
    *("fit", "--config", "experiments/demo.yaml", "--trainer.precision", "64-true", "--trainer.max_epochs", "2"),
    *("--then.trainer.max_epochs", "2", "--trainer.enable_model_summary", "false", "--data.image_size", "16"),
    "--trainer.callbacks+=small_runs.RankWeights",
]
# Less of an epoch, in both stages, for what does not look at the end of one.
SHORT = ["--trainer.limit_train_batches", "4"]
METHODS = {
    "contrast of views": ["--data.views", "2", "--data.split.test", "0.6", "--then.trainer.max_epochs", "1"],
    # Each device has other weights in its share of a batch.
    "weighted mean": [
        *("--model", "Classifier", "--model.loss", "CrossEntropy", "--model.loss.weight", "inverse"),
        *("--model.loss.reduction", "weighted_mean", "--then.model.loss", "CrossEntropy"),
        *("--then.model.loss.weight", "inverse", "--then.model.loss.reduction", "weighted_mean", *SHORT),
    ],
    # The centers have an optimizer of their own; the second stage shares the images whose features it stores.
    "centers": [
        *("--model", "MetricLearningClassifier", "--model.metric", "CenterTerm", "--model.metric_weight", "0.01"),
        *("--then.model.init_args.cache_views", "1"),
    ],
    # The queue holds the keys of both ranks, the centroids see them; targets are used in the second epoch.
    "targets": ["--model", "TSC", "--data.views", "2", "--model.queue_size", "200", *SHORT],
    # The proxies are stepped by a callback; the F1 of the validation part weighs the classes of the second epoch.
    "proxies": [
        *("--model", "ECL", "--model.batch_norm", "false", "--model.optimizer.lr", "0.01", "--data.views", "2"),
        *("--model.loss.warm", "0", "--model.loss.balanced", "0.5", *SHORT),
    ],
}


# Slow ones gather by the same function as the views; that they step outside of the optimizer is tested on one device.
SLOW = {name: [pytest.mark.slow] for name in ("weighted mean", "centers", "targets", "proxies")}
PARAMS = [pytest.param(name, marks=SLOW.get(name, [])) for name in METHODS]


def as_program(args):
    """The first rank as `python -m` has it, so that Lightning starts the other one in the same way."""
    sys.modules["__main__"].__spec__ = find_spec("lightning_imbal.__main__")
    sys.argv[1:] = args
    return main(args)


@pytest.fixture(scope="module", params=PARAMS)
def runs(request, tmp_path_factory):
    """The same run on one and on two processes."""
    folder = tmp_path_factory.mktemp("ddp")
    args = [*TRAIN, *METHODS[request.param], "--model.backbone", "test_efficientnet_ln"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("PL_GLOBAL_SEED", "0")  # and with it back to what it was before
        on_one = [*args, "--trainer.devices", "1", "--run_dir", str(folder / "one")]
        on_two = [*args, "--trainer.devices", "2", "--trainer.strategy", "ddp", "--run_dir", str(folder / "two")]
        if request.param == "contrast of views":
            patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
            with Forked(as_program, on_two) as process:
                assert main(on_one) == 0
                check_status(0, process)
        else:
            assert main(on_one) == 0
            run_ranks(main, on_two)
    return folder / "one", folder / "two"


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_two_ranks_learn_the_same_weights_as_one(runs, stage):
    one, two = (torch.load(run / stage / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in runs)
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-9, atol=1e-10, msg=name)


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_both_ranks_end_with_the_same_weights(runs, stage):
    first, second = (torch.load(runs[1] / stage / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_metrics_on_two_ranks_equal_those_on_one(runs):
    one, two = (json.loads((run / "metrics.json").read_text()) for run in runs)
    for part in ("classes", "confusion"):
        assert one[part] == two[part]
    assert two["summary"] == pytest.approx(one["summary"], rel=1e-9)
    assert (one["identity"]["devices"], two["identity"]["devices"]) == (1, 2)
