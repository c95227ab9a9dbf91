"""Where the time of a training step goes, and what two things are worth that `lightning_imbal` does.

The channels of a pixel lie side by side (channels last) instead of one by one, and memory that tensors free is kept
instead of handed back to the system, each in a process of its own.

python tests/benchmarks/training_step.py [--rounds 10] [--threads 1] [--device cpu]
"""

import argparse
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from torch import nn

from lightning_imbal.backbones import create_backbone, feature_size
from lightning_imbal.cli.parts.allocator import keep_freed_memory
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.data.recipes import ImageNetCrop
from lightning_imbal.losses import CrossEntropy

CLASS_COUNTS = torch.tensor([4693, 779, 769, 360, 229, 100, 80])  # those of ISIC2018, training part
NETWORKS = [("mobilenetv2_100", 64, 64), ("resnet18", 64, 64), ("resnet50", 224, 8)]  # name, side, batch
LAYOUTS = {"one by one": torch.contiguous_format, "channels last": torch.channels_last}
PARTS = ("data", "forward", "backward", "optimizer")


class Step:
    """Training steps of a network in a layout, on augmented random pictures of 171 by 128 pixels."""

    def __init__(self, name: str, side: int, batch: int, layout: torch.memory_format, device: str) -> None:
        network = create_backbone(name).to(memory_format=layout)
        self.model = nn.Sequential(network, nn.Linear(feature_size(network), len(CLASS_COUNTS))).to(device)
        self.loss, self.normalize = CrossEntropy(CLASS_COUNTS).to(device), Normalize().to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 5e-4)
        pictures = np.random.default_rng(0).integers(0, 256, (batch, 128, 171, 3), dtype=np.uint8)
        label = np.arange(batch) % len(CLASS_COUNTS)
        self.images = ImageDataset(pictures, label, np.arange(batch), [ImageNetCrop(side, 0.5, 0.1, 0.02)])
        self.device = device

    def seconds(self) -> list[float]:
        """Time of each part of a step."""
        clock = [self._now()]
        items = [self.images[number] for number in range(len(self.images))]
        image = self.normalize(torch.stack([item["image"] for item in items]).to(self.device))
        label = torch.tensor([item["label"] for item in items], device=self.device)
        clock.append(self._now())
        loss = self.loss(self.model(image), label)
        clock.append(self._now())
        loss.backward()
        clock.append(self._now())
        self.optimizer.step()
        self.optimizer.zero_grad()
        clock.append(self._now())
        return np.diff(clock).tolist()

    def _now(self) -> float:
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()


def measure(memory: str, rounds: int, device: str) -> None:
    """Measures both layouts in turn and prints the median of the rounds."""
    for name, side, batch in NETWORKS:
        steps = {layout: Step(name, side, batch, value, device) for layout, value in LAYOUTS.items()}
        for step in steps.values():
            step.seconds()
        measured = [{layout: step.seconds() for layout, step in steps.items()} for _ in range(rounds)]
        for layout in LAYOUTS:
            parts = [statistics.median(part) for part in zip(*(of[layout] for of in measured), strict=True)]
            times = "".join(f"{1000 * part:>11.1f}" for part in parts)
            print(f"{name:<18}{side:>5}{batch:>7}  {layout:<15}{memory:<13}{times}{batch / sum(parts):>11.1f}")


def main() -> None:
    """Reads the arguments, and starts itself for either way with memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="Measured steps of each side.")
    parser.add_argument("--threads", type=int, default=1, help="Threads of a network.")
    parser.add_argument("--device", default="cpu", help="Where the networks run, such as cuda.")
    parser.add_argument("--memory", choices=["handed back", "kept"], help="One way alone.")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.memory:
        if args.memory == "kept":
            keep_freed_memory()
        measure(args.memory, args.rounds, args.device)
        return
    heads = "".join(f"{part:>11}" for part in PARTS)
    print(
        f"{'ms per step':<18}{'side':>5}{'batch':>7}  {'layout':<15}{'memory':<13}{heads}{'images/s':>11}", flush=True
    )
    for memory in ("handed back", "kept"):
        subprocess.run([sys.executable, *sys.argv, "--memory", memory], check=True)


if __name__ == "__main__":
    main()
