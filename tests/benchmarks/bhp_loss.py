"""What BHPLoss costs, forward and backward, relative to SupConLoss on the same points.

python tests/benchmarks/bhp_loss.py [--rounds 50] [--threads 1] [--device cpu]

The points are two views of 128 images and the 28 proxies of ISIC 2019, 284 in all, in 128 dimensions. The cost in CPU
time depends less than that in time on what else runs, above all in one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.losses import BHPLoss, SupConLoss, hybrid_proxy_counts

CLASS_COUNTS = torch.tensor([4522, 12875, 3323, 867, 2624, 239, 253, 628])  # those of ISIC 2019
IMAGES, VIEWS, DIM = 128, 2, 128
STEPS = 20


def milliseconds(loss: Callable[[], Tensor], point: Tensor) -> tuple[float, float]:
    """Time and CPU time of a forward and a backward pass, mean over some that follow each other, as in training."""

    def step() -> Tensor:
        return torch.autograd.grad(loss(), point)[0]

    step().cpu()
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        gradient = step()
    gradient.cpu()  # waits for the device
    return 1000 * (time.perf_counter() - start) / STEPS, 1000 * (time.process_time() - cpu_start) / STEPS


def main() -> None:
    """Reads the arguments, measures both losses in turn and prints the best and the median round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="Measured rounds of each loss.")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="Threads of the losses.")
    parser.add_argument("--device", default="cpu", help="Where the losses run, such as cuda.")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    number = torch.tensor(hybrid_proxy_counts(CLASS_COUNTS))
    label = torch.multinomial(CLASS_COUNTS.double(), IMAGES, replacement=True).to(args.device)
    proxy_label = torch.arange(len(number)).repeat_interleave(number).to(args.device)
    point_label = torch.cat([label.repeat_interleave(VIEWS), proxy_label])
    point = F.normalize(torch.randn(len(point_label), DIM, device=args.device), dim=1).requires_grad_()
    bhp, supcon = BHPLoss(temperature=0.01), SupConLoss(temperature=0.01)

    def balanced() -> Tensor:
        embedding, proxy = point.split([IMAGES * VIEWS, len(proxy_label)])
        return bhp(embedding.unflatten(0, (IMAGES, VIEWS)), label, proxy, proxy_label)

    def unbalanced() -> Tensor:
        return supcon(point, point_label)

    measured = [[milliseconds(loss, point) for loss in (unbalanced, balanced)] for _ in range(args.rounds)]
    print(f"{len(point)} points{'':<8}{'SupConLoss ms':>16}{'BHPLoss ms':>14}{'cost':>8}{'CPU cost':>12}")
    sides = list(zip(*measured, strict=True))
    for how, of in (("best", min), ("median", statistics.median)):
        (plain, plain_cpu), (hybrid, hybrid_cpu) = [map(of, zip(*side, strict=True)) for side in sides]
        print(f"{how:<18}{plain:>16.3f}{hybrid:>14.3f}{hybrid / plain:>8.2f}{hybrid_cpu / plain_cpu:>12.2f}")


if __name__ == "__main__":
    main()
