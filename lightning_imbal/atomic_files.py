"""Files that appear whole or not at all."""

import json
import os
import re
import shutil
from collections.abc import Callable
from glob import escape
from pathlib import Path
from typing import Any


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file beside `path`, then renames it: a reader sees the old file or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = half_written(path)
    try:
        write(beside)
        os.replace(beside, path)
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)  # a full disk does not say whose writing failed
        raise
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file, indented."""
    write_whole(path, lambda file: file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n"))


def half_written(path: Path) -> Path:
    """Where this process writes what will be renamed to `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def discard_halves_of(path: Path) -> None:
    """Removes what killed processes of this machine have left half written of a file that others may write now."""
    for left in path.parent.glob(f".{escape(path.name)}.*"):
        if left.suffix[1:].isdigit() and not _is_running(int(left.suffix[1:])):
            left.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def discard_halves(folder: Path) -> None:
    """Removes what killed processes have left half written in a folder, into which no other process writes."""
    for left in folder.glob(".*.*"):
        if re.fullmatch(r"\.(.+\.(json|parquet|csv|ckpt|npz|yaml)|stage\d+)\.\d+", left.name):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
