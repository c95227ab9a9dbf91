"""Prevalences are read or refused, and applied to probabilities, images and scores."""

import numpy as np
import pytest
from made_posteriors import labelled
from sklearn.metrics import precision_recall_fscore_support

from lightning_imbal.decisions.base import adjusted
from lightning_imbal.decisions.prevalence import (
    class_shares,
    ratio_to,
    read_prevalence,
    reweighted,
    scores_at_prevalence,
)
from lightning_imbal.errors import UserError

NAMES = ("nv", "mel", "bkl")


@pytest.mark.parametrize(
    "text",
    [
        "class,prevalence\nmel,0.3\nnv,0.5\nbkl,0.2\n",
        "nv,0.5\nmel,0.3\nbkl,0.2",
        "\ufeffPrevalence , Class\r\n0.3,mel\r\n\r\n0.2, bkl\r\n0.5,nv\r\n",
        "class,images,prevalence\nnv,5,0.5\nmel,3,.3\nbkl,2,2e-1\n",
    ],
)
def test_reads_files_with_and_without_header(tmp_path, text):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    np.testing.assert_allclose(read_prevalence(tmp_path / "p.csv", NAMES), [0.5, 0.3, 0.2])


def test_what_nearly_sums_to_one_is_scaled(tmp_path):
    (tmp_path / "p.csv").write_text("nv,0.333\nmel,0.333\nbkl,0.333\n")
    np.testing.assert_allclose(read_prevalence(tmp_path / "p.csv", NAMES), np.full(3, 1 / 3))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nv,0.5\nmel,0.3\ndf,0.2\n", "names the class 'df', but the classes are nv, mel, bkl"),
        ("nv,0.5\nmel,0.5\n", "has no prevalence of bkl: add a line"),
        ("nv,0.5\nmel,0.3\nbkl,0.1\n", "sum to 0.9, but must sum to 1"),
        ("nv,50\nmel,30\nbkl,20\n", "sum to 100, so they are percentages: divide them by 100"),
        ("nv,1.2\nmel,-0.3\nbkl,0.1\n", "'mel' in .* is -0.3, but must be at least 0"),
        ("nv,nan\nmel,0.5\nbkl,0.5\n", "'nv' in .* is nan, but"),
        ("nv,0.5\nmel,much\nbkl,0.5\n", "'mel' in .* is 'much', which is no number"),
        ("nv,0.5\nmel,0.3\nbkl,0.1\nbkl,0.1\n", "several lines of 'bkl'"),
        ("nv\nmel\nbkl\n", "two columns in every line"),
        ("nv,0.5\nmel,0.5\nbkl\n", "two columns in every line"),
        ("class,share\nnv,0.5\nmel,0.3\nbkl,0.2\n", "names the class 'class'"),
        ("", "two columns"),
        (None, "cannot be read"),
    ],
)
def test_refusals_name_the_fault(tmp_path, text, sentence):
    if text is not None:
        (tmp_path / "p.csv").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_prevalence(tmp_path / "p.csv", NAMES)


def test_ratio_of_shares():
    np.testing.assert_allclose(ratio_to(np.array([0.5, 0.5, 0]), np.array([0.25, 0.5, 0.25]), NAMES), [2, 1, 0])
    np.testing.assert_allclose(ratio_to(np.array([0.5, 0.5, 0]), np.array([0.75, 0.25, 0]), NAMES), [2 / 3, 2, 1])
    with pytest.raises(UserError, match="The prevalence of 'bkl' is 0.1, but there are no images"):
        ratio_to(np.array([0.5, 0.4, 0.1]), np.array([0.5, 0.5, 0]), NAMES)


def test_images_are_weighted_and_their_probabilities_adjusted():
    images = labelled([[0.5, 0.5], [0.8, 0.2], [0.9, 0.1], [0.4, 0.6]], [0, 0, 0, 1], weight=[1, 2, 1, 4])
    share = np.array([0.2, 0.8])
    changed = reweighted(images, share)
    np.testing.assert_allclose(changed.weight, [0.4, 0.8, 0.4, 6.4])
    np.testing.assert_allclose(class_shares(changed), share)
    np.testing.assert_allclose(changed.probability[0], [0.2, 0.8])
    np.testing.assert_allclose(changed.probability, adjusted(images.probability, np.array([0.4, 1.6])))
    assert images.weight.tolist() == [1, 2, 1, 4] and changed.unit is images.unit


CONFUSION = np.array([[8, 2, 0], [1, 3, 1], [0, 5, 15]])


def test_scores_at_a_prevalence_by_hand():
    # Classes 0 and 2 are 1 : 2, so 0.2 and 0.4 of the images beside 0.4 of class 1.
    scores = scores_at_prevalence(CONFUSION, 1, np.array([0.4]))
    hits = np.array([0.2 * 0.8, 0.4 * 0.6, 0.4 * 0.75])
    answered = np.array([0.2 * 0.8 + 0.4 * 0.2, 0.2 * 0.2 + 0.4 * 0.6 + 0.4 * 0.25, 0.4 * 0.2 + 0.4 * 0.75])
    f1 = 2 * hits / (answered + np.array([0.2, 0.4, 0.4]))
    np.testing.assert_allclose(scores["recall"], [[0.8, 0.6, 0.75]])
    np.testing.assert_allclose(scores["precision"], [hits / answered])
    np.testing.assert_allclose(scores["f1"], [f1])
    np.testing.assert_allclose(scores["macro_f1"], [f1.mean()])


def test_scores_at_prevalences_equal_those_of_copied_images():
    label, answers = np.divmod(np.repeat(np.arange(9), CONFUSION.ravel()), 3)
    times = np.array([2, 12, 2])  # class 1: 60 of 130 images
    scores = scores_at_prevalence(CONFUSION, 1, np.array([5 / 35, 60 / 120]))
    for row, copies in enumerate([np.ones(3, dtype=int), times]):
        of_image = copies[label]
        expected = precision_recall_fscore_support(label.repeat(of_image), answers.repeat(of_image))
        for key, value in zip(("precision", "recall", "f1"), expected, strict=False):
            np.testing.assert_allclose(scores[key][row], value)
        assert scores["macro_f1"][row] == pytest.approx(expected[2].mean())


def test_ends_of_the_prevalence():
    scores = scores_at_prevalence(CONFUSION, 1, np.array([0.0, 1.0]))
    np.testing.assert_allclose(scores["recall"], [[0.8, 0.6, 0.75]] * 2)
    np.testing.assert_allclose(scores["precision"], [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(scores["f1"][1], [0, 0.75, 0])


def test_a_class_without_test_images_has_no_scores():
    scores = scores_at_prevalence(np.array([[8, 2, 0], [1, 3, 1], [0, 0, 0]]), 1, np.array([1 / 3]))
    assert np.isnan([scores[key][0, 2] for key in ("recall", "precision", "f1")]).all()
    assert scores["macro_f1"][0] == pytest.approx(scores["f1"][0, :2].mean()) and scores["f1"][0, 0] > 0
    scores = scores_at_prevalence(np.array([[8, 2, 0], [1, 3, 1], [0, 0, 0]]), 2, np.array([0.1, 0.5]))
    np.testing.assert_allclose(scores["recall"], [[0.8, 0.6, np.nan]] * 2)
    assert np.isnan(scores["f1"]).all() and np.isnan(scores["macro_f1"]).all()
    only = scores_at_prevalence(np.array([[0, 0], [1, 3]]), 1, np.array([0.5]))
    assert only["recall"][0, 1] == 0.75 and np.isnan(only["f1"]).all()
