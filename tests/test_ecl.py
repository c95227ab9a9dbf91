"""ECL and the cycle update of its proxies, against training loops written by hand."""

import copy

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from small_runs import digits, make_trainer
from torch.utils.data import DataLoader

from lightning_imbal.callbacks import ProxyCycleUpdate
from lightning_imbal.data import Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.losses import BWCE, BHPLoss, CrossEntropy
from lightning_imbal.modules import ECL

COUNTS = [400, 30, 8]
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}


def sgd(parameters):
    return torch.optim.SGD(parameters, **SGD)


def half_each_epoch(optimizer, max_epochs):
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


def small_ecl(**kwargs):
    """An ECL of three classes in double precision: 1, 3 and 7 proxies."""
    torch.manual_seed(0)
    settings = {"backbone": "test_resnet", "optimizer": sgd, "loss": CrossEntropy, "temperature": 0.1}
    return ECL(class_counts=COUNTS, class_names=["a", "b", "c"], **settings | kwargs).double().train()


def random_batches(number=3, size=6, views=2):
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(number, size, views, 3, 32, 32, generator=generator, dtype=torch.float64)
    label = torch.randint(3, (number, size), generator=generator)
    return [{"image": image[k], "label": label[k], "index": torch.arange(size)} for k in range(number)]


def loss_by_hand(model, batch):
    feature = [model.backbone(batch["image"][:, view]) for view in range(2)]
    embedding = torch.stack([F.normalize(model.projection(f), dim=1) for f in feature], dim=1)
    proxy = model.proxies / model.proxies.norm(dim=1, keepdim=True)
    bhp = BHPLoss(model.bhp_loss.temperature)(embedding, batch["label"], proxy, model.proxy_label)
    return 2 * F.cross_entropy(model.head(feature[0]), batch["label"]) + bhp


def train(model, batches, folder, **kwargs):
    trainer = make_trainer(folder, precision="64-true", **{"max_epochs": 2, "enable_checkpointing": False} | kwargs)
    trainer.fit(model, DataLoader(batches, batch_size=None))
    return trainer


class TestCycleUpdate:
    def test_is_one_step_an_epoch_on_the_sum_of_the_gradients(self, tmp_path):
        model, batches = small_ecl(scheduler=half_each_epoch), random_batches()
        by_hand = copy.deepcopy(model)
        train(model, batches, tmp_path)

        network = [parameter for name, parameter in by_hand.named_parameters() if name != "proxies"]
        optimizer, momentum = sgd(network), torch.zeros_like(by_hand.proxies)
        for epoch in range(2):
            lr = SGD["lr"] * 0.5**epoch
            optimizer.param_groups[0]["lr"] = lr
            total = torch.zeros_like(by_hand.proxies)
            for batch in batches:
                loss = loss_by_hand(by_hand, batch)
                *gradient, of_proxies = torch.autograd.grad(loss, [*network, by_hand.proxies])
                total += of_proxies
                for parameter, value in zip(network, gradient, strict=True):
                    parameter.grad = value
                optimizer.step()
            with torch.no_grad():
                momentum = SGD["momentum"] * momentum + total + SGD["weight_decay"] * by_hand.proxies
                by_hand.proxies -= lr * momentum
        for (name, value), other in zip(model.named_parameters(), by_hand.parameters(), strict=True):
            torch.testing.assert_close(value, other, rtol=0, atol=1e-12, msg=name)

    def test_without_it_the_proxies_take_a_step_with_each_batch(self, tmp_path):
        model, batches = small_ecl(cycle_update=False), random_batches()
        by_hand = copy.deepcopy(model)
        trainer = train(model, batches, tmp_path)
        assert not any(isinstance(callback, ProxyCycleUpdate) for callback in trainer.callbacks)
        optimizer = sgd(by_hand.parameters())
        for batch in batches * 2:
            optimizer.zero_grad()
            loss_by_hand(by_hand, batch).backward()
            optimizer.step()
        torch.testing.assert_close(model.proxies, by_hand.proxies, rtol=0, atol=1e-12)

    @pytest.mark.parametrize(
        ("kwargs", "atol"),
        [({"accumulate_grad_batches": 3}, 1e-12), ({"gradient_clip_val": 1e-12}, 1e-9)],
        ids=["accumulated", "clipped"],
    )
    def test_is_not_divided_by_accumulated_batches_and_not_clipped(self, kwargs, atol, tmp_path):
        """In both cases the network stays where it is until the epoch's end, so that all gradients are those of it."""

        def undecayed(parameters):
            return torch.optim.SGD(parameters, lr=0.05)

        model, batches = small_ecl(optimizer=undecayed), random_batches()
        start = copy.deepcopy(model)
        train(model, batches, tmp_path, max_epochs=1, **kwargs)
        total = sum(torch.autograd.grad(loss_by_hand(start, batch), start.proxies)[0] for batch in batches)
        assert total.norm() > 0.1
        torch.testing.assert_close(model.proxies, start.proxies - 0.05 * total, rtol=0, atol=atol)

    def test_half_precision_with_a_scaled_loss_is_refused(self, tmp_path):
        data = digits()
        trainer = make_trainer(tmp_path)
        trainer.strategy.precision_plugin.precision = "16-mixed"
        model = ECL(class_counts=data.class_counts, class_names=list("0123456789"), backbone="test_resnet")
        with pytest.raises(UserError, match="16-mixed.*bf16-mixed"):
            trainer.fit(model, data)
        assert not list(tmp_path.rglob("*.ckpt"))

    def test_checkpoint_within_an_epoch_holds_the_sum_so_far_and_goes_on_with_it(self, tmp_path):
        model, batches = small_ecl(), random_batches()
        middle = ModelCheckpoint(tmp_path, "middle", every_n_train_steps=5, save_top_k=-1)
        train(model, batches, tmp_path, enable_checkpointing=True, callbacks=[middle])
        state = torch.load(tmp_path / "middle.ckpt", weights_only=True)["callbacks"]["ProxyCycleUpdate"]
        assert state["gradient"].norm() > 0.1 and state["optimizer"]["state"][0]["momentum_buffer"].norm() > 0.1

        class Seen(Callback):
            def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
                self.gradient = pl_module.proxies.grad.clone()
                callback = next(c for c in trainer.callbacks if isinstance(c, ProxyCycleUpdate))
                self.momentum = callback.state_dict()["optimizer"]["state"][0]["momentum_buffer"].clone()

        resumed, seen = small_ecl(), Seen()
        trainer = make_trainer(tmp_path, max_epochs=2, precision="64-true", callbacks=[seen])
        trainer.fit(resumed, DataLoader(batches, batch_size=None), ckpt_path=tmp_path / "middle.ckpt")
        assert torch.equal(seen.gradient, state["gradient"])
        assert torch.equal(seen.momentum, state["optimizer"]["state"][0]["momentum_buffer"])


class TestECL:
    def test_rare_classes_have_more_proxies(self):
        assert small_ecl().proxy_label.tolist() == [0] + [1] * 3 + [2] * 7
        assert small_ecl(proxies=4).proxy_label.tolist() == [0] * 4 + [1] * 4 + [2] * 4

    @pytest.mark.parametrize("proxies", [0, -1])
    def test_no_proxies_are_refused(self, proxies):
        with pytest.raises(ValueError, match=f"proxies .* {proxies}"):
            small_ecl(proxies=proxies)

    def test_each_view_passes_the_network_by_itself(self):
        model = small_ecl()
        [batch] = random_batches(1)
        feature, embedding = model.encode(batch["image"])
        alone = copy.deepcopy(model).backbone(batch["image"][:, 1])
        torch.testing.assert_close(feature[:, 1], alone)
        together = copy.deepcopy(model).backbone(batch["image"].flatten(0, 1)).unflatten(0, (6, 2))
        assert (feature - together).abs().max() > 1e-3
        torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(6, 2, dtype=torch.float64))

    def test_one_image_on_a_device_is_refused_if_it_would_be_normalised(self):
        [batch] = random_batches(1, size=1)
        with pytest.raises(UserError, match="at least 2 images .*batch_size"):
            small_ecl().encode(batch["image"])
        assert small_ecl(batch_norm=False, backbone="test_convnext").encode(batch["image"])[1].isfinite().all()

    def test_classes_are_weighed_by_their_f1_of_the_epoch_before(self, tmp_path):
        class Watch(Callback):
            def __init__(self):
                self.told, self.scores, self.weights = [], [], []

            def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
                if batch_idx == 0:
                    self.told.append(pl_module.loss.f1.clone())
                    self.weights.append(pl_module.loss.class_weight.clone())

            def on_validation_end(self, trainer, pl_module):
                names = pl_module.class_names
                self.scores.append(torch.stack([trainer.callback_metrics[f"val/f1/{name}"] for name in names]))

        data, watch = digits(views=2), Watch()
        torch.manual_seed(0)
        model = ECL(class_counts=data.class_counts, class_names=list("0123456789"), backbone="test_resnet")
        make_trainer(tmp_path, max_epochs=3, callbacks=[watch], num_sanity_val_steps=2).fit(model, data)
        assert watch.told[0].tolist() == [1] * 10, "what an untrained network scores is not taken"
        sanity, *scores = watch.scores
        for told, seen in zip(watch.told[1:], scores[:2], strict=True):
            torch.testing.assert_close(told, seen.double().clamp(min=0.01), rtol=1e-6, atol=0)
        expected = (10 / watch.told[2] / (1 / watch.told[2]).sum()) ** ((3 - 1.5) / (3 - 1.5))
        torch.testing.assert_close(watch.weights[2], expected, rtol=1e-9, atol=0)
        assert (expected - 1).abs().max() > 0.01

    def test_lowest_temperature_in_half_precision_stays_finite(self, tmp_path):
        data = digits(views=2, split=Holdout(test=0.3, val=0.1))
        torch.manual_seed(0)
        model = ECL(
            class_counts=data.class_counts, class_names=list("0123456789"), backbone="test_resnet", optimizer=sgd
        )
        trainer = make_trainer(tmp_path, precision="bf16-mixed", limit_train_batches=4)
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite()
        assert all(parameter.isfinite().all() for parameter in model.parameters())

    def test_is_what_the_paper_trains_by_default(self):
        torch.manual_seed(0)
        model = ECL(class_counts=COUNTS, class_names=["a", "b", "c"], backbone="test_resnet")
        assert isinstance(model.loss, BWCE) and model.loss.reduction == "batch_mean"
        assert (model.bhp_loss.temperature, model.ce_weight, model.bhp_weight) == (0.01, 2, 1)
        assert model.proxies.shape == (11, 128)
