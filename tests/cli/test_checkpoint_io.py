"""Checkpoints appear whole: a full disk costs the new one, not the last good one."""

import errno
from pathlib import Path

import pytest
import torch

from lightning_imbal.cli import list as verb
from lightning_imbal.cli import main
from lightning_imbal.cli.parts.checkpoint_io import WholeCheckpoints


@pytest.fixture
def full_disk(monkeypatch):
    """Has room for three bytes of any file."""

    def write(path, content):
        path.open("wb").write(bytes(content[:3]))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)


def test_what_is_saved_is_read_back(tmp_path):
    WholeCheckpoints().save_checkpoint({"weight": torch.arange(3)}, tmp_path / "new" / "best.ckpt")
    assert torch.load(tmp_path / "new" / "best.ckpt", weights_only=True)["weight"].tolist() == [0, 1, 2]


def test_the_last_good_one_stays(tmp_path, request):
    file = tmp_path / "best.ckpt"
    WholeCheckpoints().save_checkpoint({"epoch": 1}, file)
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match="No space left") as refused:
        WholeCheckpoints().save_checkpoint({"epoch": 2}, file)
    assert refused.value.filename == str(file)
    assert torch.load(file, weights_only=True) == {"epoch": 1} and list(tmp_path.iterdir()) == [file]


def test_a_link_is_replaced_not_followed(tmp_path):
    WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "best.ckpt")
    (tmp_path / "last.ckpt").symlink_to("best.ckpt")
    WholeCheckpoints().save_checkpoint({"epoch": 2}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "best.ckpt", weights_only=True) == {"epoch": 1}


def test_the_program_names_the_file_that_has_no_room(tmp_path, full_disk, monkeypatch, capsys):
    file = tmp_path / "best.ckpt"
    monkeypatch.setattr(verb, "run", lambda args: WholeCheckpoints().save_checkpoint({"epoch": 1}, file))
    assert main(["list"]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"lightning_imbal: {file} cannot be written (No space left on device): make room, or choose another place.\n"
    )
