"""What is searched, as it is typed."""

import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.tuning.search import parse_search, shown


def test_ranges_of_every_kind():
    texts = ["model.loss.gamma=choice: 1,2,5", "--model.init_args.optimizer.init_args.lr=log:1e-4:1e-1"]
    texts += ["data.sampler.q=0:1", "then.trainer.max_epochs=int:1:9", "model.loss=choice:CrossEntropy,LDAM"]
    found = {each.name: (each.kind, each.ends) for each in parse_search(texts)}
    assert found == {
        "model.loss": ("choice", ["CrossEntropy", "LDAM"]),
        "model.loss.gamma": ("choice", ["1", "2", "5"]),
        "model.optimizer.lr": ("log", [1e-4, 1e-1]),
        "data.sampler.q": ("uniform", [0.0, 1.0]),
        "then.trainer.max_epochs": ("int", [1, 9]),
    }
    assert [*found][0] == "model.loss", "a class stands before its arguments"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model.optimizer.lr", "there is no range"),
        ("=0:1", "there is no range"),
        ("model.optimizer.lr=0.1", "is no range"),
        ("model.optimizer.lr=lin:0:1", "is no range"),
        ("model.optimizer.lr=0:1:2", "is no range"),
        ("model.optimizer.lr=1:0", "must be larger"),
        ("model.optimizer.lr=1:1", "must be larger"),
        ("model.optimizer.lr=0:inf", "finite"),
        ("model.optimizer.lr=log:0:1", "begins above 0"),
        ("trainer.max_epochs=int:1:2.5", "whole numbers"),
        ("model.loss=choice:LDAM", "two or more"),
        ("model.loss=choice:LDAM,LDAM", "two or more"),
        ("model.loss=choice:LDAM,", "two or more"),
        ("seed_everything=int:0:9", "only settings below model, data and trainer"),
        ("trainer=choice:a,b", "only settings below"),
        ("data.split.val=0.1:0.3", "which images there are"),
        ("data.lock_test=choice:true,false", "which images there are"),
        ("data.labels=choice:a.csv,b.csv", "which images there are"),
        ("then.data.group_by=choice:lesion,null", "which images there are"),
        ("trainer.callbacks.decay=0:1", "lists of objects"),
        ("data.mean.0=0:1", "a part of a list"),
    ],
)
def test_what_is_no_range_is_one_sentence(text, said):
    with pytest.raises(UserError, match=said) as refusal:
        parse_search([text])
    assert text.partition("=")[0] in str(refusal.value) or not text.partition("=")[0]


def test_a_choice_may_be_a_list():
    [found] = parse_search(["data.mean=choice:[0,0,0], [1,1,1],null"])
    assert found.choices == ("[0,0,0]", "[1,1,1]", "null")


def test_a_name_has_one_range():
    with pytest.raises(UserError, match="names data.sampler.q twice"):
        parse_search(["data.sampler.q=0:1", "data.sampler.q=0:0.5"])


def test_values_have_few_digits_and_stay_within_the_range():
    [k, lr] = parse_search(["model.optimizer.lr=log:0.00123456:1", "model.k=int:1:9"])
    assert lr.rounded(0.0345678) == 0.03457 and lr.rounded(0.00123457) == 0.001235
    assert lr.rounded(0.00123456) == 0.001235 and lr.rounded(0.9999999) == 1.0
    [narrow] = parse_search(["model.x=0.123456:0.2"])
    assert narrow.rounded(0.12346) == 0.1235 and narrow.rounded(0.123457) == 0.1235
    [edge] = parse_search(["model.x=0.12349:0.2"])
    assert edge.rounded(0.12349) == 0.1235 and k.rounded(7) == 7
    [top] = parse_search(["model.x=0:0.12346"])
    assert top.rounded(0.12346) == 0.12346, "0.1235 is outside"
    assert shown(0.000123456) == "0.0001235" and shown("LDAM") == "LDAM" and shown(7) == "7"
