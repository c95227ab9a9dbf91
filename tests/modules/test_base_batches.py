"""Batches of any loader, and pictures that no DataModule has normalised."""

import numpy as np
import pytest
import torch
from small_runs import build, digits, make_trainer, sgd
from torch.utils.data import DataLoader, Dataset

from lightning_imbal.errors import UserError
from lightning_imbal.metrics import ImbalReport
from lightning_imbal.modules import ECL, Classifier, FrozenHead
from lightning_imbal.modules.base_batches import as_batch, as_floats, index_of

IMAGE, LABEL = torch.rand(3, 3, 8, 8), torch.tensor([1, 0, 2])


@pytest.mark.parametrize(
    "batch",
    [
        {"image": IMAGE, "label": LABEL},
        {"image": IMAGE, "label": [1, 0, 2]},
        {"image": IMAGE, "label": np.array([1, 0, 2])},
        (IMAGE, LABEL),
        [IMAGE, [1, 0, 2]],
        {"image": IMAGE, "label": LABEL, "other": (IMAGE, LABEL)},
    ],
)
def test_images_and_labels_of_any_kind(batch):
    made = as_batch(batch)
    assert torch.equal(made["image"], IMAGE) and torch.equal(made["label"], LABEL)
    assert "other" not in made or torch.equal(made["other"]["label"], LABEL)


def test_images_alone_and_what_is_neither():
    assert list(as_batch(IMAGE)) == ["image"]
    assert as_batch({"image": IMAGE, "patient": ["a"]})["patient"] == ["a"]
    for batch in ("text", 3, [IMAGE] * 4):
        with pytest.raises(UserError, match="must be a dict with image and label, or images and labels"):
            as_batch(batch)


@pytest.mark.parametrize(("rank", "devices", "expected"), [(0, 1, [3, 4, 5]), (1, 2, [7, 9, 11])])
def test_images_without_a_row_are_all_others(rank, devices, expected):
    report = ImbalReport([1, 1, 1], ["a", "b", "c"])
    report.update(torch.eye(3), LABEL, index_of({"label": LABEL}, report, rank, devices))
    assert index_of({"label": LABEL}, report, rank, devices).tolist() == expected
    assert index_of({"label": LABEL, "index": LABEL}, report, rank, devices) is LABEL


def test_bytes_are_normalised_as_in_training():
    of_training = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
    image = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert as_floats({"image": image}, of_training, torch.float64)["image"].unique().tolist() == [2.0]
    assert as_floats({"image": IMAGE}, of_training, torch.float32)["image"] is IMAGE
    with pytest.raises(UserError, match="how to normalise them is not known"):
        as_floats({"image": image}, None, torch.float32)


class Side(Dataset):
    """Images as users of torch have them: floats and labels side by side."""

    def __len__(self):
        return 32

    def __getitem__(self, row):
        return torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(row)), row % 10


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network on pictures of its own normalisation, its Trainer and data, a checkpoint, and its score."""
    data = digits(mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))
    model, trainer = build(Classifier, data, optimizer=sgd), make_trainer(tmp_path_factory.mktemp("trained"), 2)
    trainer.fit(model, data)
    file = tmp_path_factory.mktemp("file") / "trained.ckpt"
    trainer.save_checkpoint(file)
    [scores] = trainer.test(model, data, verbose=False)
    return model, trainer, data, file, scores


def test_loaders_of_a_datamodule_without_it(trained):
    model, trainer, data, _, scores = trained
    [found] = trainer.test(model, data.test_dataloader(), verbose=False)
    assert found == scores
    batches = trainer.predict(model, data.test_dataloader())
    assert torch.equal(torch.cat(batches), torch.cat(trainer.predict(model, datamodule=data)))


def test_a_loaded_network_normalises_as_it_was_trained(trained, tmp_path):
    *_, file, scores = trained
    loaded = Classifier.load_from_checkpoint(file)
    [found] = make_trainer(tmp_path).test(loaded, digits(), verbose=False)
    assert found["test/f1"] == scores["test/f1"]


def test_a_plain_loader_trains_validates_and_predicts(tmp_path):
    model, loader = build(Classifier, digits()), DataLoader(Side(), 8)
    trainer = make_trainer(tmp_path)
    trainer.fit(model, loader, loader)
    assert "val/f1" in trainer.callback_metrics and len(trainer.predict(model, loader)) == 4
    [scores] = trainer.test(model, loader, verbose=False)
    assert scores["test/accuracy"] == trainer.validate(model, loader, verbose=False)[0]["val/accuracy"]


@pytest.mark.parametrize(
    ("kind", "views", "sentence"),
    [
        (ECL, 1, "ECL needs 2 views"),
        (Classifier, 2, "Classifier can use 1 of the 2"),
        (FrozenHead, 1, "random weights"),
    ],
)
def test_what_the_command_line_refuses_is_refused_in_python(kind, views, sentence, tmp_path):
    data = digits(views=views)
    with pytest.raises(UserError, match=sentence):
        make_trainer(tmp_path).fit(build(kind, data), data)


def test_data_holds_images_again_after_features_were_stored(trained, tmp_path):
    *_, file, _ = trained
    data = digits()
    head = build(FrozenHead, data, backbone_ckpt=str(file), cache_views=1, optimizer=sgd)
    make_trainer(tmp_path).fit(head, data)
    assert not data.stored
    make_trainer(tmp_path).fit(build(Classifier, data), data)


def test_a_found_rate_is_that_of_optimizer_and_schedule(tmp_path):
    data = digits()
    schedule = lambda optimizer, epochs: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)  # noqa: E731
    model = build(Classifier, data, optimizer=torch.optim.SGD, scheduler=schedule)
    assert model.lr == 1e-3
    model.lr = 0.25
    [optimizer], [config] = model.build_optimizers(4)
    assert optimizer.param_groups[0]["lr"] == model.lr == 0.25 and config["scheduler"].base_lrs == [0.25]
    trainer = make_trainer(tmp_path)
    trainer.fit(model, data)
    model.lr = 0.5  # as a finder does before the first step
    assert trainer.lr_scheduler_configs[0].scheduler.base_lrs == [0.5]
