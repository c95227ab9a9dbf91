"""Files that appear whole or not at all; and those that must not be opened."""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from lightning_imbal.errors import UserError


def refuse_unwritable(option: str, place: str | Path, folder: bool = False) -> None:
    """Refuses a place where nothing could be written; nothing is left of the trial.

    Args:
        option: What names the place.
        place: A file, or the folder of several.
        folder: Whether it is a folder.

    Raises:
        UserError: The message says why.
    """
    path = Path(place).expanduser().absolute()
    if not str(place).strip():
        raise UserError(f"{option} is empty: name a {'folder' if folder else 'file'}.")
    if path.is_dir() and not folder:
        raise UserError(f"{option} {place} is a folder: name a file.")
    above = next(each for each in ([path] if folder else []) + [*path.parents] if os.path.lexists(each))
    if not above.is_dir():
        raise UserError(f"{option} {place} cannot be made, since {above} is a file: choose another place.")
    try:
        TemporaryFile(dir=above).close()
    except OSError as error:
        raise UserError(
            f"{option} {place} cannot be made ({above}: {error.strerror}): choose another place."
        ) from error


def is_endless(path: str | Path) -> bool:
    """Whether reading a file would wait for a writer, or never end: it is a pipe or a device.

    Raises:
        OSError: There is no such file.
    """
    mode = os.stat(path).st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


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
    """Removes what killed processes of this machine have left half written of a path that others may write now."""
    for left in path.parent.glob(f".{escape(path.name)}.*"):
        if left.suffix[1:].isdigit() and not is_running(int(left.suffix[1:])):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)  # another process may do so, too
            else:
                left.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether there is a process of this number."""
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
