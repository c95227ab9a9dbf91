"""Features are stored whole or not at all."""

import os
import subprocess

import numpy as np
import pytest
import torch

from lightning_imbal.cli.parts.encoding import Filled
from lightning_imbal.data.features.write import appearing
from lightning_imbal.errors import UserError


def test_each_version_has_its_place_and_must_be_whole():
    counted = []
    filled = Filled(lambda shape: np.zeros(shape, np.float32).view(np.memmap), 3, 2, counted.append)
    for view in range(2):
        filled.begin(view)
        filled.take(torch.full((2, 4), view + 1.0))
        with pytest.raises(UserError, match="Only 2 of 3 pictures were seen: nothing is kept"):
            filled.check()
        filled.take(torch.full((1, 4), view + 5.0))
        filled.check()
    assert filled.array[:, :, 0].tolist() == [[1, 2], [1, 2], [5, 6]] and counted == [2, 1, 2, 1]


def test_what_a_killed_process_has_left_goes_and_that_of_one_that_runs_stays(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for number in (ended.pid, os.getppid()):
        (tmp_path / f".features [1].{number}").mkdir()
        (tmp_path / f".features [1].{number}" / "train.npy").touch()
    with appearing(tmp_path / "features [1]"):
        pass
    assert {each.name for each in tmp_path.iterdir()} == {"features [1]", f".features [1].{os.getppid()}"}
