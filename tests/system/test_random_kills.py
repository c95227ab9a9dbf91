"""A table over two machines of a Ray cluster in which something is killed every few seconds."""

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

import kills


@pytest.mark.slow  # minutes; tests/benchmarks/kills.py does it for longer
@pytest.mark.timeout(900)
def test_what_is_killed_at_random_ends_as_what_never_was(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    outcome = kills.broken(tmp_path, kills=8, seed=0, cells=4)
    assert not outcome.wrong, str(outcome)
    assert outcome.killed.total() == 8 and outcome.cells == 4 * outcome.rounds
