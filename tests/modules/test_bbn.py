"""BBN and the two last blocks of its backbone, against two networks of timm that have one each."""

import copy
import math

import pytest
import small_runs
import timm
import torch
from bbn_oracles import AS_BBN, random_images, shake
from lightning.pytorch import Callback
from small_runs import digits, make_trainer, refused

from lightning_imbal.modules.bbn import BBN
from lightning_imbal.predictors import FlipTTA, PerturbedInput
from lightning_imbal.samplers import Reversed


def build(data, **kwargs):
    return small_runs.build(BBN, data, **{"optimizer": lambda p: torch.optim.SGD(p, lr=0.1)} | kwargs)


def single(backbone, branch):
    """The plain network in which one of the two blocks of a twin test_resnet stands."""
    plain = timm.create_model("test_resnet", num_classes=0)
    mine, other = (f"layer4.0.blocks.{b}." for b in (branch, 1 - branch))
    state = {
        name.replace(mine, "layer4.0."): value for name, value in backbone.state_dict().items() if other not in name
    }
    plain.load_state_dict(state)
    return plain.train(backbone.training)


def twin_of(model):
    return model.backbone.layer4[0]


class Recorder(Callback):
    """Keeps each step's epoch, network before it, batches and loss."""

    def __init__(self):
        self.before, self.steps = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        parts = {"backbone": pl_module.backbone, "head": pl_module.head, "batch": batch}
        self.before.append(copy.deepcopy(parts))

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.steps.append(self.before[-1] | {"epoch": trainer.current_epoch, "loss": outputs["loss"].item()})


def fit(folder, max_epochs, batches=2, **kwargs):
    data, recorder = digits(paired_sampler=Reversed), Recorder()
    model = build(data, **kwargs)
    limits = {"limit_train_batches": batches, "limit_val_batches": 0}
    make_trainer(folder, max_epochs, callbacks=[recorder], **limits).fit(model, data)
    return model, recorder.steps


def cross_entropy(logits, label):
    """Mean cross-entropy, image by image."""
    terms = []
    for row, y in zip(logits.tolist(), label.tolist(), strict=True):
        terms.append(math.log(sum(math.exp(score) for score in row)) - row[y])
    return sum(terms) / len(terms)


class TestTraining:
    def test_against_the_equations_in_every_epoch(self, tmp_path):
        model, steps = fit(tmp_path, max_epochs=3, batches=1)
        size = model.feature_size
        assert [step["epoch"] for step in steps] == [0, 1, 2]
        for step in steps:
            alpha = [1, 8 / 9, 5 / 9][step["epoch"]]
            batch, other, head = step["batch"], step["batch"]["other"], step["head"]
            with torch.no_grad():
                usual = single(step["backbone"], 0)(batch["image"])
                rare = single(step["backbone"], 1)(other["image"])
                logits = 2 * alpha * usual @ head.weight[:, :size].T + head.bias
                logits += 2 * (1 - alpha) * rare @ head.weight[:, size:].T
            expected = alpha * cross_entropy(logits, batch["label"])
            expected += (1 - alpha) * cross_entropy(logits, other["label"])
            assert step["loss"] == pytest.approx(expected, rel=1e-4)

    def test_second_batch_holds_rare_classes(self, tmp_path):
        _, steps = fit(tmp_path, max_epochs=1, batches=5)
        usual, rare = (
            torch.cat([side["label"] for side in sides]).double().mean()
            for sides in ([step["batch"] for step in steps], [step["batch"]["other"] for step in steps])
        )
        assert rare > usual + 2

    def test_first_epoch_trains_nothing_of_the_second_branch(self, tmp_path):
        model, steps = fit(tmp_path, max_epochs=1)
        size, before = model.feature_size, steps[0]
        now, then = dict(model.backbone.named_parameters()), dict(before["backbone"].named_parameters())
        second = {name for name in now if ".blocks.1." in name}
        assert second and all(torch.equal(now[name], then[name]) for name in second)
        assert not any(torch.equal(now[name], then[name]) for name in now.keys() - second if "weight" in name)
        assert torch.equal(model.head.weight[:, size:], before["head"].weight[:, size:])
        assert not torch.equal(model.head.weight[:, :size], before["head"].weight[:, :size])
        # Its BatchNorm sees images all the same.
        assert twin_of(model).blocks[1].bn1.num_batches_tracked == 2

    def test_branches_have_different_weights_in_the_end(self, tmp_path):
        model, steps = fit(tmp_path, max_epochs=2)
        start = steps[0]["backbone"].layer4[0].blocks
        for first, second, at_start in zip(*(b.parameters() for b in (*twin_of(model).blocks, start[1])), strict=True):
            assert not torch.equal(first, second) and not torch.equal(second, at_start)

    def test_a_run_that_fails_within_a_branch_leaves_both_in_use(self, tmp_path):
        data = digits(paired_sampler=Reversed)
        model = build(data)

        def fail(*args):
            raise RuntimeError("out of memory")

        hook = twin_of(model).blocks[1].register_forward_hook(fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            make_trainer(tmp_path, num_sanity_val_steps=0).fit(model, data)
        hook.remove()
        assert twin_of(model).branch is None
        assert model.eval()(random_images(4, 3, 32, 32)).shape == (4, 10)

    def test_command_line_asks_for_the_second_sampler(self, capsys, tmp_path):
        sentence = refused(
            capsys, "fit", *AS_BBN, "--model.backbone", "test_resnet", "--run_dir", str(tmp_path / "run")
        )
        assert " BBN " in sentence and "--data.paired_sampler" in sentence


class TestWeights:
    def test_both_blocks_start_with_the_pretrained_weights(self, tmp_path):
        torch.manual_seed(5)
        pretrained = timm.create_model("test_resnet")
        torch.save(pretrained.state_dict(), tmp_path / "weights.pth")
        model = build(digits(), pretrained=str(tmp_path / "weights.pth"))
        for block in twin_of(model).blocks:
            for one, other in zip(block.parameters(), pretrained.layer4[0].parameters(), strict=True):
                assert torch.equal(one, other)

    def test_checkpoint_holds_each_weight_once(self):
        names = build(digits()).state_dict()
        assert {name.split(".")[0] for name in names} == {"backbone", "head", "loss", "class_counts"}


class TestInference:
    @pytest.fixture
    def model(self):
        model = build(digits()).eval()
        shake(twin_of(model).blocks[1])
        return model

    @staticmethod
    def logits(model, image):
        """With a = 0.5 in the equation of training, from two plain networks."""
        usual, rare = (single(model.backbone, branch)(image) for branch in (0, 1))
        return model.head(2 * torch.cat([0.5 * usual, 0.5 * rare], dim=1))

    def test_classifier_gets_both_features_of_the_image(self, model):
        image = random_images(5, 3, 32, 32)
        with torch.no_grad():
            features = [model.branch_feature(image, branch) for branch in (0, 1)]
            torch.testing.assert_close(model(image), model.head(torch.cat(features, dim=1)))
            torch.testing.assert_close(model(image), self.logits(model, image))
        assert not torch.allclose(*features, atol=1e-3)

    def test_shared_layers_see_an_image_once(self, model):
        seen = []
        model.backbone.layer3.register_forward_hook(lambda module, args, out: seen.append(len(out)))
        model(random_images(5, 3, 32, 32))
        assert seen == [5]

    def test_with_the_mirror_image(self, model, tmp_path):
        image = random_images(3, 3, 32, 32)
        with torch.no_grad():
            sides = [self.logits(model, view).softmax(dim=1) for view in (image, image.flip(-1))]
            found = FlipTTA(model.class_counts)(model, image).softmax(dim=1)
        torch.testing.assert_close(found, (sides[0] + sides[1]) / 2)
        model.predictor = FlipTTA(model.class_counts)
        assert 0 <= make_trainer(tmp_path, limit_test_batches=2).test(model, digits(), verbose=False)[0]["test/f1"] <= 1

    def test_with_perturbed_input(self, model, tmp_path):
        image = random_images(3, 3, 32, 32).requires_grad_()
        predictor = PerturbedInput(model.class_counts, epsilon=0.01)
        log_prob = (self.logits(model, image) / 1000).log_softmax(dim=1)
        (gradient,) = torch.autograd.grad(-1000 * (predictor.target.float() * log_prob).sum(), image)
        with torch.no_grad():
            expected = self.logits(model, image - 0.01 * gradient.sign())
        torch.testing.assert_close(predictor(model, image.detach()), expected, rtol=1e-3, atol=1e-4)
        model.predictor = predictor
        assert 0 <= make_trainer(tmp_path, limit_test_batches=2).test(model, digits(), verbose=False)[0]["test/f1"] <= 1
