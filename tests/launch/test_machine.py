"""What a machine lacks for a job."""

import pytest

from lightning_imbal.launch import machine
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.machine import Needs


@pytest.fixture
def needs(tmp_path, monkeypatch):
    """What a job needs whose images are in a folder beside it, as the machine knows that starts it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "run").mkdir()
    job = Job("run", tmp_path / "run", ("fit", "--data.root", "images"))
    token = job.folder.relative_to(tmp_path) / ".shared-1"
    token.touch()
    needs = Needs.of(job, token)
    monkeypatch.chdir("/")
    return needs


def test_a_machine_that_has_all_lacks_nothing(needs):
    assert needs.lacking() is None


def test_the_first_thing_that_is_missing_is_named(needs, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MEMORY_FILE", tmp_path / "memory")
    (tmp_path / "memory").write_text("MemTotal: 9999999 kB\nMemAvailable: 524288 kB\n")
    assert "only 0.5 GiB of its memory are free" in needs.lacking().told
    monkeypatch.setattr(machine, "versions", lambda: needs.versions | {"torch": "1.0"})
    assert f"it has torch 1.0 instead of {needs.versions['torch']};" in needs.lacking().told
    (tmp_path / "images").rmdir()
    assert f"the images in {tmp_path}/images are not there" in needs.lacking().told
    (tmp_path / "run" / ".shared-1").unlink()
    assert f"{tmp_path}/run is not the same folder there" in needs.lacking().told


def test_memory_that_is_unknown_and_images_that_are_nowhere_are_not_missed(needs, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MEMORY_FILE", tmp_path / "none")
    elsewhere = Needs.of(Job("run", tmp_path / "run", ("fit", "--data.root", "nowhere")), tmp_path / needs.token)
    assert elsewhere.data is None and elsewhere.lacking() is None
