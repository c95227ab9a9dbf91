"""What a call leaves in its process: nothing in one that goes on, a quiet collector of garbage in one of its own."""

import gc

import pytest

from lightning_imbal.cli import main


@pytest.mark.parametrize("alone", [True, False])
def test_what_libraries_hold_is_looked_through_for_garbage_in_other_processes_alone(alone, monkeypatch, capsys):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    monkeypatch.setattr("sys.argv", ["lightning_imbal", "list", "heads"])
    assert main(None if alone else ["list", "heads"]) == 0
    assert frozen == ([False] if alone else []) and gc.isenabled()
    assert "cRS" in capsys.readouterr().out
