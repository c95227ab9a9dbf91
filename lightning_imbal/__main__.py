"""`python -m lightning_imbal`: the same program as the `lightning_imbal` command."""

import sys

from lightning_imbal.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
