"""What the modules promise: frozen means frozen, collapse is noticed, checkpoints stand alone."""

import pytest
import torch
from safetensors.torch import save_file
from small_runs import make_trainer

from lightning_imbal.backbones import create_backbone
from lightning_imbal.data import DigitsLT, Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.modules import Classifier, FrozenHead, SupConRepresentation

NAMES = list("0123456789")


@pytest.fixture
def digits():
    return DigitsLT(split=Holdout(test=0.3, val=0.1), batch_size=64, image_size=32, num_workers=0)


@pytest.fixture
def trainer(tmp_path):
    return make_trainer(tmp_path, limit_train_batches=2, limit_val_batches=1)


def build(kind, digits, **kwargs):
    return kind(class_counts=digits.class_counts, class_names=NAMES, backbone="test_resnet", **kwargs)


def test_frozen_backbone_stays_as_it_was(digits, trainer):
    model = build(FrozenHead, digits)
    with pytest.raises(UserError, match="on a backbone of random weights"):
        trainer.fit(model, digits)
    model.backbone.load_state_dict(build(Classifier, digits).backbone.state_dict())
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    head = model.head.weight.detach().clone()
    trainer.fit(model, digits)
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(before[name], value) for name, value in model.backbone.state_dict().items())
    assert not torch.equal(head, model.head.weight)
    assert not any(module.training for module in model.train().backbone.modules())


@pytest.mark.parametrize("init", ["new", "keep"])
def test_second_stage_starts_from_the_first(digits, trainer, tmp_path, init):
    first = build(Classifier, digits)
    trainer.fit(first, digits)
    trainer.save_checkpoint(tmp_path / "first.ckpt")
    second = build(FrozenHead, digits, backbone_ckpt=str(tmp_path / "first.ckpt"), init=init)
    second.setup("fit")
    weights = first.backbone.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in second.backbone.state_dict().items())
    assert torch.equal(first.head.weight, second.head.weight) == (init == "keep")


def test_second_stage_refuses_another_backbone(digits, trainer, tmp_path):
    trainer.fit(build(Classifier, digits), digits)
    trainer.save_checkpoint(tmp_path / "first.ckpt")
    kwargs = {"class_counts": digits.class_counts, "class_names": NAMES, "backbone_ckpt": str(tmp_path / "first.ckpt")}
    with pytest.raises(UserError, match="backbone in .*first.ckpt"):
        FrozenHead(backbone="test_convnext", **kwargs).setup("fit")


def test_checkpoint_loads_without_the_objects_and_files_it_was_made_with(digits, trainer, tmp_path):
    weights = {name: value.contiguous() for name, value in create_backbone("test_resnet").state_dict().items()}
    save_file(weights, tmp_path / "weights.safetensors")
    model = build(Classifier, digits, pretrained=str(tmp_path / "weights.safetensors"), loss=lambda c: _loss(c))
    trainer.fit(model, digits)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    (tmp_path / "weights.safetensors").unlink()
    loaded = Classifier.load_from_checkpoint(tmp_path / "model.ckpt")
    assert loaded.hparams["class_counts"] == digits.class_counts
    image = torch.rand(2, 3, 32, 32)
    assert torch.equal(model.eval()(image), loaded.eval()(image))


def _loss(class_counts):
    from lightning_imbal.losses.cross_entropy import CrossEntropy

    return CrossEntropy(class_counts, weight="inverse")


def test_collapse_is_noticed(digits, trainer):
    model = build(SupConRepresentation, digits, optimizer=lambda p: torch.optim.SGD(p, lr=1e-30))
    torch.nn.init.zeros_(model.projection.layers[-1].weight)
    with pytest.warns(UserWarning, match="embedding has collapsed"):
        trainer.fit(model, digits)


def test_healthy_training_does_not_warn_of_collapse(digits, trainer, recwarn):
    trainer.fit(build(SupConRepresentation, digits), digits)
    assert not [warning for warning in recwarn if "collapsed" in str(warning.message)]


def test_distance_to_collapse_is_zero_where_embeddings_are_alike(digits, trainer):
    model = build(SupConRepresentation, digits).train()
    model.trainer = trainer
    torch.nn.init.zeros_(model.projection.layers[-1].weight)
    model.contrast({"image": torch.rand(3, 2, 3, 32, 32), "label": torch.tensor([0, 1, 1])})
    assert model.distance_to_collapse.compute().item() == pytest.approx(0, abs=1e-5)


def test_collapse_is_that_of_the_last_epoch_alone(digits):
    model = build(SupConRepresentation, digits)
    model.distance_to_collapse.update(torch.tensor(1.0))
    model.on_train_epoch_end()
    model.distance_to_collapse.update(torch.tensor(0.0))
    with pytest.warns(UserWarning, match="embedding has collapsed"):
        model.on_train_epoch_end()


def test_views_share_their_label(digits):
    model = build(SupConRepresentation, digits)
    image = torch.rand(4, 2, 3, 32, 32)
    embedding = model.eval()(image)
    assert embedding.shape == (4, 2, 128)
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(4, 2))
    torch.testing.assert_close(embedding[:, 1], model(image[:, 1]))
