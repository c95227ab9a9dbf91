"""The weights that a run starts from: a file beside the data, those of timm, or none, which is said."""

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
