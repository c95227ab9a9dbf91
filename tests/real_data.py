"""Where the real data sets are, for tests that are skipped without them."""

import os
from pathlib import Path

import pytest


def real_folder(name):
    """The folder of a real data set; skips the test if it is not there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LIGHTNING_IMBAL_DATA") or beside) / name
    if not folder.is_dir():
        pytest.skip(f"real data not found: set LIGHTNING_IMBAL_DATA to the folder that holds {name}")
    return folder
