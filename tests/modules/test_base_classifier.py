"""What a classifier makes of an evaluation, without training: its scores, what waits for them, what is fitted first."""

import math
from types import SimpleNamespace

import pytest
import torch
from small_runs import build, digits

from lightning_imbal.losses import BWCE, LogitAdjusted
from lightning_imbal.metrics import ImbalReport
from lightning_imbal.modules import Classifier, base_classifier
from lightning_imbal.predictors import PostHocAdjusted, Predictor

GROUPS = {"even": ["0", "2"], "odd": ["1"]}


class Told(Predictor):
    """Keeps what it is told before an evaluation."""

    needs_calibration = True

    def set_normalization(self, mean, std):
        self.normalization = mean, std

    def calibrate(self, logits, label):
        self.fitted = label.tolist()

    def forward(self, model, image):
        return model(image)


@pytest.fixture
def data():
    return digits(mean=(0.1, 0.2, 0.3))


def classifier(data, monkeypatch, fn="fit", **kwargs):
    """A classifier in a Trainer that does nothing, and what it logs."""
    model, logged = build(Classifier, data, **kwargs), {}
    model.trainer = SimpleNamespace(
        datamodule=data,
        sanity_checking=False,
        state=SimpleNamespace(fn=fn),
        strategy=SimpleNamespace(batch_to_device=lambda batch: batch),
    )
    monkeypatch.setattr(base_classifier, "log_at_once", lambda trainer, scores: logged.update(scores))
    monkeypatch.setattr(model, "log", lambda name, value, **_: logged.update({name: value}))
    monkeypatch.setattr(model, "log_dict", logged.update)
    return model, logged


def fill(report, label, predicted):
    report.update(torch.eye(10)[predicted], torch.tensor(label), torch.arange(len(label)))


def test_every_epoch_is_scored_by_itself(data, monkeypatch):
    model, logged = classifier(data, monkeypatch)
    for predicted, accuracy in (([1, 1], 0.5), ([0, 1], 1.0)):
        fill(model.val_report, [0, 1], predicted)
        model.on_validation_epoch_end()
        assert logged["val/accuracy"] == accuracy
    fill(model.test_report, [0, 1], [0, 0])
    model.on_test_epoch_end()
    assert logged["test/accuracy"] == 0.5 and logged["test/f1/1"] == 0


def test_further_reports_have_scores_of_their_own(data, monkeypatch):
    model, logged = classifier(data, monkeypatch)
    model.side_reports["plain"] = ImbalReport(data.class_counts, model.class_names)
    fill(model.test_report, [0, 1], [0, 0])
    fill(model.side_reports["plain"], [0, 1], [0, 1])
    model.on_test_epoch_end()
    assert (logged["test/accuracy"], logged["test_plain/accuracy"]) == (0.5, 1.0)


def test_groups_of_classes_are_those_that_were_asked_for(data, monkeypatch):
    model, logged = classifier(data, monkeypatch, class_groups=GROUPS)
    fill(model.val_report, [0, 1, 2], [0, 0, 2])
    model.on_validation_epoch_end()
    fill(model.test_report, [0, 1, 2], [0, 0, 2])
    model.on_test_epoch_end()
    for part in ("val", "test"):
        assert (logged[f"{part}/group_recall/even"], logged[f"{part}/group_recall/odd"]) == (1, 0)
    assert {"val/group_f1/even", "val/f1/9"} <= set(model.validation_scores())


def test_losses_wait_for_the_scores_of_the_validation(data, monkeypatch):
    model, _ = classifier(data, monkeypatch, loss=BWCE)
    model.trainer.sanity_checking = True
    fill(model.val_report, [0, 1, 1], [0, 0, 1])
    model.on_validation_epoch_end()
    assert model.loss.f1.tolist() == [1.0] * 10, "the check before training has seen a few images only"
    model.trainer.sanity_checking = False
    fill(model.val_report, [0, 1, 1], [0, 0, 1])
    model.on_validation_epoch_end()
    f1 = 2 / 3  # of both classes; the others, which are not there, have the mean of those that are
    assert model.loss.f1.tolist() == pytest.approx([f1] * 10)


def test_an_absent_class_takes_the_score_of_no_other(monkeypatch):
    """F1 of digits 0, 1, 3 by hand, 2 is absent: it is scored 0, and no difficulty is known of it."""
    names = ["seven", "two", "nine", "four"]
    model = Classifier(class_counts=[9, 7, 5, 3], class_names=names, backbone="test_resnet", loss=BWCE)
    model.trainer = SimpleNamespace(sanity_checking=False, state=SimpleNamespace(fn="fit"))
    logged, difficulty = {}, []
    monkeypatch.setattr(base_classifier, "log_at_once", lambda trainer, scores: logged.update(scores))
    monkeypatch.setattr(model, "log", lambda *args, **kwargs: None)
    monkeypatch.setattr(model.loss, "set_difficulty", difficulty.append)
    label, predicted = [0, 0, 0, 0, 1, 1, 3], [0, 0, 0, 1, 1, 0, 3]
    model.val_report.update(torch.eye(4)[predicted], torch.tensor(label), torch.arange(7))
    model.on_validation_epoch_end()
    expected = {"seven": 3 / 4, "two": 1 / 2, "nine": 0.0, "four": 1.0}
    assert [logged[f"val/f1/{name}"] for name in names] == pytest.approx(list(expected.values()))
    assert logged["val/f1"] == pytest.approx(sum(expected.values()) / 4)
    assert difficulty[0].tolist() == pytest.approx([3 / 4, 1 / 2, math.nan, 1.0], nan_ok=True)


@pytest.mark.parametrize("start", ["on_test_start", "on_predict_start"])
def test_predictors_are_fitted_on_the_validation_part(start, data, monkeypatch):
    model, _ = classifier(data, monkeypatch, fn="test", predictor=Told)
    batch = {"image": torch.rand(2, 3, 32, 32), "label": torch.tensor([3, 5])}
    monkeypatch.setattr(data, "val_dataloader", lambda: [batch])
    monkeypatch.setattr(data, "test_dataloader", lambda: [batch | {"label": torch.tensor([7, 8])}])
    getattr(model.eval(), start)()
    assert model.predictor.fitted == [3, 5]
    mean, std = model.predictor.normalization
    assert torch.equal(mean, data.normalize.mean) and torch.equal(std, data.normalize.std)


def test_logits_are_not_adjusted_twice(data):
    with pytest.raises(ValueError, match="LogitAdjusted has adjusted the logits already"):
        build(Classifier, data, loss=LogitAdjusted, predictor=PostHocAdjusted).check_inference(data)
