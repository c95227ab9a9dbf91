"""What PerturbedInput costs per image, relative to one forward pass.

python tests/benchmarks/perturbed_input.py [--rounds 10] [--device cpu]
"""

import argparse
import statistics
import time

import timm
import torch
from torch import Tensor, nn

from lightning_imbal.predictors import PerturbedInput, Plain, Predictor

CLASS_COUNTS = torch.tensor([6705, 1113, 1099, 514, 327, 142, 115])  # those of Skin7
NETWORKS = [("mobilenetv2_100", 64, 64), ("resnet18", 64, 64), ("resnet50", 224, 8)]  # name, side, batch


@torch.inference_mode()
def rate(predictor: Predictor, model: nn.Module, image: Tensor) -> float:
    """Images per second of one batch."""
    start = time.perf_counter()
    predictor(model, image).cpu()  # waits for the device
    return len(image) / (time.perf_counter() - start)


def compare(name: str, side: int, batch: int, rounds: int, device: str) -> None:
    """Measures both predictors in turn and prints a row for the best and one for the median round."""
    model = timm.create_model(name, num_classes=len(CLASS_COUNTS)).eval().to(device)
    image = torch.randn(batch, 3, side, side, device=device)
    predictors = [Plain(CLASS_COUNTS).to(device), PerturbedInput(CLASS_COUNTS).to(device)]
    rates: list[list[float]] = [[], []]
    for measured in range(rounds + 1):
        for predictor, its_rates in zip(predictors, rates, strict=True):
            images_per_second = rate(predictor, model, image)
            if measured:  # the first round allocates memory and chooses kernels
                its_rates.append(images_per_second)
    for how, of in (("best", max), ("median", statistics.median)):
        plain, perturbed = map(of, rates)
        print(f"{name:<18}{side:>5}{batch:>7}  {how:<8}{plain:>10.1f}{perturbed:>12.1f}{plain / perturbed:>8.2f}")


def main() -> None:
    """Reads the arguments and compares on each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="Measured rounds of each side.")
    parser.add_argument("--device", default="cpu", help="Where the networks run, such as cuda.")
    args = parser.parse_args()
    print(f"{'images/s':<18}{'side':>5}{'batch':>7}  {'':<8}{'plain':>10}{'perturbed':>12}{'cost':>8}")
    for name, side, batch in NETWORKS:
        compare(name, side, batch, args.rounds, args.device)


if __name__ == "__main__":
    main()
