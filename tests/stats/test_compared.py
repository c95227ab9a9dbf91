"""Which rows differ: p-values, the best of many, and what it owes to being chosen."""

import numpy as np
import pytest
from made_predictions import NAMES, long_tailed, make, predicted
from scipy import stats

from lightning_imbal.stats.bootstrap import draw
from lightning_imbal.stats.compared import CHOSEN, Compared
from lightning_imbal.stats.range_test import furthest
from lightning_imbal.stats.resampled_scores import resampled_scores
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.row_scores import correlation, recovered
from lightning_imbal.stats.training_chance import moderated

KEYS = ["f1", "accuracy", "ece", *(f"f1/{name}" for name in NAMES)]
RESAMPLES = 300


def nearly(value, abs=1e-9):
    return pytest.approx(value, abs=abs, rel=0, nan_ok=True)


def network(noise, images=300, skill=0.0):
    run = long_tailed(images, noise=noise)
    probability = run.probability + skill * np.eye(4)[run.label]
    return make(run.label, probability / probability.sum(axis=1, keepdims=True), image=run.image)


def compared(rows, keys=KEYS, **kwargs):
    kwargs = {"resamples": RESAMPLES} | kwargs
    return Compared({name: [Round((run,)) for run in runs] for name, runs in rows.items()}, keys, **kwargs)


@pytest.fixture(scope="module")
def single():
    return compared({name: [network(noise)] for noise, name in enumerate("abcd")})


@pytest.fixture(scope="module")
def seeds():
    return compared({name: [network(10 * noise + seed) for seed in range(3)] for noise, name in enumerate("abcd")})


def around_zero(found, key):
    """The squared difference of b and a over the number of images; of macro F1 class by class."""
    rows = [found.rows[name] for name in "ba"]
    if key == "accuracy":
        return (rows[0].value(key) - rows[1].value(key)) ** 2 / 300
    images = np.bincount(network(0).label)
    difference = [np.mean(rows[0].observed[f"f1/{name}"] - rows[1].observed[f"f1/{name}"]) for name in NAMES]
    return sum((each / 4) ** 2 / number for each, number in zip(difference, images, strict=True))


def test_p_value_of_two_networks_is_that_of_their_paired_resamples(single):
    for key in ("f1", "accuracy"):
        values = {name: resampled_scores(network(n), draw(300, RESAMPLES), [key])[key] for n, name in enumerate("ab")}
        deviation = (values["b"] - values["a"]).std()
        observed = single.rows["b"].value(key) - single.rows["a"].value(key)
        deviation = np.sqrt(deviation**2 + around_zero(single, key))
        assert single.p_value("b", "a", key) == nearly(2 * stats.t.sf(abs(observed) / deviation, 299))
        reach = stats.t.ppf(0.975, 299) * deviation
        assert single.difference("b", "a", key) == nearly((observed, observed - reach, observed + reach), 1e-7)
        assert single.p_value("a", "b", key) == nearly(single.p_value("b", "a", key))


def test_several_seeds_add_the_chance_of_training(seeds):
    rows, key = seeds.rows, "f1"
    observed = rows["b"].observed[key].mean() - rows["a"].observed[key].mean()
    of_images = (rows["b"].resampled[key].mean(axis=0) - rows["a"].resampled[key].mean(axis=0)).var()
    of_images += around_zero(seeds, key)
    variance, freedom = moderated(np.array([rows[name].observed[key].var(ddof=1) for name in "abcd"]), 2)
    of_rounds = (variance[0] + variance[1]) / 3
    assert of_rounds > 0.2 * of_images
    both = (of_images + of_rounds) ** 2 / (of_images**2 / 299 + of_rounds**2 / freedom)
    expected = 2 * stats.t.sf(abs(observed) / np.sqrt(of_images + of_rounds), both)
    assert seeds.p_value("b", "a", key) == nearly(expected)


def test_rows_with_the_same_predictions_do_not_differ():
    found = compared({"a": [network(0)], "copy": [network(0)]})
    assert found.p_value("copy", "a", "f1") == 1.0
    assert found.difference("copy", "a", "f1") == nearly((0.0, np.nan, np.nan))
    assert found.beside_best(["a", "copy"], "f1")[1] in ({"copy": 1.0}, {"a": 1.0})


def test_classes_that_both_rows_have_right_do_not_differ():
    label = network(0).label
    found = compared({"a": [predicted(label, label)], "copy": [predicted(label, label)]})
    assert found.class_difference("copy", "a", NAMES[2:]) == nearly((0.0, np.nan, np.nan))


def test_few_images_of_a_class_cannot_tell():
    """Three of three images of the rarest class turned round: the resamples vary little, but three are three."""
    label = np.repeat([0, 1, 3], [60, 30, 3])
    wrong = np.where(label == 3, 0, label)
    found = compared({"a": [predicted(label, wrong)], "b": [predicted(label, label)]}, ["scr", "balanced_accuracy"])
    assert found.p_value("b", "a", "scr") == nearly(2 * stats.t.sf(np.sqrt(3), 92), 1e-6)
    assert 0.05 < found.p_value("b", "a", "balanced_accuracy") < 0.15
    many = np.repeat([0, 1, 3], [60, 30, 12])
    found = compared({"a": [predicted(many, np.where(many == 3, 0, many))], "b": [predicted(many, many)]}, ["scr"])
    assert found.p_value("b", "a", "scr") == nearly(2 * stats.t.sf(np.sqrt(12), 101), 1e-6), "of twelve they can"


def test_class_differences_come_from_the_intervals_of_both(single):
    first, second = (single.rows[name].of_classes("f1") for name in "ba")
    both = type(first)(*(np.r_[getattr(first, what)[[2, 3]], getattr(second, what)[[2, 3]]] for what in first.NAMES))
    values = [single.rows[name].averages(f"f1/{each}") for name in "ba" for each in NAMES[2:]]
    observed = first.value[2:].mean() - second.value[2:].mean()
    ends = recovered(observed, np.array([0.5, 0.5, -0.5, -0.5]), both, correlation(values))
    assert single.class_difference("b", "a", NAMES[2:]) == nearly((observed, *ends))
    assert ends[0] < observed < ends[1]


def test_trainings_of_two_methods_do_not_go_together(seeds):
    """What seeds vary is in the intervals of both rows, and not in how their resamples go together."""
    rows, key = [seeds.rows[name] for name in "ba"], "f1/nv"
    share = []
    for row in rows:
        of_images, of_rounds = row.averages(key).var(), row.observed[key].var(ddof=1) / 3
        share.append(of_images / (of_images + of_rounds))
        assert row.by_images(key) == nearly(share[-1]) and share[-1] < 0.99
    together = np.corrcoef(*(row.averages(key) for row in rows))[0, 1] * np.sqrt(share[0] * share[1])
    first, second = (row.of_classes("f1") for row in rows)
    down, up = first.value[0] - first.low[0], second.high[0] - second.value[0]
    found = seeds.class_difference("b", "a", ["nv"])
    assert found.observed - found.low == nearly(np.sqrt(down**2 + up**2 - 2 * together * down * up))


def test_the_best_of_many_is_tested_with_all_pairs(single):
    names = list("abcd")
    best, against = single.beside_best(names, "f1")
    values = {name: single.rows[name].value("f1") for name in names}
    assert best == max(values, key=values.get) and set(against) == set(names) - {best}
    resampled = np.stack([single.rows[name].resampled["f1"][0] for name in names])
    centred = resampled - resampled.mean(axis=1, keepdims=True)
    apart = np.max(
        [np.abs(centred[i] - centred[j]) / (centred[i] - centred[j]).std() for i in range(4) for j in range(i)], axis=0
    )
    assert furthest(centred) == nearly(apart)
    for name, p_value in against.items():
        alone = single.p_value(name, best, "f1")
        share = (1 + (apart >= stats.norm.isf(alone / 2)).sum()) / (1 + RESAMPLES)
        assert p_value == nearly(max(share, alone)) and p_value >= alone


def test_what_is_far_better_is_told_from_all(single):
    rows = {name: [network(n)] for n, name in enumerate("abcd")} | {"best": [network(9, skill=2.0)]}
    found = compared(rows)
    best, against = found.beside_best(list(rows), "accuracy")
    assert best == "best" and max(against.values()) < 0.01
    assert found.beside_best(list("abcd"), "ece")[0] == min("abcd", key=lambda name: single.rows[name].value("ece"))


def test_equal_rows_are_seldom_told_apart():
    """At 5 %, of 60 draws of 8 equal networks."""
    called = 0
    for draws in range(60):
        rows = {f"m{n}": [network(100 * draws + n, images=120)] for n in range(8)}
        names, found = list(rows), compared(rows, ["accuracy"], resamples=150)
        called += min(found.beside_best(names, "accuracy")[1].values()) < 0.05
    assert called <= 8


def test_the_winner_is_measured_on_what_it_was_not_chosen_by(single):
    names, weight = list("bcd"), draw(300, RESAMPLES)[:CHOSEN]
    runs = {name: network(n) for n, name in enumerate("abcd")}
    inside = {name: resampled_scores(run, weight, ["f1"])["f1"] for name, run in runs.items()}
    outside = {name: resampled_scores(run, weight == 0, ["f1"])["f1"] for name, run in runs.items()}
    best = np.stack([inside[name] for name in names]).argmax(axis=0)
    advantage = np.stack([outside[name] for name in names])[best, np.arange(CHOSEN)] - outside["a"]
    assert single.corrected_advantage(names, "a", "f1") == nearly(advantage.mean())


def test_of_two_rows_nothing_is_chosen():
    assert np.isnan(compared({"a": [network(0)], "b": [network(1)]}).corrected_advantage(["b"], "a", "f1"))


def test_of_seeds_one_is_left_out_of_the_choice():
    """The first seed of b is right and the others are wrong: chosen by the first, it is measured on another one."""
    label = network(0).label
    right, wrong = predicted(label, label), predicted(label, (label + 1) % 4)
    middle = predicted(label, np.where(np.arange(300) % 3 == 0, label, (label + 1) % 4))
    found = compared({"a": [middle] * 3, "b": [right, wrong, wrong], "c": [middle] * 3}, ["accuracy"])
    # b is chosen, by (1 + 0) / 2 against 1 / 3, where the second or the third is measured: 0 against 1 / 3.
    assert found.corrected_advantage(["b", "c"], "a", "accuracy") == nearly(-2 / 9, 0.02)


def test_a_smaller_error_wins(single):
    names = list("bcd")
    corrected = single.corrected_advantage(names, "a", "ece")
    observed = min(single.rows[name].value("ece") for name in names) - single.rows["a"].value("ece")
    assert abs(corrected - observed) < 0.05


def test_power_is_the_share_of_tests_that_would_see_a_difference(single):
    deviations = []
    for name in "bcd":
        deviations.append((single.rows[name].averages("f1") - single.rows["a"].averages("f1")).std())
    level = stats.t.ppf(1 - 0.05 / 3 / 2, 299)
    expected = np.median([stats.t.cdf(0.1 / deviation - level, 299) for deviation in deviations])
    assert single.power(list("bcd"), "a", "f1", 0.1) == nearly(expected, 1e-6)
    assert 0.05 < single.power(list("bcd"), "a", "f1", 0.05) < single.power(list("bcd"), "a", "f1", 0.2) <= 1
    copies = compared({"a": [network(0)], "copy": [network(0)]})
    assert np.isnan(copies.power(["copy"], "a", "f1", 0.05))


def test_nothing_is_compared():
    assert Compared({}, ["f1"]).rows == {}
