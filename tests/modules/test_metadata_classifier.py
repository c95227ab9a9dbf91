"""The classifier on an image and its attributes, by itself, as a second stage, and by the commands."""

import json
from functools import partial

import layouts
import numpy as np
import pandas as pd
import pytest
import torch
from parsing import EXPERIMENTS, with_configs
from small_runs import refused

from lightning_imbal.api.load import load
from lightning_imbal.cli import main
from lightning_imbal.data.index.attributes import encoded
from lightning_imbal.errors import UserError
from lightning_imbal.modules import Classifier, FrozenHead, MetadataClassifier
from lightning_imbal.modules.base_checkpoint import open_checkpoint
from lightning_imbal.modules.base_first_stage import check_metadata
from lightning_imbal.predictors import FlipTTA, PerturbedInput

ENCODING = [
    {"attribute": "sex", "word": "female"},
    {"attribute": "sex", "word": "male"},
    {"attribute": "sex", "missing": True},
    {"attribute": "age", "mean": 50.0, "std": 10.0},
    {"attribute": "age", "missing": True},
]
METADATA = torch.tensor([[1, 0, 0, 0.5, 0], [0, 1, 0, -1, 0], [0, 0, 1, 0, 1], [1, 0, 0, 0, 1]])
NOTHING = METADATA[2]


def build(kind=MetadataClassifier, encoding=ENCODING, **kwargs):
    torch.manual_seed(0)
    classes = {"class_counts": [5, 3, 2], "class_names": ["a", "b", "c"], "backbone": "test_resnet"}
    return kind(**classes, metadata_encoding=encoding, **kwargs)


@pytest.fixture
def images():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class TestNetwork:
    def test_head_gets_both_features(self, images):
        model = build(metadata_size=8).eval()
        assert model.head.in_features == model.feature_size + 8
        layers = [type(layer).__name__ for layer in model.perceptron]
        assert layers == ["Linear", "BatchNorm1d", "ReLU", "Dropout"] * 2 and model.perceptron[3].p == 0.4
        both = torch.cat([model.backbone(images), model.perceptron(METADATA)], dim=1)
        torch.testing.assert_close(model(images, METADATA), both @ model.head.weight.T + model.head.bias)

    def test_gradient_reaches_the_perceptron(self, images):
        model = build(drop_attribute=0.0, metadata_dropout=0.0)
        model.training_step({"image": images, "metadata": METADATA, "label": torch.tensor([0, 1, 2, 0])}, 0).backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in model.perceptron[4].parameters())
        assert (model.perceptron[0].weight.grad.abs().sum(dim=0) > 0).all()  # of every input
        assert {*map(id, model.perceptron.parameters())} <= {*map(id, model.trained_parameters())}

    def test_no_metadata_is_all_missing(self, images):
        model = build().eval()
        assert torch.equal(model(images), model(images, NOTHING.expand(4, -1)))
        assert not torch.allclose(model(images), model(images, METADATA))
        assert model.asks_beside_image == ["sex", "age"]

    def test_whole_attributes_are_dropped(self):
        model = build(drop_attribute=0.25)
        metadata = METADATA[:1].expand(4000, -1)
        found = model.with_some_missing(metadata)
        without = [(found[:, columns] == NOTHING[columns]).all(dim=1) for columns in (slice(0, 3), slice(3, 5))]
        kept = [(found[:, columns] == metadata[:, columns]).all(dim=1) for columns in (slice(0, 3), slice(3, 5))]
        assert all(
            ((gone ^ stays).all() and 0.22 < gone.float().mean() < 0.28)
            for gone, stays in zip(without, kept, strict=True)
        )
        assert 0.04 < (without[0] & without[1]).float().mean() < 0.09  # each by itself

    @pytest.mark.parametrize(("probability", "expected"), [(0.0, METADATA), (1.0, NOTHING.expand(4, -1))])
    def test_none_or_all_are_dropped(self, probability, expected):
        assert torch.equal(build(drop_attribute=probability).with_some_missing(METADATA), expected)

    def test_in_training_alone(self, images):
        model = build(drop_attribute=1.0).eval()
        assert torch.equal(
            model.probability({"image": images, "metadata": METADATA}), model(images, METADATA).softmax(1)
        )

    def test_predictors_see_the_attributes(self, images):
        model = build(predictor=FlipTTA).eval()
        both = [model(image, METADATA).softmax(1) for image in (images, images.flip(-1))]
        found = model.probability({"image": images, "metadata": METADATA})
        torch.testing.assert_close(found, (both[0] + both[1]) / 2)

    def test_perturbed_input_sees_the_attributes(self, images):
        model = build(predictor=partial(PerturbedInput, epsilon=0.0)).eval()
        found = model.probability({"image": images, "metadata": METADATA})
        torch.testing.assert_close(found, model(images, METADATA).softmax(1))

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"encoding": []}, "MetadataClassifier looks at attributes of the images, and none is named"),
            ({"encoding": None}, "data.metadata_columns=sex,age"),
            ({"metadata_size": 0}, "metadata_size must be at least 1, but is 0"),
            ({"drop_attribute": 1.5}, "drop_attribute must be from 0 to 1, but is 1.5"),
        ],
    )
    def test_refuses(self, arguments, said):
        with pytest.raises(ValueError, match=said):
            build(**arguments)


class TestSecondStage:
    def test_perceptron_is_frozen_as_the_backbone_is(self, images):
        head = build(FrozenHead, metadata_size=8).train()
        assert not any(
            part.training or any(p.requires_grad for p in part.parameters()) for part in head.frozen.values()
        )
        assert list(head.frozen) == ["backbone", "perceptron"] and list(build(FrozenHead).frozen) == ["backbone"]
        logits = head.logits({"image": images, "metadata": METADATA})
        feature = head.feature(images, METADATA)
        assert torch.equal(head.logits({"feature": feature}), logits) and feature.shape[1] == head.feature_size + 8

    def test_without_one_attributes_are_not_looked_at(self, images):
        head = build(FrozenHead).eval()
        assert torch.equal(head.logits({"image": images, "metadata": METADATA}), head(images))
        assert head.head.in_features == head.feature_size and head.asks_beside_image == ()

    def test_refuses_another_perceptron(self):
        first = Classifier(class_counts=[5, 3, 2], class_names=["a", "b", "c"], backbone="test_resnet")
        check_metadata(first, build(FrozenHead))
        with pytest.raises(UserError, match="makes 0 features of attributes of an image, and the second takes 8"):
            check_metadata(first, build(FrozenHead, metadata_size=8))

    def test_refuses_other_attributes(self):
        check_metadata(build(metadata_size=8), build(FrozenHead, metadata_size=8))
        with pytest.raises(UserError, match="has other attributes of the images"):
            check_metadata(build(metadata_size=8), build(FrozenHead, ENCODING[:3], metadata_size=8))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """60 pictures of three classes; the sex tells the second from the third, of which the pictures are alike."""
    root = tmp_path_factory.mktemp("skin")
    label = layouts.labels([28, 16, 16])
    layouts.paint([root / "pictures" / f"{i}.png" for i in range(60)], np.minimum(label, 1))
    table = {"image": [f"pictures/{i}.png" for i in range(60)], "label": np.array(["a", "b", "c"])[label]}
    table |= {"sex": np.where(np.arange(60) % 9 == 0, "unknown", np.where(label == 1, "female", "male"))}
    table |= {"age": [str(20 + i) if i % 7 else "" for i in range(60)], "id": [f"x{i}" for i in range(60)]}
    pd.DataFrame(table).to_csv(root / "labels.csv", index=False)
    return root


TINY = ["--model.backbone", "test_resnet", "--model.pretrained", "false", "--data.image_size", "32"]
TINY += ["--data.batch_size", "16", "--trainer.max_epochs", "1", "--data.num_workers", "0", "--data.cache", "none"]
TINY += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--laptop", "false"]


def options(root, *columns):
    configs = with_configs(EXPERIMENTS / "own_csv.yaml", EXPERIMENTS / "methods" / "ce_metadata.yaml")
    named = ["--data.metadata_columns", ",".join(columns)] if columns else []
    return [*configs, "--data.root", str(root), "--data.labels", "labels.csv", *named, *TINY]


def test_both_stages(root, tmp_path):
    then = ["--then", str(EXPERIMENTS / "heads" / "crw.yaml"), "--then.trainer.max_epochs", "1"]
    then += ["--then.model.init_args.cache_views", "1", "--then.data.init_args.batch_size", "16"]
    run = tmp_path / "run"
    assert main(["fit", *options(root, "sex", "age"), *then, "--run_dir", str(run)]) == 0
    results = json.loads((run / "metrics.json").read_text())
    assert results["identity"]["title"]["method"] == "CE + metadata -> cRW"
    split, found = pd.read_csv(run / "stage2" / "split.csv", dtype=str), pd.read_parquet(run / "predictions.parquet")
    labels = pd.read_csv(root / "labels.csv", dtype=str).set_index("image")
    assert found.columns[:4].tolist() == ["image", "label", "meta/sex", "meta/age"]
    for table in (split.fillna(""), found):
        of_file = labels.loc[table["image"], ["sex", "age"]].fillna("").replace("unknown", "")
        assert (table[["meta/sex", "meta/age"]].to_numpy() == of_file.to_numpy()).all()
    model = load(run)
    kept, names = (
        open_checkpoint(run / "stage2" / "checkpoints" / "last.ckpt"),
        [f"probability/{name}" for name in "abc"],
    )
    assert model.metadata_encoding == kept["hyper_parameters"]["metadata_encoding"] and len(model.no_metadata) == 5
    table = found.set_index("image").rename(columns=str)
    images = torch.stack([model.transforms(root / image) for image in table.index])
    known = torch.from_numpy(encoded(table, model.metadata_encoding))
    with torch.no_grad():
        torch.testing.assert_close(model(images, known).softmax(1).numpy(), table[names].to_numpy(), atol=1e-5, rtol=0)
        assert not np.allclose(model(images).softmax(1).numpy(), table[names].to_numpy(), atol=1e-3)
    first = open_checkpoint(run / "stage1" / "checkpoints" / "last.ckpt")["state_dict"]
    assert all(torch.equal(value, first[f"perceptron.{name}"]) for name, value in model.perceptron.state_dict().items())


def test_without_attributes_and_with_an_id_it_is_one_sentence(root, tmp_path, capsys):
    run = ["--run_dir", str(tmp_path / "run")]
    assert "none is named: name columns of the label file, such as --data.metadata_columns sex,age" in refused(
        capsys, "fit", *options(root), *run
    )
    assert "holds 60 different words" in refused(capsys, "fit", *options(root, "id"), *run)
    alone = options(root, "sex")
    alone[alone.index("--data.batch_size") + 1] = "1"
    assert "cannot be trained on batches of one image" in refused(capsys, "fit", *alone, *run)
    assert not (tmp_path / "run").exists()
