"""The file of a decision: read as it was written, or refused in a sentence."""

import json

import numpy as np
import pytest
from made_labelled import NAMES, long_tailed

from lightning_imbal.decisions.abstain import Abstain
from lightning_imbal.decisions.argmax import Argmax
from lightning_imbal.decisions.base import Decision
from lightning_imbal.decisions.file import read_decision, write_decision
from lightning_imbal.decisions.offsets import Offsets
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.errors import UserError

PLACE = "decision.json"
CASES = {
    "argmax": Argmax(),
    "offsets": Offsets(),
    "prior": PriorAdjusted(tau=1.3),
    "abstain": Abstain(coverage=0.9),
}
COST = Decision(NAMES[:3], gain=-np.array([[0, 0.1, 0.3], [20, -1 / 3, 5], [7, 1, 0]]))
THRESHOLDS = Decision(NAMES[:3], thresholds={"bcc": 0.1 + 0.2, "mel": 2 / 3}, ratio=np.array([0.7, 0, 1.9]))


@pytest.fixture
def images():
    return long_tailed(300, seed=1)


def store(folder, decision):
    write_decision(folder / PLACE, decision, "Some", {"score": "f1"}, {"run": "a", "images": 300})
    return folder / PLACE


@pytest.mark.parametrize("case", [*CASES, COST, THRESHOLDS])
def test_everything_is_read_as_it_was(tmp_path, images, case):
    decision = CASES[case].fit(images) if isinstance(case, str) else case
    stored = read_decision(store(tmp_path, decision))
    found = stored.decision
    assert (found.gain == decision.gain).all() and (found.ratio == decision.ratio).all()
    assert list(found.thresholds.items()) == list(decision.thresholds.items())
    assert found.confidence == decision.confidence and found.class_names == decision.class_names
    assert (found.answer(images.probability) == decision.answer(images.probability)).all()
    assert (stored.rule, stored.settings) == ("Some", {"score": "f1"})
    assert stored.fitted_on == {"run": "a", "images": 300}


def test_people_read_offsets_in_logits_and_costs_by_class(tmp_path, images):
    content = json.loads(store(tmp_path, PriorAdjusted(tau=1).fit(images)).read_text())
    share = np.array(images.class_counts) / sum(images.class_counts)
    assert content["offsets"] == pytest.approx(dict(zip(NAMES, -np.log(share), strict=False)))
    content = json.loads(store(tmp_path, COST).read_text())
    assert content["costs"]["mel"] == {"nv": 20, "mel": -1 / 3, "bcc": 5}
    assert "offsets" not in content and "-0.0" not in json.dumps(content)


def test_classes_in_another_order_are_put_into_that_of_the_labels(tmp_path, images):
    for decision in (Offsets().fit(images), COST):
        file = store(tmp_path, decision)
        order = [2, 0, 1]
        found = read_decision(file, [NAMES[c] for c in order]).decision
        answers = found.answer(images.probability[:, order])
        assert np.array(order)[answers].tolist() == decision.answer(images.probability).tolist()


def test_other_classes_are_refused(tmp_path):
    file = store(tmp_path, COST)
    with pytest.raises(UserError, match="is a decision among nv, mel, bcc, not among nv, mel, df: fit the rule"):
        read_decision(file, ("nv", "mel", "df"))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("rule"),
        lambda content: content.pop("gains"),
        lambda content: content["gains"].pop("mel"),
        lambda content: content["gains"].update(mel="much"),
        lambda content: content["gains"].update(mel=float("nan")),
        lambda content: content["offsets"].update(mel=5.0),
        lambda content: content.pop("offsets"),
        lambda content: content["thresholds"].update(xyz=0.5),
        lambda content: content["ratio"].update(mel=-1),
        lambda content: content.update(confidence=None),
        lambda content: content.update(classes=3),
        lambda content: content.update(settings=3),
        lambda content: content.update(thresholds=[]),
    ],
)
def test_changed_file_is_refused(tmp_path, images, change):
    file = store(tmp_path, Offsets().fit(images))
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match="is cut off, damaged, changed or no decision"):
        read_decision(file)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff\xfe"])
def test_damaged_file_is_refused(tmp_path, text):
    (tmp_path / PLACE).write_bytes(text)
    with pytest.raises(UserError, match="is cut off, damaged, changed or no decision"):
        read_decision(tmp_path / PLACE)


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read .No such file or directory.: name the file of a decision"):
        read_decision(tmp_path / PLACE)


def test_nothing_is_left_of_a_write_that_fails(tmp_path):
    file = store(tmp_path, COST)
    before = file.read_bytes()
    with pytest.raises(TypeError):
        write_decision(file, COST, "Some", {"score": object()}, {})
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]
