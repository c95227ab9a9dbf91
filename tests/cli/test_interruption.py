"""Ctrl-C, SIGTERM and SIGUSR1: one sentence, an exit status, and the caller's handlers as before."""

import os
import signal

import pytest

from lightning_imbal.cli import list as verb
from lightning_imbal.cli import main
from lightning_imbal.cli.parts import interruption
from lightning_imbal.cli.parts.interruption import Interruption, how_to_go_on

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 138}


@pytest.fixture(autouse=True)
def as_a_program_begins():
    """What other tests have left in this process does not count."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "status"), SIGNALS.items())
def test_a_signal_interrupts_once_and_is_the_status(number, status):
    before = signal.getsignal(number)
    with Interruption("fit") as entered:
        assert entered.status is None
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # while it ends
    assert entered.status == status and signal.getsignal(number) is before


def test_what_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption("fit") as entered:
            os.kill(os.getpid(), signal.SIGINT)
        assert entered.status is None
    finally:
        signal.signal(signal.SIGINT, before)


def as_lightning(number):
    """Lightning ends a training that is interrupted with the status 1."""
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        raise SystemExit(1) from None


def as_a_loader(number):
    """A loader process that ended by the same signal is found missing."""
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        raise RuntimeError("DataLoader worker is killed by signal") from None


@pytest.mark.parametrize(("number", "status"), SIGNALS.items())
@pytest.mark.parametrize("end", [lambda number: os.kill(os.getpid(), number), as_lightning, as_a_loader])
def test_the_program_says_it_in_one_sentence(end, number, status, monkeypatch, capsys):
    monkeypatch.setattr(verb, "run", lambda args: end(number))
    assert main(["list"]) == status
    assert capsys.readouterr().err == f"lightning_imbal: {how_to_go_on('list')}\n"


def test_a_training_says_how_it_goes_on():
    assert how_to_go_on("fit") == (
        "Interrupted: every finished epoch is kept, continue with the same command and --ckpt_path last."
    )


@pytest.mark.parametrize(("rank", "said"), {"0": "starts job 7 again, which goes on by itself.", "1": None}.items())
def test_the_first_process_lets_slurm_start_the_job_again(rank, said, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(interruption.subprocess, "run", lambda command, **_: asked.append(command))
    for name, value in {"SLURM_JOB_ID": "7", "SLURM_PROCID": rank}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(verb, "run", lambda args: os.kill(os.getpid(), signal.SIGUSR1))
    assert main(["list"]) == 138
    assert asked == ([["scontrol", "requeue", "7"]] if said else [])
    assert capsys.readouterr().err == (
        f"lightning_imbal: Interrupted: every finished epoch is kept, SLURM {said}\n" if said else ""
    )


def test_a_job_that_slurm_does_not_start_again_is_told(monkeypatch, capsys):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(verb, "run", lambda args: os.kill(os.getpid(), signal.SIGUSR1))
    monkeypatch.setenv("PATH", "")
    assert main(["list"]) == 138
    assert "but SLURM does not start job 7 again (" in (told := capsys.readouterr().err) and "--ckpt_path last" in told
