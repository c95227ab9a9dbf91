"""The heads of ordered classes: log-probabilities of the grades, against the answers that they are made of."""

import pytest
import torch
from coral_pytorch.layers import CoralLayer
from head_oracles import DIM, random_feature

from lightning_imbal.heads import CoralHead, CornHead

every_head = pytest.mark.parametrize("factory", [CoralHead, CornHead])


def random_head(factory, num_classes=5):
    torch.manual_seed(0)
    head = factory(DIM, num_classes)
    with torch.no_grad():
        for value in head.parameters():
            value.normal_()
    return head.double()


@every_head
@pytest.mark.parametrize("num_classes", [2, 3, 6])
def test_probabilities_sum_to_one(factory, num_classes):
    logits = random_head(factory, num_classes)(random_feature().double())
    assert logits.shape == (8, num_classes)
    torch.testing.assert_close(logits.exp().sum(dim=1), torch.ones(8).double())
    torch.testing.assert_close(logits.softmax(dim=1), logits.exp())


def test_corn_is_the_product_of_its_answers():
    head, feature = random_head(CornHead, 4), random_feature().double()
    for answers, found in zip(head.linear(feature).sigmoid().tolist(), head(feature).exp().tolist(), strict=True):
        f0, f1, f2 = answers
        assert found == pytest.approx([1 - f0, f0 * (1 - f1), f0 * f1 * (1 - f2), f0 * f1 * f2])


def test_coral_is_the_differences_of_its_answers():
    head, feature = random_head(CoralHead, 4), random_feature().double()
    step = [torch.nn.functional.softplus(raw).item() for raw in head.raw_step]
    for score, found in zip(head.score(feature).flatten().tolist(), head(feature).exp().tolist(), strict=True):
        higher = [torch.tensor(score - sum(step[:k])).sigmoid().item() for k in range(3)]
        expected = [1 - higher[0], higher[0] - higher[1], higher[1] - higher[2], higher[2]]
        assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("num_classes", [2, 3, 5])
def test_every_grade_of_coral_can_be_answered_from_the_start(num_classes):
    head = CoralHead(1, num_classes)
    with torch.no_grad():
        head.score.weight.fill_(1.0)
    answers = head(torch.linspace(-9, 9, 101)[:, None]).argmax(dim=1)
    assert answers.unique().tolist() == list(range(num_classes)) and (answers.diff() >= 0).all()
    torch.testing.assert_close(head(torch.ones(1, 1)), head(-torch.ones(1, 1)).flip(1))


def test_coral_is_the_authors_layer_of_the_same_biases():
    head, layer, feature = CoralHead(DIM, 5), CoralLayer(DIM, 5), random_feature()
    with torch.no_grad():
        layer.coral_weights.weight.copy_(head.score.weight)
        layer.coral_bias.copy_(torch.tensor([3.0, 1.0, -1.0, -3.0]))
    higher = head(feature).exp().flip(1).cumsum(1).flip(1)[:, 1:]
    torch.testing.assert_close(higher, layer(feature).sigmoid(), atol=1e-5, rtol=0)


@every_head
def test_sure_answers_have_finite_gradients(factory):
    head, feature = random_head(factory).float(), (1e4 * random_feature()).requires_grad_()
    logits = head(feature)
    logits.sum().backward()
    assert logits.isfinite().all() and logits.min() < -1e3
    assert all(value.grad.isfinite().all() for value in (feature, *head.parameters()))


def test_thresholds_of_coral_may_meet():
    head = random_head(CoralHead).float()
    with torch.no_grad():
        head.raw_step.fill_(-200.0)
    logits = head(random_feature())
    logits.sum().backward()
    assert logits.isfinite().all() and head.raw_step.grad.isfinite().all()


@every_head
def test_half_precision_gives_single(factory):
    head, feature = random_head(factory).float(), random_feature()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head(feature)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits.exp().sum(dim=1), torch.ones(8))


@pytest.mark.slow  # of packages that take seconds to load; `export` compares what it writes in any case
@every_head
def test_improbable_grades_are_the_same_in_onnx(factory, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    head, feature = random_head(factory).float().eval(), 60 * random_feature()
    torch.onnx.export(head, (feature,), str(tmp_path / "head.onnx"), dynamo=True, input_names=["feature"])
    [found] = onnxruntime.InferenceSession(tmp_path / "head.onnx").run(None, {"feature": feature.numpy()})
    assert found.min() < -50
    torch.testing.assert_close(torch.from_numpy(found), head(feature).detach(), atol=1e-4, rtol=0)
