"""Settings and small data sets that several test files share."""

import gc
import logging
import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that tests start
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else importing albumentations asks a server for its newest version
os.environ["HF_HUB_OFFLINE"] = "1"  # else runs of own images would fetch weights, where there is a network
os.environ["WANDB_MODE"] = "disabled"  # also in fixtures that are made once: W&B writes on after a run has ended

gc.disable()  # until all is imported and the tests are found, which leave nothing to collect

ISIC_COUNTS = {"MEL": 14, "NV": 24, "BCC": 8, "AKIEC": 6, "BKL": 11, "DF": 4, "VASC": 5}


def pytest_configure(config):
    """Sets up Lightning and torch, but not in the process of xdist that only hands out the tests to the others."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    import lightning.pytorch  # noqa: F401 (its log handler keeps the stderr of this moment: not that of one test)
    import torch

    # The networks of the tests are too small to share: two threads wait for each other, for long on a busy machine.
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    """Puts the folders that take longest first: no process waits for another at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("system", "tables"))


def pytest_collection_finish():
    """Spares the garbage collector the libraries and the tests, which stay, for a tenth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_sessionfinish():
    """Leaves what is there to the end of the process: pytest would look through all of it five times for garbage."""
    gc.freeze()


@pytest.fixture(autouse=True)
def no_seed_of_another_test(monkeypatch):
    # Set before it is removed: a variable that was absent is only removed afterwards if monkeypatch has seen it.
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)


@pytest.fixture
def told(caplog):
    """What Lightning's logger, which hands nothing on, is told."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture
def no_decoder(monkeypatch):
    """Makes the decoder fail: what only reads labels must not call it."""

    def refuse(*args):
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    monkeypatch.setattr("lightning_imbal.data.pictures.fast_jpeg.decode", refuse)


@pytest.fixture(scope="session")
def isic_root(tmp_path_factory) -> Path:
    """72 pictures of 24 x 18 pixels in the layout of ISIC 2018 task 3; a class is a colour, do not write into it."""
    root = tmp_path_factory.mktemp("isic2018")
    pictures = root / "ISIC2018_Task3_Training_Input"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 216, (len(ISIC_COUNTS), 3))
    lesion_of_class = {name: _lesions(name, count) for name, count in ISIC_COUNTS.items()}
    rows = [(name, lesion) for name, lesions in lesion_of_class.items() for lesion in lesions]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    ids = [f"ISIC_{24306 + i:07d}" for i in range(len(rows))]
    for image, (name, _) in zip(ids, rows, strict=True):
        pixels = colours[list(ISIC_COUNTS).index(name)] + rng.integers(-30, 31, (18, 24, 3))
        assert cv2.imwrite(str(pictures / f"{image}.jpg"), pixels.astype(np.uint8))
    truth = pd.DataFrame({name: [float(name == row[0]) for row in rows] for name in ISIC_COUNTS})
    truth.insert(0, "image", ids)
    truth.to_csv(root / "ISIC2018_Task3_Training_GroundTruth.csv", index=False)
    groups = {"image": ids, "lesion_id": [row[1] for row in rows], "diagnosis_confirm_type": "histopathology"}
    pd.DataFrame(groups).to_csv(root / "ISIC2018_Task3_Training_LesionGroupings.csv", index=False)
    return root


def _lesions(name: str, count: int) -> list[str]:
    """Lesions of one, two, one and three images in turn."""
    number = np.repeat(np.arange(count), np.resize([1, 2, 1, 3], count))[:count]
    return [f"HAM_{name}_{i}" for i in number]


@pytest.fixture(scope="session")
def real_isic() -> Path:
    """Folder of the real ISIC 2018 images."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    root = Path(os.environ.get("LIGHTNING_IMBAL_DATA") or beside) / "isic2018"
    if not root.is_dir():
        pytest.skip("real ISIC2018 images not found: set LIGHTNING_IMBAL_DATA to the folder that holds isic2018")
    return root
