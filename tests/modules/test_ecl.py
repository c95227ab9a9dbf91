"""ECL against a training loop written by hand."""

import copy

import pytest
import torch
from ecl_oracles import COUNTS, random_batches, sgd, small_ecl
from lightning.pytorch import Callback
from small_runs import digits, make_trainer

from lightning_imbal.data import Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.losses import BWCE
from lightning_imbal.modules import ECL


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
        limits = {"num_sanity_val_steps": 2, "limit_train_batches": 3}
        make_trainer(tmp_path, max_epochs=3, callbacks=[watch], **limits).fit(model, data)
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
        trainer = make_trainer(tmp_path, precision="bf16-mixed", limit_train_batches=4, limit_val_batches=0)
        trainer.fit(model, data)
        assert trainer.callback_metrics["train/loss"].isfinite()
        assert all(parameter.isfinite().all() for parameter in model.parameters())

    def test_is_what_the_paper_trains_by_default(self):
        torch.manual_seed(0)
        model = ECL(class_counts=COUNTS, class_names=["a", "b", "c"], backbone="test_resnet")
        assert isinstance(model.loss, BWCE) and model.loss.reduction == "batch_mean"
        assert (model.bhp_loss.temperature, model.ce_weight, model.bhp_weight) == (0.01, 2, 1)
        assert model.proxies.shape == (11, 128)
