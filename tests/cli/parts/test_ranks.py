"""Which process of a run speaks, and what is said of one that has gone."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from lightning_imbal.cli.parts import ranks
from lightning_imbal.errors import UserError


@pytest.fixture
def other(monkeypatch):
    """A second rank beside this process."""
    with subprocess.Popen(["sleep", "60"]) as process:
        both = [ranks.Rank(socket.gethostname(), number) for number in (os.getpid(), process.pid)]
        monkeypatch.setattr(ranks, "_ranks", both)
        for name in ("_over", "_signalled"):
            monkeypatch.setattr(ranks, name, threading.Event())
        for name in ("SECONDS_TO_SEE", "SECONDS_TO_END"):
            monkeypatch.setattr(ranks, name, 0.05)
        yield process
        process.kill()


@pytest.mark.parametrize("names", [{}, {"RANK": "0", "LOCAL_RANK": "0"}, {"SLURM_PROCID": "0"}])
def test_the_first_process_speaks_before_they_know_each_other(names, monkeypatch):
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert ranks.speaks("no")
    for name in names:
        monkeypatch.setenv(name, "1")
        assert not ranks.speaks("no")


def test_a_rank_that_has_gone_is_what_an_error_comes_from(other):
    broken = RuntimeError("Connection closed by peer")
    assert not ranks.lost(broken) and not ranks.interrupted()
    other.kill()
    assert ranks.lost(broken).startswith(f"Rank 1 of 2, on {socket.gethostname()}, has ended (killed, out of memory")
    assert ranks.interrupted() == ranks.lost(broken)
    assert not ranks.lost(UserError("of the user"))
    ranks.leave(True)
    assert not ranks.lost(broken), "after the end, others may go"


def test_a_machine_that_has_gone_is_named(other, monkeypatch):
    monkeypatch.setattr(ranks, "_ranks", [ranks._ranks[0], ranks.Rank("far", 1), ranks.Rank("far", 2)])
    assert ranks.lost(RuntimeError()).startswith("One of the ranks 1, 2 of 3, on far, has ended")


def test_the_first_of_those_that_are_left_speaks_for_a_first_one_that_has_gone(other, monkeypatch):
    monkeypatch.setattr(ranks, "_ranks", ranks._ranks[::-1])
    other.kill()
    other.wait()
    assert ranks.speaks("no")
    ranks.interrupted()
    assert not ranks.speaks("no"), "by the same signal"


@pytest.mark.parametrize("over", [False, True])
def test_a_process_that_waits_for_one_that_has_gone_ends(over, other, monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    other.kill()
    if over:
        ranks.leave(True)
    ranks._watch(1)
    assert ended == ([] if over else [1])
    assert ("Rank 1 of 2" in capsys.readouterr().err) is not over


def test_of_what_several_have_to_say_each_sentence_is_said_by_the_first_to_come(monkeypatch):
    said = []
    monkeypatch.setattr(ranks, "_ask", lambda what, sentence, one: said.append(sentence) or said.count(sentence))
    assert [ranks.speaks(sentence) for sentence in ("a", "a", "b")] == [True, False, True]


def test_a_process_goes_on_when_another_one_has_ended_as_it_should(other, monkeypatch):
    monkeypatch.setattr(ranks, "_ask", lambda what, names: names == ["left/1"])
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail("it ends"))
    other.kill()
    ranks._watch(1)


def test_a_signal_is_not_owed_to_a_rank_that_has_left_by_it(other, monkeypatch):
    monkeypatch.setattr(ranks, "_ask", lambda what, names: names == ["left/1"])
    other.kill()
    assert not ranks.interrupted()
    assert not ranks.lost(RuntimeError("of this process")), "nor is what goes wrong after it"


@pytest.mark.parametrize("how", ["pidfd_open", None])
def test_the_end_of_a_process_is_seen_on_every_system(how, other, monkeypatch):
    if how is None:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert not ranks._ends_within(other.pid, 0)
    other.kill()
    other.wait()
    assert ranks._ends_within(other.pid, 0)


STARTS_A_RANK = """
import os, subprocess, sys
follow = "import time; from lightning_imbal.cli.parts.ranks import follow; follow(); print(); time.sleep(60)"
rank = subprocess.Popen([sys.executable, "-uc", follow], env=os.environ | {"LOCAL_RANK": "1"}, stdout=subprocess.PIPE)
rank.stdout.readline()
"""


def test_a_rank_ends_with_the_one_that_has_started_it_where_they_have_not_met():
    started = [sys.executable, "-c", STARTS_A_RANK]
    told = subprocess.run(started, capture_output=True, text=True, timeout=30).stderr  # which the rank has open too
    assert told == "lightning_imbal: Rank 0 has ended before the others met it.\n"


@pytest.mark.parametrize(
    "names", [{}, {"LOCAL_RANK": "0"}, {"LOCAL_RANK": "1", "RANK": "1"}, {"LOCAL_RANK": "1", "SLURM_PROCID": "1"}]
)
def test_a_process_that_lightning_has_not_started_follows_none(names, monkeypatch):
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ranks.threading, "Thread", lambda **_: pytest.fail("it follows one"))
    ranks.follow()
