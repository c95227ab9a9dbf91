"""How far the hot places are from what a bare loop or the fastest peer takes: each beside the other in one run.

python tests/benchmarks/limits [--only losses decoding] [--rounds 5] [--threads 2]

Costs are medians in time of the clock and, in brackets, of the processors. Alone on the machine, please.
"""

import argparse
from importlib import import_module

import torch
from pairs import Pair
from rich.console import Console
from rich.table import Table

from lightning_imbal.cli.parts.quiet import quiet

PARTS = ("second_stage", "scores", "bootstrap", "augmentation", "decoding", "near_copies", "losses", "cells")
COLUMNS = ("what", "beside", "that: wall (CPU)", "ours: wall (CPU)", "ours / that", "goal", "met")


def main() -> None:
    """Reads the arguments, measures part by part, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"{', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="Measured pairs of each row.")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="Threads of torch.")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    table = Table(*COLUMNS)
    with quiet():
        for part in args.only:
            pairs: list[Pair] = import_module(part).pairs()
            for pair in pairs:
                table.add_row(*pair.measure(args.rounds).row())
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
