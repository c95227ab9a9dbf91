"""A head that L-BFGS solves over the whole training part: logistic regression, as scikit-learn knows it."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from forked import run_forked
from pixel_head import fit_pixels, pixel_head
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from small_runs import RankWeights, build, digits, make_trainer
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_imbal.data import Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.losses import CrossEntropy
from lightning_imbal.modules import Classifier
from lightning_imbal.modules.base_epochs import bound_to_epochs
from lightning_imbal.modules.base_optimizers import check_search

EXACT = {"tolerance_grad": 1e-7, "tolerance_change": 1e-12}
SEARCH = partial(torch.optim.LBFGS, max_iter=1000, max_eval=2000, line_search_fn="strong_wolfe", **EXACT)
INVERSE = partial(CrossEntropy, weight="inverse")
L2 = 0.01


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """A solved head, what it was solved on, and its Trainer; the batch size that is set is 64."""
    trainer = make_trainer(tmp_path_factory.mktemp("solved"), precision="64-true", accumulate_grad_batches=2)
    return *fit_pixels(trainer, optimizer=SEARCH, loss=INVERSE, l2_penalty=L2), trainer


def test_it_is_the_logistic_regression_of_scikit_learn(solved):
    model, (feature, label), _ = solved
    regression = LogisticRegression(C=1 / (L2 * len(label)), class_weight="balanced", tol=1e-9, max_iter=5000)
    expected = regression.fit(feature.numpy(), label.numpy()).predict_proba(feature.numpy())
    probability = model.head(feature).softmax(dim=1).detach()
    torch.testing.assert_close(probability, torch.from_numpy(expected), rtol=0, atol=1e-4)
    scores = [balanced_accuracy_score(label, each.argmax(axis=1)) for each in (probability, expected)]
    assert scores[0] == scores[1] > 0.8
    weight, bias = torch.from_numpy(regression.coef_), torch.from_numpy(regression.intercept_)
    torch.testing.assert_close(model.head.weight, weight - weight.mean(dim=0), rtol=0, atol=1e-3)
    own = model.head.bias - model.head.bias.mean()
    torch.testing.assert_close(own, bias - bias.mean(), rtol=0, atol=3e-3)


def test_an_epoch_is_one_batch_of_all_images(solved):
    assert (solved[2].global_step, solved[2].num_training_batches) == (1, 1)


def test_its_loss_is_that_of_the_last_evaluation_without_the_penalty(solved):
    model, (feature, label), trainer = solved
    loss = model.loss(model.head(feature), label)
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(loss.item(), abs=1e-6)


def test_it_goes_on_where_it_was(tmp_path):
    search = partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe")
    whole, _ = fit_pixels(make_trainer(tmp_path, 2), optimizer=search)
    first = make_trainer(tmp_path, 1)
    fit_pixels(first, optimizer=search)
    first.save_checkpoint(tmp_path / "first.ckpt")
    resumed, _ = fit_pixels(make_trainer(tmp_path, 2), optimizer=search, ckpt_path=str(tmp_path / "first.ckpt"))
    assert torch.equal(resumed.head.weight, whole.head.weight)


@pytest.mark.parametrize(
    ("make", "mend"),
    [
        (lambda data: build(Classifier, data, optimizer=SEARCH), "only of the whole training part.*cache_views=1"),
        (lambda data: pixel_head(data, optimizer=SEARCH, cache_views=None), "whole training part.*cache_views=1"),
    ],
)
def test_batches_that_differ_are_refused(make, mend):
    data = digits()
    with pytest.raises(UserError, match=mend):
        make(data).check(data)


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"gradient_clip_val": 1.0, "precision": "32-true"}, "gradient_clip_val.* null"),
        ({"gradient_clip_val": None, "precision": "16-mixed"}, "16-mixed.*bf16-mixed"),
    ],
)
def test_what_would_mislead_the_search_is_refused(options, mend, tmp_path):
    with pytest.raises(UserError, match=mend):
        check_search(SimpleNamespace(**options))


def test_clipped_gradients_are_refused_before_training(tmp_path):
    with pytest.raises(UserError, match="gradient_clip_val"):
        fit_pixels(make_trainer(tmp_path, gradient_clip_val=1.0), optimizer=SEARCH)


@pytest.mark.parametrize("l2_penalty", [-0.1, float("nan"), float("inf")])
def test_a_penalty_is_a_number(l2_penalty):
    with pytest.raises(ValueError, match="l2_penalty must be a number of at least 0"):
        pixel_head(digits(), l2_penalty=l2_penalty)


def test_the_penalty_is_of_the_weights_alone():
    data = digits()
    plain, penalised = pixel_head(data), pixel_head(data, l2_penalty=3.0)
    batch = {"feature": torch.rand(8, 64), "label": torch.arange(8)}
    for model in (plain, penalised):
        model.log_loss = lambda *args, **how: None
    added = penalised.training_step(batch, 0) - plain.training_step(batch, 0)
    assert added.item() == pytest.approx(1.5 * plain.head.weight.square().sum().item(), rel=1e-5)


def test_schedules_can_be_asked_about_it():
    model = pixel_head(digits(), optimizer=SEARCH, scheduler=CosineAnnealingLR)
    assert list(bound_to_epochs(model, 2, 4)) == ["CosineAnnealingLR"]


def train_on(devices, folder):
    """An even number of images, so that two devices leave none out."""
    several = {"devices": devices, "strategy": "ddp_fork"} if devices > 1 else {}
    trainer = make_trainer(folder, precision="64-true", callbacks=[RankWeights()], **several)
    search = partial(torch.optim.LBFGS, max_iter=40, line_search_fn="strong_wolfe")
    data = digits(split=Holdout(test=0.33, val=0.1))
    trainer.fit(pixel_head(data, optimizer=search, loss=INVERSE, l2_penalty=L2), data)
    return 0


@pytest.mark.slow  # gradients and batches of several devices are tested elsewhere
def test_two_devices_find_what_one_finds(tmp_path):
    heads = []
    for devices in (1, 2):
        run_forked(train_on, devices, tmp_path)
        heads += [torch.load(tmp_path / f"rank{rank}.pt")["head.weight"] for rank in range(devices)]
    assert torch.equal(heads[1], heads[2])
    torch.testing.assert_close(heads[1], heads[0], rtol=0, atol=1e-12)
