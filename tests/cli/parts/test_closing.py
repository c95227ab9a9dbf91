"""The command that comes next can be pasted as it is."""

import shlex
from pathlib import Path

import pytest

from lightning_imbal.cli.parts.closing import next_command, of_data


def test_it_can_be_pasted():
    line = next_command("report", Path("my runs/a"), "--html", "my runs/a.html")
    assert shlex.split(line.removeprefix("Next: ")) == [
        "lightning_imbal",
        "report",
        "my runs/a",
        "--html",
        "my runs/a.html",
    ]


@pytest.mark.parametrize(
    "args, kept",
    [
        (["own.yaml", "--verify", "true"], ["--config", "own.yaml"]),
        (["ISIC2018", "--data.root=x y", "--json", "a.json"], ["--data", "ISIC2018", "--data.root", "x y"]),
        (["-c", "own.yaml", "--data.cache", "disk"], ["--config", "own.yaml", "--data.cache", "disk"]),
        (["--database", "x"], []),
    ],
)
def test_of_a_command_line_what_is_said_of_the_data_is_kept(args, kept):
    assert of_data(args) == kept
