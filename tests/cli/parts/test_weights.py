"""The weights that a run starts from: a file beside the data, those of timm, or none, which is said."""

import torch
import yaml
from jsonargparse import Namespace

from lightning_imbal.cli.parts import weights
from lightning_imbal.errors import UserError


def chosen(root, pretrained):
    model = Namespace(backbone="resnet18", pretrained=pretrained)
    data = Namespace(root=str(root / "isic"))
    weights.choose_weights(Namespace(model=Namespace(init_args=model), data=Namespace(init_args=data)))
    return model.pretrained


def test_local_weights_are_those_beside_the_data(tmp_path):
    assert chosen(tmp_path, "local") is False
    (tmp_path / "weights").mkdir()
    for name in ("resnet50.safetensors", "resnet18_b.safetensors", "resnet18_a.safetensors"):
        (tmp_path / "weights" / name).touch()
    for wanted in ("local", "auto"):
        assert chosen(tmp_path, wanted) == str(tmp_path / "weights" / "resnet18_a.safetensors")
    assert chosen(tmp_path, "my.safetensors") == "my.safetensors" and chosen(tmp_path, False) is False


def test_else_those_of_timm_if_they_can_be_had(tmp_path, monkeypatch, told):
    made = []
    monkeypatch.setattr(weights, "create_backbone", lambda name, pretrained: made.append(name))
    assert chosen(tmp_path, "local") is False and not made
    assert chosen(tmp_path, "auto") is True and made == ["resnet18"]
    assert "timm's of resnet18, fetched now" in told.text


def test_from_scratch_is_said_with_what_it_costs(tmp_path, monkeypatch, told):
    def fail(*args, **kwargs):
        raise UserError("no answer")

    monkeypatch.setattr(weights, "create_backbone", fail)
    assert chosen(tmp_path, "auto") is False
    assert "from scratch" in told.text and "0.23 instead of 0.30" in told.text


def normalised(tmp_path, mean=None, std=None, ckpt_path=None, **model):
    """Mean and standard deviation of a configuration after they are chosen."""
    data = Namespace(mean=mean, std=std)
    config = Namespace(model=Namespace(init_args=Namespace(**model)), data=Namespace(init_args=data))
    weights.choose_normalization(Namespace(**vars(config), ckpt_path=ckpt_path), tmp_path)
    return data.mean, data.std


HALF, IMAGENET = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = {"backbone": "tf_efficientnet_lite0"}


def test_pictures_are_normalised_as_those_of_the_weights(tmp_path, told):
    assert normalised(tmp_path, **LITE, pretrained=True) == HALF
    assert "as for the weights of tf_efficientnet_lite0: mean 0.5/0.5/0.5 and standard deviation 0.5" in told.text
    assert normalised(tmp_path, **LITE, pretrained="own.safetensors") == HALF
    assert normalised(tmp_path, **LITE, pretrained=True, std=IMAGENET[1]) == (HALF[0], IMAGENET[1])


def test_without_weights_they_are_normalised_as_imagenet(tmp_path, told):
    assert normalised(tmp_path, **LITE, pretrained=False) == IMAGENET
    assert normalised(tmp_path, backbone=Namespace(class_path="my.Net"), pretrained="own.pth") == IMAGENET
    assert not told.text


def test_other_numbers_than_those_of_the_weights_are_kept_and_said(tmp_path, told):
    assert normalised(tmp_path, *HALF, backbone="resnet18", pretrained="own.pth") == HALF and not told.text
    assert normalised(tmp_path, *HALF, **LITE, pretrained=True) == HALF and not told.text
    assert normalised(tmp_path, *HALF, backbone="resnet18", pretrained=True) == HALF
    assert "were trained with mean 0.485/0.456/0.406" in told.text and "--data.mean null" in told.text


def test_a_stage_that_goes_on_keeps_what_it_was_begun_with(tmp_path):
    begun = {"model": {"class_path": "Classifier"}, "trainer": {}, "ckpt_path": None}
    begun["data"] = {"class_path": "CSVData", "init_args": {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(begun))
    before = ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert normalised(tmp_path, **LITE, pretrained=False, ckpt_path="last") == before
    assert normalised(tmp_path, **LITE, pretrained=True) == HALF


def test_a_second_stage_alone_takes_those_of_its_first(tmp_path, told):
    kept = {"mean": torch.full((3, 1, 1), 0.25), "std": torch.full((3, 1, 1), 0.75)}
    torch.save({"state_dict": {}, "normalize": kept}, tmp_path / "first.ckpt")
    taken = normalised(tmp_path, backbone="resnet18", pretrained=False, backbone_ckpt=str(tmp_path / "first.ckpt"))
    assert taken == ((0.25,) * 3, (0.75,) * 3) and "first.ckpt: mean 0.25" in told.text


def test_weights_beside_a_network_are_local_ones(tmp_path):
    model = Namespace(backbone=f"local-dir:{tmp_path}", pretrained="local")
    data = Namespace(root=str(tmp_path))
    weights.choose_weights(Namespace(model=Namespace(init_args=model), data=Namespace(init_args=data)))
    assert model.pretrained is True
