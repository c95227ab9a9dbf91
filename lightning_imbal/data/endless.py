"""Files that must not be opened."""

import os
import stat
from pathlib import Path


def is_endless(path: str | Path) -> bool:
    """Whether reading would wait for a writer, or never end: of a pipe or a device.

    Raises:
        OSError: There is no such file.
    """
    mode = os.stat(path).st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
