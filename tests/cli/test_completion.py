"""Shell completion: words by what stands before them, and the code for bash as bash runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lightning_imbal.cli import main
from lightning_imbal.cli.completion import SHELLS
from lightning_imbal.cli.parts import completion
from lightning_imbal.cli.parts.completion import complete
from lightning_imbal.cli.parts.help_options import run_options
from lightning_imbal.cli.program import VERBS
from lightning_imbal.experiment_files import files_of


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("model: {class_path: ECL}\n")
    Path("more").mkdir()
    Path("more/of_mine.yaml").write_text("{}")
    Path("picture.png").write_bytes(b"")


def words(line):
    return complete(line.split(" "))


def test_verbs():
    assert words("") == sorted(VERBS)
    assert words("fi") == ["fit"] and complete([]) == sorted(VERBS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fit --config methods/ec", ["methods/ecl.yaml"]),
        ("fit -c demo", ["demo.yaml"]),
        ("fit --config=dem", ["--config=demo.yaml"]),
        ("fit --config = dem", ["demo.yaml"]),
        ("fit --config me", [f"methods/{name}.yaml" for name in files_of("methods")]),
        ("fit --config mi", ["mine.yaml"]),
        ("fit --config mo", ["more/"]),
        ("fit --config more/", ["more/of_mine.yaml"]),
        ("fit --then heads/crt", ["heads/crt.yaml"]),
        ("fit --model.loss LD", ["LDAM"]),
        ("fit --then.model Froz", ["FrozenHead"]),
        ("fit --data.sampler.help Class", ["ClassBlocks", "ClassPower"]),
        ("fit --model.head torch", ["torch.nn.Linear"]),
        ("fit --trainer.callbacks+ Early", ["EarlyStopping"]),
        ("fit --trainer.max_ep", ["--trainer.max_epochs"]),
        ("fit --then.trainer.max_ep", ["--then.trainer.max_epochs"]),
        ("fit --model.loss LDAM --model.loss.", ["--model.loss.help", "--model.loss.max_margin", "--model.loss.scale"]),
        ("fit --config mine.yaml --model.prox", ["--model.proxies"]),
        ("fit --config methods/ce.yaml --model.prox", []),
        ("fit --model.los", ["--model.loss", "--model.loss.", "--model.loss_weight"]),
        ("fit --trainer.enable_progress_bar ", ["false", "true"]),
        ("fit --data.cache ", ["disk", "memory", "none"]),
        ("fit --monitor val/f", ["val/f1"]),
        ("fit --config absent.yaml --model.help EC", ["ECL"]),
        ("table marrakchi_table", [f"marrakchi_table{number}.yaml" for number in (1, 2, 3)]),
        ("table x.yaml --launcher ", ["local", "ray"]),
        ("table x.yaml --on", ["--only"]),
        ("table x.yaml --dry-run ", []),
        ("compare --methods ecl", ["ecl"]),
        ("compare --met", ["--methods"]),
        ("decide run --rule ", ["Argmax", "Offsets", "PriorAdjusted"]),
        ("decide run --score f", ["f1"]),
        ("report run --fig", ["--figures"]),
        ("list hea", ["heads"]),
        ("prepare Digits", ["DigitsLT"]),
        ("audit --tra", ["--train"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("nothing ", []),
    ],
)
def test_what_a_word_can_be(line, expected):
    assert words(line) == sorted(expected)


def test_options_of_a_verb_are_all_of_its_own():
    assert {f"--{name}" for name in run_options("predict")} <= {*words("predict --")}
    assert "--images" not in words("fit --") and "--model." in words("fit --")


def test_a_file_that_cannot_be_read_stops_nothing():
    Path("broken.yaml").write_text("a: [")
    assert words("fit --config broken.yaml --model.temp") == ["--model.temperature"]


def test_code_for_each_shell(capsys):
    assert tuple(SHELLS) == completion.SHELLS
    for shell, code in SHELLS.items():
        assert main(["completion", shell]) == 0
        assert capsys.readouterr().out == code and "completion words" in code


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_it():
    program = Path("bin/lightning_imbal")
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m lightning_imbal "$@"\n')
    program.chmod(0o755)
    asked = 'eval "$(lightning_imbal completion bash)"\n'
    for given, word in {"lightning_imbal fit --config methods/bw": 3, "lightning_imbal fit --mo": 2}.items():
        asked += f"COMP_WORDS=({given}); COMP_CWORD={word}; compopt() {{ echo nospace; }}\n"
        asked += '_lightning_imbal; echo "${COMPREPLY[*]}"\n'
    root = str(Path(completion.__file__).parents[3])
    environment = os.environ | {"PATH": f"{program.parent.absolute()}:{os.environ['PATH']}", "PYTHONPATH": root}
    told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.splitlines()[0] == "methods/bwce.yaml"
    assert told.stdout.splitlines()[1].split() == ["--model", "--model.", "--monitor", "--monitor_mode"]
