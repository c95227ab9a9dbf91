"""A second stage trained on stored features against one that runs the frozen backbone in every epoch.

ResNet-50 at 224 pixels, 50 epochs, no random augmentation: both must end with the same scores on the test part.
"""

import argparse
import tempfile
import time

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import Trainer

from lightning_imbal.cli.parts.quiet import quiet
from lightning_imbal.data import Holdout, ImbalDataModule
from lightning_imbal.modules import FrozenHead


class Noise(ImbalDataModule):
    """Random pictures whose brightness tells the class, kept in memory.

    Args:
        number: How many.
    """

    class_names = ("dark", "middle", "bright")

    def __init__(self, number: int) -> None:
        super().__init__(".", Holdout(test=1 / 3), batch_size=16, num_workers=0)
        self.number = number

    def read_index(self) -> pd.DataFrame:
        label = np.resize([0, 0, 0, 1, 1, 2], self.number)
        return pd.DataFrame({"image": np.arange(self.number).astype(str), "label": label})

    def read_images(self) -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        return [rng.integers(0, 100 + 70 * label, (224, 224, 3), dtype=np.uint8) for label in self.index["label"]]


def train(cache_views: int | None, number: int, epochs: int, folder: str) -> tuple[float, dict[str, float]]:
    """Trains a head; returns the seconds it took and the scores of the test part."""
    data = Noise(number)
    torch.manual_seed(0)
    about = {"class_counts": data.class_counts, "class_names": list(data.class_names)}
    model = FrozenHead(cache_views=cache_views, optimizer=lambda p: torch.optim.SGD(p, lr=0.1), **about)
    silent = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(default_root_dir=folder, max_epochs=epochs, enable_checkpointing=False, **silent)
    start = time.perf_counter()
    trainer.fit(model, data)
    seconds = time.perf_counter() - start
    return seconds, trainer.test(model, data, verbose=False)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=48, help="Number of images, a third of them for the test.")
    parser.add_argument("--epochs", type=int, default=50, help="Epochs of the second stage.")
    args = parser.parse_args()
    with quiet(), tempfile.TemporaryDirectory() as folder:
        train(None, 12, 1, folder)  # warm up
        stored, stored_scores = train(1, args.images, args.epochs, folder)
        again, again_scores = train(None, args.images, args.epochs, folder)
    print(f"frozen backbone in every epoch   {again:7.1f} s")
    print(f"stored features                  {stored:7.1f} s   {again / stored:.1f} times faster")
    print(f"same scores on the test part: {stored_scores == again_scores}")


if __name__ == "__main__":
    main()
