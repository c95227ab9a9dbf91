"""What BatchNorm makes of several devices: how far the predictions of every method, as it is, are from those of one.

One epoch of three batches on the digits; the largest difference of any class probability.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from on_devices import METHODS, differences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=2, help="How many.")
    parser.add_argument("--only", nargs="+", default=METHODS, metavar="METHOD", help="Files of experiments/methods.")
    args = parser.parse_args()
    print("| method | without BatchNorm | as it is |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, len(args.only), 3):
            methods = args.only[first : first + 3]
            kinds = [
                differences(methods, args.devices, Path(folder, str(batch_norm)), batch_norm)
                for batch_norm in (False, True)
            ]
            for method in methods:
                print("| {} | {:.0e} | {:.0e} |".format(method, *(found[method] for found in kinds)), flush=True)


if __name__ == "__main__":
    main()
