"""SCL, BCL and Hybrid-SC against their training steps written by hand, and what the program refuses about views."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import softmax, supcon_oracle
from small_runs import balanced, build, digits, make_trainer, refused, sgd
from torch import nn

from lightning_imbal.data import ISIC2018, Holdout
from lightning_imbal.data.recipes import ShiftCrop
from lightning_imbal.errors import UserError
from lightning_imbal.heads import LearnableScale, NearestClassMean, NormedLinear
from lightning_imbal.losses import BCLLoss, LogitAdjusted, SupConLoss
from lightning_imbal.modules import BBN, BCL, ECL, SCL, Classifier, HybridSC

DEMO = ["fit", "--config", "experiments/demo.yaml", "--then", "null", "--trainer.max_epochs", "1"]


def first_batch(data):
    """A batch of the training part, normalised."""
    data.setup("fit")
    return data.normalize.batch(next(iter(data.train_dataloader())), torch.float32)


def step(model, batch, folder, epoch=0, max_epochs=1):
    """The loss of the module's own training step in an epoch."""
    model.trainer = make_trainer(folder)
    model.set_epoch(epoch + 1, max_epochs)
    model.log = lambda *args, **kwargs: None
    return model.train().training_step(batch, 0)


def embeddings(model, image):
    """Features and unit-length embeddings of views, all in one pass."""
    feature = model.backbone(image.flatten(0, 1))
    embedding = F.normalize(model.projection.layers(feature), dim=1)
    return feature.unflatten(0, image.shape[:2]), embedding.unflatten(0, image.shape[:2])


def test_scl_adds_the_contrast_of_both_views_to_the_loss_of_the_first(tmp_path):
    data = digits(views=2, train_transform=ShiftCrop)
    model = build(SCL, data, ce_weight=2.0, contrast_weight=0.5)
    batch, by_hand = first_batch(data), copy.deepcopy(model).train()
    batch = {name: value[:24] for name, value in batch.items()}
    feature, embedding = embeddings(by_hand, batch["image"])
    logits = by_hand.head(feature[:, 0])
    probability = [softmax(row)[label] for row, label in zip(logits.tolist(), batch["label"].tolist(), strict=True)]
    points, labels = embedding.flatten(0, 1).double(), batch["label"].repeat_interleave(2)
    expected = -2 * sum(map(math.log, probability)) / 24 + 0.5 * supcon_oracle(points, labels, 0.1)
    assert step(model, batch, tmp_path).item() == pytest.approx(expected, rel=1e-5)


class TestBCL:
    @pytest.mark.parametrize("head", [NormedLinear, nn.Linear])
    def test_prototypes_are_projected_weights_and_the_first_view_is_classified(self, head, tmp_path):
        data = digits(views=3, train_transform=ShiftCrop)
        model = build(BCL, data, head=head)
        batch, by_hand = first_batch(data), copy.deepcopy(model).train()
        feature, embedding = embeddings(by_hand, batch["image"])
        weight = by_hand.head.weight.T if head is NormedLinear else by_hand.head.weight
        assert weight.shape == (10, model.feature_size)
        prototype = F.normalize(by_hand.prototype_projection.layers(weight), dim=1)
        prior = torch.tensor(data.class_counts).float().log() - torch.tensor(data.class_counts).float().sum().log()
        expected = F.cross_entropy(by_hand.head(feature[:, 0]) + prior, batch["label"])
        expected = expected + 0.35 * BCLLoss(0.1)(embedding[:, 1:], batch["label"], prototype)
        torch.testing.assert_close(step(model, batch, tmp_path), expected)

    def test_is_what_its_code_trains_by_default(self):
        model = build(BCL, digits(views=3))
        assert isinstance(model.loss, LogitAdjusted) and isinstance(model.head, NormedLinear)
        assert [layer.out_features for layer in model.projection.layers if isinstance(layer, nn.Linear)] == [2048, 1024]

    def test_head_without_weights_of_classes_is_refused(self):
        with pytest.raises(ValueError, match="BCL .* NearestClassMean.*NormedLinear"):
            build(BCL, digits(views=3), head=NearestClassMean)
        build(BCL, digits(views=3), head=LearnableScale)


class TestHybridSC:
    @pytest.mark.parametrize(("epoch", "share"), [(0, 1.0), (2, 0.75), (3, 1 - 9 / 16)])
    def test_goes_from_contrast_to_classification(self, epoch, share, tmp_path):
        data = digits(views=2, paired_sampler=balanced, train_transform=ShiftCrop)
        model = build(HybridSC, data)
        batch, by_hand = first_batch(data), copy.deepcopy(model).train()
        assert batch["image"].ndim == 5 and batch["other"]["image"].ndim == 4
        _, embedding = embeddings(by_hand, batch["image"])
        contrast = SupConLoss(0.1)(embedding, batch["label"])
        logits = by_hand.head(by_hand.backbone(batch["other"]["image"]))
        expected = share * contrast + (1 - share) * F.cross_entropy(logits, batch["other"]["label"])
        torch.testing.assert_close(step(model, batch, tmp_path, epoch, max_epochs=4), expected)

    def test_classifier_learns_nothing_in_the_first_epoch(self, tmp_path):
        data = digits(views=2, paired_sampler=balanced)
        model = build(HybridSC, data, optimizer=sgd)
        before = copy.deepcopy(model)
        make_trainer(tmp_path, limit_train_batches=2, limit_val_batches=0).fit(model, data)
        assert torch.equal(model.head.weight, before.head.weight)
        assert not torch.equal(model.projection.layers[0].weight, before.projection.layers[0].weight)


class TestRefusals:
    def test_number_of_views(self, tmp_path, capsys):
        args = [*DEMO, "--model", "ECL", "--data.views", "1", "--run_dir", str(tmp_path / "run")]
        said = "ECL needs 2 views of each image, but the data gives 1: set --data.views 2"
        assert said in refused(capsys, *args)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (BCL, "BCL needs 3 views of each image, but the data gives 2: set data.views=3"),
            (Classifier, "Classifier can use 1 of the 2 views of each image that the data gives: set data.views=1"),
        ],
    )
    def test_two_views_are_too_few_or_too_many(self, kind, said):
        data = digits(views=2)
        with pytest.raises(UserError, match=said):
            build(kind, data).check(data)

    def test_difficulty_without_a_validation_part(self, tmp_path, capsys):
        args = [*DEMO, "--model", "Classifier", "--model.loss", "BWCE", "--data.split.val", "0", "--monitor", "null"]
        assert "BWCE weighs classes by their F1 on a validation part" in refused(
            capsys, *args, "--run_dir", str(tmp_path / "run")
        )

    def test_epochs_without_end(self, tmp_path, capsys):
        args = [*DEMO[:-1], "-1", "--model.scheduler", "null", "--model", "Classifier", "--model.loss", "MWNL"]
        assert "max_epochs is -1" in refused(capsys, *args, "--run_dir", str(tmp_path / "run"))
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("kind", [HybridSC, BBN, ECL])
    def test_epochs_without_end_for_what_has_a_schedule(self, kind):
        with pytest.raises(ValueError, match="max_epochs is -1"):
            build(kind, digits()).set_epoch(1, -1)

    def test_hybrid_sc_without_a_second_sampler(self, tmp_path, capsys):
        args = [*DEMO, "--model", "HybridSC", "--data.views", "2", "--run_dir", str(tmp_path / "run")]
        assert "HybridSC" in (sentence := refused(capsys, *args)) and "paired_sampler" in sentence

    @pytest.mark.parametrize(
        ("first", "args"),
        [
            ("SupConRepresentation", ["--then.model.init_args.backbone", "test_convnext"]),
            ("BBN", ["--model", "BBN", "--data.paired_sampler", "Reversed"]),
        ],
    )
    def test_second_stage_with_another_backbone(self, first, args, tmp_path, capsys):
        args = [*DEMO[:3], *args, "--run_dir", str(tmp_path / "run")]
        assert f"another backbone than {first} trains" in refused(capsys, *args)


def test_ecl_trains_on_the_real_images(real_isic, tmp_path):
    data = ISIC2018(
        str(real_isic), split=Holdout(test=0.2, val=0.2), views=2, batch_size=16, image_size=32, num_workers=0
    )
    counts = data.class_counts
    model = ECL(class_counts=counts, class_names=list(data.class_names), backbone="test_resnet")
    assert len(model.proxy_label) == 25
    trainer = make_trainer(tmp_path, limit_train_batches=2, limit_val_batches=2, num_sanity_val_steps=0)
    trainer.fit(model, data)
    assert trainer.callback_metrics["train/loss"].isfinite()
