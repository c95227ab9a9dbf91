"""One part of the check as a process of its own: `python -m gpu_check.part MODULE SETTING`, the setting as JSON."""

import json
import sys
from importlib import import_module

from gpu_check.setting import Setting


def run_part(module: str, setting: Setting) -> None:
    """Runs the part in a module in this process."""
    from lightning_imbal.cli.parts.quiet import quiet

    with quiet():
        import_module(module).run(setting)


if __name__ == "__main__":
    run_part(sys.argv[1], Setting.from_plain(json.loads(sys.argv[2])))
