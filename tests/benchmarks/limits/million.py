"""A million images of 1,000 classes, of a quarter as many patients: seconds, and the most memory, of what is done once.

python tests/benchmarks/limits/million.py [--images 1000000] [--classes 1000]

Each step has a process of its own, whose memory is all of it, with that of the libraries. The bar is 60 s and 4 GB for
each. The image files are empty: none is opened. A tenth of them is the validation part.
"""

import argparse
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_imbal import samplers
from lightning_imbal.cli.parts.quiet import quiet
from lightning_imbal.data import CSVData
from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.samplers import build_samplers
from lightning_imbal.modules import Classifier

SECONDS, GIGABYTES = 60, 4
IN_FOLDER = 1000  # images
EPOCHS, BATCH = 10, 128
SETTINGS: dict[str, dict[str, Any]] = {"PKBatches": {"classes": 32, "samples": 4}}
SAMPLERS = [name for name in samplers.__all__ if isinstance(getattr(samplers, name), type) and name != "EpochSampler"]


def main() -> None:
    """Makes the files, and measures one step after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        name, _, setting = args.step.partition(" ")
        with quiet():
            print(*measured(STEPS[name], args.folder, *filter(None, [setting])))
        return
    print(f"{'step':24}{'seconds':>10}{'of CPU':>10}{'GB':>8}  met")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        make_files(Path(folder), args.images, args.classes)
        for step in ["index", "split", *(f"draws {name}" for name in SAMPLERS), "validation"]:
            command = [sys.executable, __file__, "--step", step, "--folder", folder]
            told = subprocess.run(command, capture_output=True, text=True)
            if told.returncode:
                sys.exit(told.stderr)
            wall, cpu, memory = map(float, told.stdout.splitlines()[-1].split())
            met = "yes" if wall <= SECONDS and memory <= GIGABYTES else "no"
            print(f"{step:24}{wall:10.1f}{cpu:10.1f}{memory:8.2f}  {met}", flush=True)


def make_files(folder: Path, images: int, classes: int) -> None:
    """A label file of a long tail of classes, each of 20 images at least, and an empty file for each image."""
    rng, share = np.random.default_rng(0), np.geomspace(1, 0.01, classes)
    others = rng.choice(classes, images - 20 * classes, p=share / share.sum())
    label = rng.permutation(np.concatenate([np.arange(classes).repeat(20), others]))
    names = [f"{number // IN_FOLDER:05d}/{number:07d}.jpg" for number in range(images)]
    for number in range(-(-images // IN_FOLDER)):
        (folder / f"{number:05d}").mkdir()
    for name in names:
        (folder / name).touch()
    columns = {"image": names, "label": label, "patient": rng.integers(0, images // 4, images)}
    pd.DataFrame(columns).to_csv(folder / "labels.csv", index=False)


def measured(step: Any, *args: Any) -> tuple[float, float, float]:
    """Seconds of the clock and of the processors, and gigabytes at most."""
    wall, cpu = time.perf_counter(), time.process_time()
    step(*args)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter() - wall, time.process_time() - cpu, used.ru_maxrss / 2**20


def data_of(folder: Path) -> CSVData:
    """The data set, split by patients, by their default split: 7 : 1 : 2."""
    return CSVData(root=str(folder), labels=str(folder / "labels.csv"), group_column="patient")


def index(folder: Path) -> None:
    """Reads the label file, and looks for every file."""
    found = data_of(folder).index
    (folder / "index").write_bytes(pickle.dumps(found))


def split(folder: Path) -> None:
    """Splits by patients with the classes in proportion."""
    data = data_of(folder)
    data.index = _known(folder, "index")
    data.class_names = tuple(map(str, range(data.index["label"].max() + 1)))
    part = {name: (data.labels_of(name), data.groups_of(name)) for name in ("train", "val", "test")}
    assert all(len(label) for label, _ in part.values()) and min(data.class_counts)
    (folder / "split").write_bytes(pickle.dumps((part, data.class_counts)))


def draws(folder: Path, name: str) -> None:
    """Draws the list of an epoch, with a seed for each image."""
    label, group = _known(folder, "split")[0]["train"]
    factory = partial(getattr(samplers, name), **SETTINGS.get(name, {}))
    (sampler,) = build_samplers([factory], label, BATCH, EPOCHS, group)
    assert sum(1 for _ in EpochDraws(sampler, BATCH)) >= len(label) // 10


def validation(folder: Path) -> None:
    """Validates a linear classifier of 64 numbers: scores of all classes, logged as in training."""
    parts, class_counts = _known(folder, "split")
    label = torch.from_numpy(parts["val"][0])
    numbers = torch.randn(len(label), 1, 1, 64, generator=torch.Generator().manual_seed(0))
    rows = [{"image": numbers[k], "label": label[k], "index": k} for k in range(len(label))]
    names = [str(c) for c in range(len(class_counts))]
    model = Classifier(class_counts=class_counts, class_names=names, backbone=Numbers())
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(accelerator="cpu", **options, enable_model_summary=False)
    trainer.validate(model, DataLoader(rows, batch_size=1024), verbose=False)
    assert 0 < trainer.callback_metrics["val/auc"] < 1


class Numbers(nn.Module):
    """Gives its input as the feature."""

    num_features = 64

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 1, 64) to (B, 64)."""
        return image.flatten(1)


def _known(folder: Path, name: str) -> Any:
    return pickle.loads((folder / name).read_bytes())


STEPS = {"index": index, "split": split, "draws": draws, "validation": validation}

if __name__ == "__main__":
    main()
