"""Help, and what is not there, are answered by every verb before torch or Lightning is imported."""

import json
import subprocess
import sys

import pytest
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.cli.parts import first_look
from lightning_imbal.cli.parts.help_screen import SCREENS
from lightning_imbal.cli.parts.verb_options import PARSERS
from lightning_imbal.cli.program import VERBS

ABSENT = [
    (["fitt"], "did you mean fit?"),
    (["fit", "--config", "methods/lda.yaml"], "There is no file methods/lda.yaml: did you mean methods/ldam.yaml?"),
    (["fit", "-c", "demo.yaml", "--then", "heads/crtt.yaml"], "did you mean heads/crt.yaml?"),
    (["fit", "--config", "demo.yaml", "--optimzer.lr", "1"], "did you mean --model.optimizer.lr?"),
    (["fit", "--config", "demo.yaml", "--ckpt_path", "a.ckpt"], "does not take the file a.ckpt"),
    (["test"], "but no checkpoint was given: give one with --ckpt_path runs/NAME"),
    (["test", "--ckpt_path", "stage1/bst.ckpt"], "stage1/bst.ckpt is no file: did you mean stage1/best.ckpt?"),
    (["validate", "--ckpt_path", "stage1/best.ckpt", "--pool", "mean"], "There is no option 'pool' of this verb"),
    (["predict", "--ckpt_path", "stage1/best.ckpt", "--imges", "x"], "did you mean --images?"),
    (["prepare", "demos.yaml"], "did you mean demo.yaml?"),
    (["audit", "--trian", "a.csv"], "did you mean --train?"),
    (["audit", "--config", "demo.yaml", "--data.batchsize", "1"], "did you mean --data.batch_size?"),
    (["table", "zeng_tabel2.yaml"], "did you mean zeng_table2.yaml?"),
    (["table", "zeng_table2.yaml", "--dryrun"], "did you mean --dry-run?"),
    (["dashboard", "zeng_table2.yaml", "--projet", "x"], "--projet x: did you mean --project?"),
    (["compare", "--methods", "ce,ldma"], "There is no method 'ldma': did you mean ldam?"),
    (["compare", "--data.roto", "x"], "did you mean --data.root?"),
    (["report", "rnu"], "rnu holds no finished run (no metrics.json): did you mean run?"),
    (["decide", "rnu", "--rule", "Offsets"], "did you mean run?"),
    (["ensemble", "run", "rnu", "--run_dir", "x"], "did you mean run?"),
    (["labels", "rnu", "--html"], "did you mean run?"),
    (["export", "rnu", "--onnx", "x.onnx"], "did you mean run?"),
    (["decide", "run", "--rul", "Offsets"], "did you mean --rule?"),
    (["init", "run", "--data.lables", "x"], "did you mean --data.labels?"),
    (["list", "metods"], "did you mean methods?"),
    (["completion", "bsh"], "did you mean bash?"),
]
ASKED = [
    *([verb, "--help"] for verb in VERBS),
    ["fit", "--model.help", "ECL"],
    ["compare", "--model.help"],
    ["test", "--data.sampler.help"],
]
SCRIPT = """
import contextlib, io, json, sys
from lightning_imbal.cli import main
said = []
for args in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(args)
        except SystemExit as end:
            status = end.code
    heavy = {"torch", "lightning", "jsonargparse", "numpy"} & set(sys.modules)
    said.append((status, out.getvalue(), err.getvalue(), sorted(heavy)))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What a process says to each command line, and what it has imported by then."""
    here = tmp_path_factory.mktemp("look")
    for file in ("run/metrics.json", "stage1/best.ckpt"):
        (here / file).parent.mkdir()
        (here / file).write_text("{}")
    lines = [*ASKED, *(args for args, _ in ABSENT if args[0] != "compare" or "--methods" not in args)]
    command = [sys.executable, "-c", SCRIPT, json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=here)
    return dict(zip(map(tuple, lines), json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("args", ASKED, ids=" ".join)
def test_help_is_short_and_light(args, answers):
    status, out, err, heavy = answers[tuple(args)]
    assert (status, err, heavy) == (0, "", [])
    lines = out.splitlines()
    assert 5 <= len(lines) <= 50 and max(map(len, lines)) <= 100


@pytest.mark.parametrize(("args", "said"), ABSENT, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_is_not_there_is_said_before_anything_is_imported(args, said, answers, capsys):
    if tuple(args) not in answers:  # for which tables are read
        assert said in refused(capsys, *args)
        return
    status, out, err, heavy = answers[tuple(args)]
    assert status == 2 and not out and not heavy
    assert said in err.splitlines()[-1]


def test_every_verb_is_looked_at():
    assert {*SCREENS, *PARSERS, "list", "report", "completion"} == {*VERBS}


def test_all_of_the_help_is_that_of_the_parser(capsys):
    assert first_look.answer("fit", ["--help", "all"]) is None
    for verb in ("fit", "predict"):
        with pytest.raises(SystemExit) as end:
            main([verb, "--help", "all"])
        assert end.value.code == 0 and "--trainer.enable_autolog_hparams" in capsys.readouterr().out
    assert "--baseline" in first_look.answer("compare", ["--help", "all"])


def test_what_is_completed_is_no_question(capsys):
    assert main(["completion", "words", "fit", "--help", "comp"]) == 0
    assert main(["completion", "words", "fit", "--model.help", "EC"]) == 0
    assert capsys.readouterr().out.split() == ["ECL"]
