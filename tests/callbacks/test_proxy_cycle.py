"""ECL and the cycle update of its proxies, against training loops written by hand."""

import copy

import pytest
import torch
import torch.nn.functional as F
from ecl_oracles import SGD, random_batches, sgd, small_ecl
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from small_runs import digits, make_trainer
from torch.utils.data import DataLoader

from lightning_imbal.callbacks import ProxyCycleUpdate
from lightning_imbal.errors import UserError
from lightning_imbal.losses import BHPLoss
from lightning_imbal.modules import ECL


def half_each_epoch(optimizer, max_epochs):
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


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
