"""Ctrl-C and SIGTERM: one sentence, an exit status, and the caller's handlers as before."""

import os
import signal

import pytest

from lightning_imbal.cli import list as verb
from lightning_imbal.cli import main
from lightning_imbal.cli.parts.interruption import Interruption, how_to_go_on

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(autouse=True)
def as_a_program_begins():
    """What other tests have left in this process does not count."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "status"), SIGNALS.items())
def test_a_signal_interrupts_once_and_is_the_status(number, status):
    before = signal.getsignal(number)
    with Interruption("fit") as interruption:
        assert interruption.status is None
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # while it ends
    assert interruption.status == status and signal.getsignal(number) is before


def test_what_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption("fit") as interruption:
            os.kill(os.getpid(), signal.SIGINT)
        assert interruption.status is None
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
