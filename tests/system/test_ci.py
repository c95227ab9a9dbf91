"""Continuous integration brings a browser where there is none, then runs the tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / ".ci" / "run"
NEEDED = ("bash", "dirname", "env", "id", "mktemp", "rm", "tail")


@pytest.fixture
def ci(tmp_path):
    """Runs it among commands that only write down how they were called; returns what they wrote and the process."""
    calls = tmp_path / "calls"

    def run(there, failing=()):
        for name in NEEDED:
            (tmp_path / name).symlink_to(shutil.which(name))
        for name in ("make", *there):
            text = f'#!/bin/sh\necho "{name} $* CI=$CI" >>{calls}\n'
            text += "echo no network >&2\nexit 1\n" if name in failing else ""
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"PATH": str(tmp_path)}
        done = subprocess.run([RUN], env=environment, capture_output=True, text=True, timeout=60)
        return calls.read_text().splitlines(), done

    return run


@pytest.mark.parametrize("there", [["chromium"], ["google-chrome", "apt-get"], []])
def test_only_the_tests_run_where_a_browser_is_or_apt_is_not(ci, there):
    calls, done = ci(there=there)
    assert calls == ["make test CI=true"] and done.returncode == 0


def test_a_browser_is_installed_quietly(ci):
    calls, done = ci(there=["apt-get"])
    assert [call.split()[0] for call in calls] == ["apt-get", "apt-get", "make"]
    assert "update" in calls[0] and "install" in calls[1] and "chromium" in calls[1]
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_failure_to_install_is_said_and_the_tests_decide(ci):
    calls, done = ci(there=["apt-get"], failing=["apt-get"])
    assert calls[-1] == "make test CI=true" and done.returncode == 0
    assert "Chromium could not be installed:\nno network" in done.stderr
