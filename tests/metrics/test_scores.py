"""Scores of an evaluation, against scikit-learn and by hand, on one and on two processes."""

import math
import os
import warnings

import pytest
import torch
from forked import run_ranks
from scipy.stats import kendalltau
from sklearn import metrics as sk

from lightning_imbal.errors import UserError
from lightning_imbal.metrics import ImbalReport, classification_scores, groups_by_count

COUNTS = [600, 200, 100, 50, 30, 15, 5]
NAMES = ["nv", "mel", "bkl", "bcc", "akiec", "vasc", "df"]


def long_tailed(num_images, counts=COUNTS, seed=0):
    generator = torch.Generator().manual_seed(seed)
    label = torch.multinomial(torch.tensor(counts).float(), num_images, replacement=True, generator=generator)
    label[: len(counts)] = torch.arange(len(counts))
    noise = torch.randn(num_images, len(counts), generator=generator)
    return torch.softmax(noise + 1.5 * torch.nn.functional.one_hot(label, len(counts)), dim=1), label


def probability_of(predicted, num_classes, confidence=0.7):
    one_hot = torch.nn.functional.one_hot(torch.as_tensor(predicted), num_classes).double()
    return one_hot * confidence + (1 - one_hot) * (1 - confidence) / (num_classes - 1)


def score(probability, label, counts=COUNTS, names=NAMES, groups=None):
    return classification_scores(probability, label, counts, names, groups or groups_by_count(counts, names))


def close(value):
    return pytest.approx(value, abs=1e-6, rel=0)


def ece_by_loops(probability, label, num_bins=15):
    bins = [[] for _ in range(num_bins)]
    for row, true in zip(probability.tolist(), label.tolist(), strict=True):
        confidence = max(row)
        low = max(b for b in range(num_bins) if confidence >= b / num_bins)
        bins[low].append((confidence, float(row.index(confidence) == true)))
    total = 0.0
    for members in filter(None, bins):
        mean_confidence = sum(confidence for confidence, _ in members) / len(members)
        mean_accuracy = sum(correct for _, correct in members) / len(members)
        total += len(members) / len(label) * abs(mean_confidence - mean_accuracy)
    return total


def assert_equals_sklearn(scores, probability, label, names):
    predicted, classes = probability.argmax(dim=1), list(range(len(names)))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(label, predicted, labels=classes, zero_division=0)
    assert scores["accuracy"] == close(sk.accuracy_score(label, predicted))
    assert scores["balanced_accuracy"] == close(sk.balanced_accuracy_score(label, predicted))
    for key, values in {"precision": precision, "recall": recall, "f1": f1}.items():
        assert scores[key] == close(values.mean())
        assert [scores[f"{key}/{name}"] for name in names] == close(values.tolist())
    assert scores["mcc"] == close(sk.matthews_corrcoef(label, predicted))
    assert scores["kappa"] == close(sk.cohen_kappa_score(label, predicted, labels=classes, weights="quadratic"))
    off = (label - predicted).abs().numpy()
    assert scores["mean_grade_error"] == close(sk.mean_absolute_error(label, predicted))
    balanced = 1 / torch.bincount(label)[label].double().numpy()
    assert scores["macro_grade_error"] == close(sk.mean_absolute_error(label, predicted, sample_weight=balanced))
    assert scores["adjacent_accuracy"] == close((off <= 1).mean())
    assert scores["kendall_tau"] == close(kendalltau(label.numpy(), predicted.numpy()).statistic)
    one_vs_rest = [sk.roc_auc_score(label == c, probability[:, c]) for c in classes if (label == c).any()]
    assert scores["auc"] == close(sum(one_vs_rest) / len(one_vs_rest))
    assert scores["ece"] == close(ece_by_loops(probability, label))


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_sklearn(seed):
    probability, label = long_tailed(500, seed=seed)
    scores = score(probability.double(), label)
    assert_equals_sklearn(scores, probability.double(), label, NAMES)
    normed = probability.double() / probability.double().sum(dim=1, keepdim=True)
    assert scores["auc"] == close(sk.roc_auc_score(label, normed, multi_class="ovr", average="macro"))
    assert all(type(value) is float for value in scores.values())


def test_two_classes_equal_sklearn():
    probability, label = long_tailed(200, counts=[9, 1])
    scores = score(probability, label, [9, 1], ["benign", "malignant"])
    assert_equals_sklearn(scores, probability, label, ["benign", "malignant"])
    assert scores["scr"] == scores["recall/malignant"] == scores["group_recall/minor"]
    assert scores["group_f1/major"] == scores["f1/benign"]
    assert "group_f1/middle" not in scores


def test_absent_class_counts_in_macro_f1_but_not_in_balanced_accuracy():
    probability, label = long_tailed(300)
    seen = label != 6
    probability, label = probability[seen], label[seen]
    groups = {"rare": ["vasc", "df"], "rarest": ["df"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(probability, label, groups=groups)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert_equals_sklearn(scores, probability, label, NAMES)
    assert scores["scr"] == scores["recall/df"] == scores["f1/df"] == scores["precision/df"] == 0.0
    assert scores["balanced_accuracy"] == close(scores["recall"] * 7 / 6)
    assert scores["group_recall/rare"] == scores["recall/vasc"] > 0
    assert scores["group_f1/rare"] == close(scores["f1/vasc"] / 2)
    assert scores["group_recall/rarest"] == 0.0


def test_scr_and_groups_by_hand():
    # recall: a 2/3, b 1/2, c 1, d 0; F1: a 2*2/(3+2), b 2*1/(2+2), c 2*1/(1+2), d 0
    label = torch.tensor([0, 0, 0, 1, 1, 2, 3])
    probability = probability_of([0, 0, 1, 1, 2, 2, 2], 4)
    probability[5:] = probability_of([2, 2], 4)
    scores = score(probability, label, [50, 8, 20, 8], ["a", "b", "c", "d"], {"tail": ["b", "d"], "head": ["c", "a"]})
    assert scores["scr"] == close(1 / 2)
    assert scores["balanced_accuracy"] == close((2 / 3 + 1 / 2 + 1 + 0) / 4)
    assert scores["group_recall/tail"] == close(1 / 4)
    assert scores["group_f1/tail"] == close((1 / 2 + 0) / 2)
    assert scores["group_recall/head"] == close((2 / 3 + 1) / 2)
    assert scores["group_f1/head"] == close((4 / 5 + 1 / 2) / 2)


def test_grade_errors_by_hand():
    # Off by 0, 0, 1, 2 of the first grade, by 3 of the second last, by 0 of the last; the third has no image.
    label, predicted = torch.tensor([0, 0, 0, 0, 3, 4]), [0, 0, 1, 2, 0, 4]
    scores = score(probability_of(predicted, 5), label, COUNTS[:5], NAMES[:5])
    assert scores["mean_grade_error"] == close((1 + 2 + 3) / 6)
    assert scores["macro_grade_error"] == close((3 / 4 + 3 + 0) / 3)
    assert scores["adjacent_accuracy"] == close(4 / 6)


def test_mcc_of_almost_constant_predictions_is_exact():
    _, label = long_tailed(33000)
    predicted = torch.zeros_like(label)
    predicted[(label == 6).nonzero()[:2, 0]] = 6
    expected = sk.matthews_corrcoef(label, predicted)
    assert score(probability_of(predicted, 7), label)["mcc"] == pytest.approx(expected, abs=1e-12)


def test_ece_puts_full_confidence_into_the_last_of_fifteen_bins():
    probability = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.95, 0.05], [0.95, 0.05]])
    label = torch.tensor([1, 1, 0, 0])
    assert score(probability, label, [3, 1], ["a", "b"])["ece"] == close(0.975 - 0.5)


def test_ece_keeps_what_is_too_sure_apart_from_what_is_too_unsure():
    # Bins of the confidences: 8, 9, 13, 14, 14.
    probability = torch.tensor([[0.55, 0.45], [0.65, 0.35], [0.9, 0.1], [0.98, 0.02], [0.94, 0.06]])
    label = torch.tensor([0, 1, 0, 1, 1])
    expected = ((1 - 0.55) + 0.65 + (1 - 0.9) + 0.98 + 0.94) / 5
    assert score(probability, label, [3, 1], ["a", "b"])["ece"] == close(expected)


def test_probability_rounded_above_one_is_not_taken_for_logits():
    label = torch.tensor([0, 0, 1])
    above = torch.tensor([[1.0000001, 0.0], [0.9, 0.1], [0.6, 0.4]])
    assert score(above, label, [3, 1], ["a", "b"]) == score(above.clamp(max=1), label, [3, 1], ["a", "b"])


@pytest.mark.parametrize("num_classes", [2, 3])
def test_constant_prediction(num_classes):
    names, counts = NAMES[:num_classes], COUNTS[:num_classes]
    label = torch.tensor([0, 0, 0, 1, num_classes - 1])
    scores = score(probability_of([0] * 5, num_classes), label, counts, names)
    assert scores["mcc"] == scores["kappa"] == scores["kendall_tau"] == 0.0
    assert scores["auc"] == 0.5
    assert scores["balanced_accuracy"] == close(1 / num_classes)
    assert all(math.isfinite(value) for value in scores.values())


@pytest.mark.parametrize("num_classes", [2, 7])
@pytest.mark.parametrize("predicted", [0, 1])
def test_single_image(num_classes, predicted):
    report = ImbalReport(COUNTS[:num_classes], NAMES[:num_classes])
    report.update(probability_of([predicted], num_classes), torch.tensor([0]), torch.tensor([41]))
    scores = report.compute()
    assert all(math.isfinite(value) for value in scores.values())
    assert scores["accuracy"] == scores["balanced_accuracy"] == float(predicted == 0)
    assert scores["mcc"] == scores["kappa"] == scores["kendall_tau"] == 0.0
    assert scores["auc"] == 0.5
    assert scores["ece"] == close(0.3 if predicted == 0 else 0.7)
    shapes = {name: tuple(value.shape) for name, value in report.predictions().items()}
    assert shapes == {"index": (1,), "label": (1,), "probability": (1, num_classes)}


def test_duplicates_and_order_do_not_matter():
    probability, label = long_tailed(60)
    index = torch.randperm(60, generator=torch.Generator().manual_seed(1)) * 3
    once, twice = ImbalReport(COUNTS, NAMES), ImbalReport(COUNTS, NAMES)
    once.update(probability, label, index)
    order = torch.cat([torch.arange(59, 19, -1), torch.arange(0, 45)])
    for rows in order.split(16):
        twice.update(probability[rows], label[rows], index[rows])
    assert once.compute() == twice.compute()
    expected, got = once.predictions(), twice.predictions()
    assert torch.equal(got["index"], torch.arange(60) * 3)
    assert torch.equal(got["probability"], probability[index.argsort()])
    assert torch.equal(got["label"], label[index.argsort()])
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_groups_of_a_report_are_those_that_it_is_given():
    probability, label = long_tailed(60)
    groups = {"cancer": ["mel", "bcc"], "other": ["nv", "df"]}
    report = ImbalReport(COUNTS, NAMES, groups)
    report.update(probability, label, torch.arange(60))
    scores = report.compute()
    assert scores == score(probability, label, groups=groups)
    assert scores["group_f1/cancer"] == close((scores["f1/mel"] + scores["f1/bcc"]) / 2)


def test_first_of_repeated_predictions_is_kept():
    report = ImbalReport([2, 1], ["a", "b"])
    report.update(probability_of([0, 1], 2), torch.tensor([0, 0]), torch.tensor([7, 7]))
    assert report.compute()["accuracy"] == 1.0


def test_reset_forgets_and_no_data_is_refused():
    report = ImbalReport(COUNTS, NAMES)
    probability, label = long_tailed(20)
    with pytest.raises(ValueError, match="no predictions"), pytest.warns(UserWarning):
        report.compute()
    report.update(probability, label, torch.arange(20))
    report.compute()
    report.reset()
    with pytest.raises(ValueError, match="no predictions"):
        report.predictions()
    report.update(probability[:7], label[:7], torch.arange(7))
    assert report.compute() == score(probability[:7], label[:7])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"'melanoma'.*'nv', 'mel'"):
        ImbalReport(COUNTS, NAMES, {"minor": ["df", "melanoma"]})
    with pytest.raises(ValueError, match="'minor' has no class"):
        ImbalReport(COUNTS, NAMES, {"minor": []})
    with pytest.raises(ValueError, match="one count and one unique name"):
        ImbalReport(COUNTS, NAMES[:-1])
    with pytest.raises(ValueError, match="one count and one unique name"):
        ImbalReport(COUNTS, [*NAMES[:-1], "nv"])
    with pytest.raises(ValueError, match="at least two classes"):
        ImbalReport([3], ["nv"])
    probability, label = long_tailed(20)
    for outputs in (probability * 20, probability * 1.5, probability - 0.1):
        with pytest.raises(ValueError, match="softmax"):
            score(outputs, label)
    for of_no_class in (-1, 7):
        with pytest.raises(ValueError, match="between 0 and 6, but"):
            score(probability, label.index_fill(0, torch.tensor(11), of_no_class))
    for number in (math.nan, math.inf, -math.inf):
        with pytest.raises(UserError, match="diverged"):
            score(probability.index_put((torch.tensor(11), torch.tensor(3)), torch.tensor(number)), label)
    with pytest.raises(ValueError, match="one index for each label"):
        ImbalReport(COUNTS, NAMES).update(probability, label, torch.arange(19))
    with pytest.raises(ValueError, match=r"\(N, 7\)"):
        ImbalReport(COUNTS, NAMES).update(probability[:, :6], label, torch.arange(20))
    for outputs, labels in ((probability[:, :6], label), (probability[:0], label[:0]), (probability, label[:, None])):
        with pytest.raises(ValueError, match=r"probabilities \(N, 7\) and labels \(N,\) of at least one image"):
            score(outputs, labels)


@pytest.mark.parametrize(
    ("num_classes", "sizes"), [(1, [1]), (2, [1, 1]), (3, [1, 1, 1]), (5, [2, 1, 2]), (7, [2, 3, 2]), (9, [3, 3, 3])]
)
def test_default_groups_sizes(num_classes, sizes):
    counts = [10 * c + 1 for c in range(num_classes)]
    groups = groups_by_count(counts, [str(c) for c in range(num_classes)])
    assert list(groups) == {1: ["major"], 2: ["major", "minor"], 3: ["major", "middle", "minor"]}[len(sizes)]
    assert [len(members) for members in groups.values()] == sizes
    assert [name for members in groups.values() for name in members] == [str(c) for c in reversed(range(num_classes))]


def test_default_groups_break_ties_by_label_order():
    groups = groups_by_count([5, 9, 5, 9, 5], ["a", "b", "c", "d", "e"])
    assert groups == {"major": ["b", "d"], "middle": ["a"], "minor": ["c", "e"]}


def evaluate_rank(folder, num_images):
    rank = int(os.environ["LOCAL_RANK"])
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    probability, label = long_tailed(num_images)
    # DistributedSampler without shuffling deals the images in turn; here the last one is repeated to make them even.
    rows = torch.cat([torch.arange(num_images), torch.tensor([num_images - 1])])[rank::2]
    report = ImbalReport(COUNTS, NAMES)
    for batch in rows.split(8 + rank):
        report.update(probability[batch], label[batch], batch)
    predictions, scores = report.predictions(), report.compute()
    kept = sum(len(batch) for batch in report.label)
    torch.save({"predictions": predictions, "scores": scores, "kept": kept}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    num_images = 101
    run_ranks(evaluate_rank, tmp_path, num_images)
    probability, label = long_tailed(num_images)
    report = ImbalReport(COUNTS, NAMES)
    report.update(probability, label, torch.arange(num_images))
    for rank in range(2):
        result = torch.load(tmp_path / f"{rank}.pt")
        assert result["scores"] == report.compute()
        assert result["kept"] == (num_images + 1) // 2
        for name, value in report.predictions().items():
            assert torch.equal(result["predictions"][name], value)
