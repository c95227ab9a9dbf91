"""The LightningModules of the one-stage methods and of the papers, against their training steps written by hand."""

import copy

import pytest
import small_runs
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback
from small_runs import balanced, digits, make_trainer, sgd

from lightning_imbal.data import Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.losses import CenterTerm, ContrastTerm, CrossEntropy, LogitAdjusted, TripletLoss, TripletTerm
from lightning_imbal.mixers import BalancedMixUp, MixUp
from lightning_imbal.modules import BalancedMixUpClassifier, Classifier, MetricLearningClassifier, PerturbedClassifier
from lightning_imbal.predictors import FlipTTA, PerturbedInput, TemperatureScaled


def build(kind, data, **kwargs):
    return small_runs.build(kind, data, **{"optimizer": sgd} | kwargs)


class Recorder(Callback):
    """Keeps the normalised batches of training."""

    def __init__(self):
        self.batches = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.append(copy.deepcopy(batch))


def fit(model, data, folder, batches=3, **kwargs):
    """Trains some batches; returns the model as it was before, and the batches."""
    before, recorder = copy.deepcopy(model), Recorder()
    limits = {"limit_train_batches": batches, "limit_val_batches": 0}
    trainer = make_trainer(folder, callbacks=[recorder], **limits, **kwargs)
    trainer.fit(model, data)
    return before.train(), recorder.batches, trainer


def same_weights(one, two):
    for (name, value), other in zip(one.named_parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-4, atol=1e-6, msg=name)


class TestMetricLearning:
    def test_centers_and_network_take_a_step_each(self, tmp_path):
        data = digits()
        model = build(MetricLearningClassifier, data, metric=CenterTerm, metric_weight=0.001)
        # Three steps through BatchNorm amplify the rounding of single precision.
        copied, batches, _ = fit(model, data, tmp_path, precision="64-true")
        copied.double()
        assert len(batches) == 3
        centers = torch.zeros(10, model.feature_size, dtype=torch.float64)
        optimizer = sgd([*copied.backbone.parameters(), *copied.head.parameters()])
        for batch in batches:
            feature = copied.backbone(batch["image"])
            squares = (feature - centers[batch["label"]]).pow(2).sum(dim=1)
            optimizer.zero_grad()
            (F.cross_entropy(copied.head(feature), batch["label"]) + 0.001 * squares.mean()).backward()
            optimizer.step()
            for c in range(10):  # lr 0.5 on the gradient of the mean of squares
                of_class = feature.detach()[batch["label"] == c]
                centers[c] -= 0.5 * 2 / len(feature) * (centers[c] - of_class).sum(dim=0) if len(of_class) else 0
        torch.testing.assert_close(model.metric.loss.centers.detach(), centers, rtol=1e-4, atol=1e-6)
        same_weights(model.backbone, copied.backbone)
        same_weights(model.head, copied.head)

    def test_center_optimizer_is_in_the_checkpoint(self, tmp_path):
        data = digits()
        model = build(
            MetricLearningClassifier, data, metric=lambda c, d: CenterTerm(c, d, lr=0.25), metric_weight=0.001
        )
        _, _, trainer = fit(model, data, tmp_path)
        trainer.save_checkpoint(tmp_path / "model.ckpt")
        kept = torch.load(tmp_path / "model.ckpt", weights_only=True)
        assert kept["metric_optimizer"]["param_groups"][0]["lr"] == 0.25
        assert torch.equal(kept["state_dict"]["metric.loss.centers"], model.metric.loss.centers.detach())
        other = build(MetricLearningClassifier, data, metric=CenterTerm)
        other.on_load_checkpoint(kept)
        assert other.metric_optimizer.param_groups[0]["lr"] == 0.25

    def test_centers_ignore_clipping_and_add_up_over_accumulated_batches(self, tmp_path):
        data = digits()
        frozen = {"optimizer": lambda p: torch.optim.SGD(p, lr=1e-30)}
        whole = build(MetricLearningClassifier, data, metric=CenterTerm, metric_weight=0.001, **frozen)
        parts = copy.deepcopy(whole)
        parts.metric_optimizer = parts.metric.own_optimizer()
        _, [batch, more], _ = fit(parts, data, tmp_path, 2, accumulate_grad_batches=2, gradient_clip_val=1e-9)
        # BatchNorm's running statistics do not matter in training: both see the features of their own batches.
        whole.train()
        features = [whole.backbone(b["image"]).detach() for b in (batch, more)]
        optimizer = whole.metric.own_optimizer()
        mean = sum(whole.metric(f, b["label"]) for f, b in zip(features, (batch, more), strict=True)) / 2
        mean.backward()
        optimizer.step()
        assert parts.metric.loss.centers.abs().max() > 0.01
        torch.testing.assert_close(parts.metric.loss.centers, whole.metric.loss.centers, rtol=1e-4, atol=1e-6)

    def test_half_precision_with_a_scaled_loss_is_refused(self, tmp_path):
        data = digits()
        trainer = make_trainer(tmp_path)
        trainer.strategy.precision_plugin.precision = "16-mixed"
        with pytest.raises(UserError, match="CenterTerm .*16-mixed.*bf16-mixed"):
            trainer.fit(build(MetricLearningClassifier, data, metric=CenterTerm), data)

    @pytest.mark.parametrize("term", [TripletTerm, ContrastTerm])
    def test_other_terms_are_trained_with_the_network(self, term, tmp_path):
        data = digits()
        model = build(MetricLearningClassifier, data, metric=term, metric_weight=0.01, loss_weight=0.5)
        copied, batches, _ = fit(model, data, tmp_path, batches=2)
        optimizer = sgd(copied.parameters())
        for batch in batches:
            feature, label = copied.backbone(batch["image"]), batch["label"]
            metric = TripletLoss()(feature, label) if term is TripletTerm else copied.metric(feature, label)
            optimizer.zero_grad()
            (0.5 * F.cross_entropy(copied.head(feature), label) + 0.01 * metric).backward()
            optimizer.step()
        same_weights(model, copied)


class TestClassifier:
    def test_a_mixture_has_the_loss_of_each_part(self, tmp_path):
        data = digits()
        model = build(Classifier, data, mixer=MixUp, loss=LogitAdjusted)
        copied, [batch], _ = fit(model, data, tmp_path, batches=1)
        with copied.same_draws(0):
            mixed, [(label, weight), (other, rest)] = copied.mixer(batch, copied.partners(batch))
        expected = copied.loss(copied(mixed), label, weight) + copied.loss(copied(mixed), other, rest)
        copied.log_loss = lambda *args: None
        torch.testing.assert_close(copied.training_step(batch, 0), expected)

    def test_a_mixer_of_pairs_needs_pairs(self):
        data = digits()
        assert build(Classifier, data, mixer=BalancedMixUp).needs_pairs
        assert not build(Classifier, data, mixer=MixUp).needs_pairs and not build(Classifier, data).needs_pairs


class TestBalancedMixUp:
    def test_an_image_is_mixed_with_a_class_balanced_one(self, tmp_path):
        data = digits(paired_sampler=balanced)
        model = build(BalancedMixUpClassifier, data, alpha=0.3)
        copied, batches, _ = fit(model, data, tmp_path, batches=5)
        frequent = [(side["label"] < 2).float().mean().item() for b in batches for side in (b, b["other"])]
        assert sum(frequent[::2]) / 5 > 0.45 and sum(frequent[1::2]) / 5 < 0.35
        batch = batches[0]
        share = 0.25
        copied.mixer.draw_lam, copied.log_loss = lambda: share, lambda *args: None
        logits = copied((1 - share) * batch["image"] + share * batch["other"]["image"])
        label, other = batch["label"], batch["other"]["label"]
        expected = (1 - share) * F.cross_entropy(logits, label) + share * F.cross_entropy(logits, other)
        torch.testing.assert_close(copied.training_step(batch, 0), expected, rtol=1e-4, atol=1e-5)

    def test_both_images_are_normalised(self, tmp_path):
        data = digits(paired_sampler=balanced)
        _, [batch], _ = fit(build(BalancedMixUpClassifier, data), data, tmp_path, batches=1)
        for side in (batch, batch["other"]):
            assert side["image"].dtype == torch.float32 and side["image"].min() < -1

    def test_it_predicts_with_the_mirror_image(self):
        assert isinstance(build(BalancedMixUpClassifier, digits()).predictor, FlipTTA)

    def test_without_pairs_it_says_what_is_missing(self, tmp_path):
        data = digits()
        with pytest.raises(UserError, match="data.paired_sampler=ClassPower"):
            make_trainer(tmp_path).fit(build(BalancedMixUpClassifier, data), data)


class TestPerturbed:
    def test_plain_and_perturbed_results_stand_side_by_side(self, tmp_path):
        data = digits()
        model = build(
            PerturbedClassifier, data, perturb=lambda counts: PerturbedInput(counts, epsilon=0.05), more_epsilons=[0.5]
        )
        trainer = make_trainer(tmp_path, limit_train_batches=2, limit_val_batches=0, limit_test_batches=2)
        trainer.fit(model, data)
        scores = trainer.test(model, data, verbose=False)[0]
        plain = build(Classifier, data)
        plain.load_state_dict(model.state_dict(), strict=False)
        alone = trainer.test(plain, data, verbose=False)[0]
        with_predictor = build(Classifier, data, predictor=lambda counts: PerturbedInput(counts, epsilon=0.05))
        with_predictor.load_state_dict(plain.state_dict())
        perturbed = trainer.test(with_predictor, data, verbose=False)[0]
        for key in ("f1", "auc"):
            assert scores[f"test_plain/{key}"] == alone[f"test/{key}"]
            assert scores[f"test/{key}"] == perturbed[f"test/{key}"]
        assert len({scores[key] for key in ("test/auc", "test_plain/auc", "test_epsilon_0_5/auc")}) == 3

    def test_validation_sees_images_as_they_are(self, tmp_path):
        data = digits()
        model = build(PerturbedClassifier, data, perturb=lambda counts: PerturbedInput(counts, epsilon=100.0))
        scores = make_trainer(tmp_path).validate(model, data, verbose=False)[0]
        plain = build(Classifier, data)
        plain.load_state_dict(model.state_dict(), strict=False)
        assert scores == make_trainer(tmp_path).validate(plain, data, verbose=False)[0]


class TestPredictors:
    def test_temperature_is_fitted_on_the_validation_part(self, tmp_path):
        data, trainer = digits(), make_trainer(tmp_path, limit_train_batches=3, limit_test_batches=1)
        model = build(Classifier, data, predictor=TemperatureScaled)
        trainer.fit(model, data)
        model.head.load_state_dict({name: 5 * value for name, value in model.head.state_dict().items()})
        trainer.test(model, data, verbose=False)
        images = data.dataset("val", [data.test_recipe])
        image = data.normalize(torch.stack([images[i]["image"] for i in range(len(images))]))
        label = torch.from_numpy(data.labels_of("val"))
        with torch.no_grad():
            logits = model.eval()(image)
        grid = torch.logspace(-1, 2, 301)
        best = grid[torch.stack([F.cross_entropy(logits / t, label) for t in grid]).argmin()]
        fitted = (logits / model.predictor(model, image).detach()).median()
        assert fitted > 1 and fitted.item() == pytest.approx(best.item(), rel=0.03)

    def test_without_validation_part_it_says_so(self, tmp_path):
        data = digits(split=Holdout(test=0.3))
        with pytest.raises(UserError, match="TemperatureScaled .*data.split.val=0.1"):
            make_trainer(tmp_path).test(build(Classifier, data, predictor=TemperatureScaled), data)

    def test_pixel_units_follow_the_normalisation(self, tmp_path):
        data = digits(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.5))
        model = build(Classifier, data, predictor=lambda c: PerturbedInput(c, epsilon=0.01, space="unit"))
        seen = []
        model.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[0].detach()))
        make_trainer(tmp_path, limit_test_batches=1).test(model, data, verbose=False)
        assert seen[-1].max() <= 2 and seen[-1][:, 2].max() <= 1
        change = (seen[-1] - seen[0]).abs().amax(dim=(0, 2, 3))
        torch.testing.assert_close(change, torch.tensor([0.04, 0.04, 0.02]), rtol=0, atol=1e-5)


def test_a_loss_with_a_schedule_is_told_the_epoch(tmp_path):
    told = []

    class Scheduled(CrossEntropy):
        def set_epoch(self, epoch, max_epochs):
            told.append((epoch, max_epochs))

    data = digits()
    fit(build(Classifier, data, loss=Scheduled), data, tmp_path, batches=1, max_epochs=2)
    assert told == [(1, 2), (2, 2)]
