"""Pages about classes: their own arguments with defaults, short, without naming a class first."""

from pathlib import Path

import pytest

from lightning_imbal import heads
from lightning_imbal.cli.parts.help_kinds import KINDS, classes_of
from lightning_imbal.cli.parts.help_page import WIDTH, asked, help_of, in_columns
from lightning_imbal.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (["--model.help", "ECL"], ("model", "ECL")),
        (["--config", "demo.yaml", "--model.loss.help=LDAM"], ("model.loss", "LDAM")),
        (["--data.sampler.help"], ("data.sampler", "")),
        (["--data.help", "--data.root", "x"], ("data", "")),
        (["--then.model.help", "FrozenHead"], ("then.model", "FrozenHead")),
        (["--help"], None),
        (["--data.root", "x.help"], None),
        ([], None),
    ],
)
def test_what_is_asked(arguments, question):
    assert asked(arguments) == question


def test_a_model_with_its_own_arguments_and_their_defaults():
    text = help_of("model", "ECL")
    lines = text.splitlines()
    assert len(lines) < 50 and max(map(len, lines)) <= WIDTH
    assert "--model.temperature 0.01          Of the BHP loss; 0.1 in the released code." in text
    assert "--model.proxies hybrid" in text and "--model.optimizer torch.optim.SGD" in text
    own, shared = text.split("every model:")
    assert "--model.loss BWCE" in own and "--model.backbone resnet50" in shared
    assert "Any of torch.optim" in shared and "nesterov" not in text and "class_counts" not in text
    assert "torch.nn.Linear." in shared and "WarmupCosine, any of torch.optim.lr_scheduler." in shared


@pytest.mark.parametrize("slot", KINDS)
def test_each_kind_has_a_list_and_pages(slot):
    kind = KINDS[slot]
    lines = help_of(f"then.{kind.option}", "").splitlines()
    named = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  or ")]
    assert named == [*classes_of(kind)] and max(map(len, lines)) <= WIDTH
    name = named[-1]
    assert help_of(kind.option, name).startswith(f"--{kind.option} {name}")


def test_every_head_is_offered():
    classes = {name for name in heads.__all__ if isinstance(getattr(heads, name), type)}
    assert {*classes_of(KINDS["head"])} == classes - {"ClosedFormHead"}


def test_what_must_be_given_and_what_the_run_gives():
    assert "--data.root (needed)" in help_of("data", "ISIC2018")
    assert "--model.scheduler.T_max (that of the run)" in help_of("model.scheduler", "CosineAnnealingLR")
    assert "It takes nothing." in help_of("model.predictor", "Plain")
    assert "One of none, memory, disk." in " ".join(help_of("data", "DigitsLT").split())
    page = help_of("data", "CSVData")
    assert page.index("--data.labels (needed)") < page.index("every data set:") < page.index("--data.batch_size 32")


def test_a_class_of_another_kind_is_told_where_it_belongs():
    first, _, rest = help_of("model", "LDAM").partition("\n\n")
    assert first == "LDAM is a loss, not a model: it is chosen by --model.loss LDAM."
    assert rest == help_of("model.loss", "LDAM")


def test_names_that_there_are_not():
    with pytest.raises(UserError, match="There is no class 'ELC' for model: did you mean ECL?"):
        help_of("model", "ELC")
    with pytest.raises(UserError, match="did you mean LDAM?"):
        help_of("model", "LDMA")
    with pytest.raises(UserError, match="`--model.loss.help` lists"):
        help_of("model.loss", "Q")
    assert help_of("model.temperature", "") is None and help_of("model", "their.Model") is None


def test_a_class_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "from lightning_imbal.losses import LDAM\nclass Poly1(LDAM):\n"
    text += "    '''Ours.\n\n    Args:\n        epsilon: How.'''\n"
    text += "    def __init__(self, class_counts, epsilon=2.0):\n        super().__init__(class_counts)\n"
    Path("loss_of_a_user.py").write_text(text)
    page = help_of("model.loss", "loss_of_a_user.Poly1")
    assert page.startswith("--model.loss loss_of_a_user.Poly1: Ours.") and "class_counts" not in page
    assert "  --model.loss.epsilon 2.0          How." in page


def test_columns():
    assert in_columns("a", "b", 4) == ["a     b"]
    assert in_columns("a", "", 4) == ["a"]
    assert in_columns("too long", "b", 4) == ["too long", "      b"]
    assert in_columns("a", "word " * 30, 4)[1].startswith("      word")
