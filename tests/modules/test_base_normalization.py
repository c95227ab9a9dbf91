"""Data that leave mean and deviation open take those of the weights, also without the command line."""

import pytest
import torch
from made_networks import network
from small_runs import build, digits, make_trainer, sgd

from lightning_imbal.data.normalize import Normalize
from lightning_imbal.modules import Classifier, FrozenHead


def numbers(data):
    return [values.flatten().tolist() for values in data.normalize.state_dict().values()]


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_network_tells_its_data_what_its_weights_were_trained_with(tmp_path, pretrained):
    network(tmp_path / "net", "test_resnet", {})
    data = digits()
    name = f"local-dir:{tmp_path / 'net'}"
    model = Classifier(class_counts=[3] * 10, class_names=list("0123456789"), backbone=name, pretrained=pretrained)
    model.trainer = data.trainer = make_trainer(tmp_path)
    model.trainer.datamodule = data
    model.setup("predict")
    wanted = [[0.4, 0.5, 0.6], [0.2, 0.25, 0.3]] if pretrained else numbers(digits())
    assert numbers(data) == [pytest.approx(each) for each in wanted]


def test_a_second_stage_sees_pictures_as_the_first_did(tmp_path):
    first_data, then_data = digits(mean=(0.1,) * 3, std=(0.9,) * 3), digits()
    trainer = make_trainer(tmp_path, limit_train_batches=1, limit_val_batches=0)
    trainer.fit(build(Classifier, first_data, optimizer=sgd), first_data)
    trainer.save_checkpoint(tmp_path / "first.ckpt")
    head = build(FrozenHead, then_data, optimizer=sgd, backbone_ckpt=str(tmp_path / "first.ckpt"))
    make_trainer(tmp_path, limit_train_batches=1, limit_val_batches=0).fit(head, then_data)
    assert torch.allclose(head.normalization["mean"], torch.full((3, 1, 1), 0.1))


def test_only_what_was_left_open_is_taken():
    normalize = Normalize(std=(0.5,) * 3)
    normalize.take((0.1,) * 3, (0.2,) * 3)
    assert normalize.mean.flatten().tolist() == pytest.approx([0.1] * 3) and set(normalize.std.flatten().tolist()) == {
        0.5
    }
