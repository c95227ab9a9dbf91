"""Where classes of the user's own are looked for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working_folder_searched() -> Iterator[None]:
    """They are also found in the working folder, without installation; afterwards the search path is as it was."""
    path = [*sys.path]
    sys.path.append(os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = path
