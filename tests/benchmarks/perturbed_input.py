"""What PerturbedInput costs per image, relative to one forward pass.

python tests/benchmarks/perturbed_input.py [--rounds 10] [--threads 1] [--device cpu]

The cost in CPU seconds depends less than that in time on what else runs, above all in one thread.
"""

import argparse
import statistics
import time

import timm
import torch
from torch import Tensor, nn

from lightning_imbal.predictors import PerturbedInput, Plain, Predictor

CLASS_COUNTS = torch.tensor([6705, 1113, 1099, 514, 327, 142, 115])  # those of Skin7
BATCHES = 4
NETWORKS = [("mobilenetv2_100", 64, 64), ("resnet18", 64, 64), ("resnet50", 224, 8)]  # name, side, batch


@torch.inference_mode()
def seconds(predictor: Predictor, model: nn.Module, image: Tensor) -> tuple[float, float]:
    """Time and CPU time of a batch, mean over some that follow each other, as in a test."""
    predictor(model, image)
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(BATCHES):
        predictor(model, image).cpu()  # waits for the device
    return (time.perf_counter() - start) / BATCHES, (time.process_time() - cpu_start) / BATCHES


def compare(name: str, side: int, batch: int, rounds: int, device: str) -> None:
    """Measures both predictors in turn and prints a row for the best and one for the median round."""
    model = timm.create_model(name, num_classes=len(CLASS_COUNTS)).eval().to(device)
    image = torch.randn(batch, 3, side, side, device=device)
    predictors = [Plain(CLASS_COUNTS).to(device), PerturbedInput(CLASS_COUNTS).to(device)]
    measured = [[seconds(predictor, model, image) for predictor in predictors] for _ in range(rounds)]
    sides = list(zip(*measured, strict=True))
    for how, of in (("best", min), ("median", statistics.median)):
        (plain, plain_cpu), (perturbed, perturbed_cpu) = [map(of, zip(*side, strict=True)) for side in sides]
        rates = f"{batch / plain:>10.1f}{batch / perturbed:>12.1f}"
        costs = f"{perturbed / plain:>8.2f}{perturbed_cpu / plain_cpu:>12.2f}"
        print(f"{name:<18}{side:>5}{batch:>7}  {how:<8}{rates}{costs}")


def main() -> None:
    """Reads the arguments and compares on each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="Measured rounds of each side.")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="Threads of a network.")
    parser.add_argument("--device", default="cpu", help="Where the networks run, such as cuda.")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{'images/s':<18}{'side':>5}{'batch':>7}  {'':<8}{'plain':>10}{'perturbed':>12}{'cost':>8}{'CPU cost':>12}")
    for name, side, batch in NETWORKS:
        compare(name, side, batch, args.rounds, args.device)


if __name__ == "__main__":
    main()
