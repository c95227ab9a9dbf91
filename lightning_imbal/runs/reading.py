"""Reading a file of a run: what is cut off, damaged or of another kind is one sentence with the mend."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError

ATTRIBUTE = "meta/"  # begins the columns of split.csv and predictions.parquet on what is known of the images
AGAIN = "delete it, and write it again with the run's own command (`fit` with --ckpt_path last, or `test`)"


@contextmanager
def reading(file: Path, mend: str = AGAIN) -> Iterator[None]:
    """Whatever fails inside means that the file is not what the program wrote.

    Args:
        file: What is read.
        mend: What to do.

    Raises:
        UserError: Something failed; the message names the file.
    """
    try:
        yield
    except (UserError, PermissionError):
        raise
    except Exception as error:  # each library refuses a damaged file with errors of its own
        empty = file.is_file() and file.stat().st_size == 0
        fault = "is empty" if empty else "is cut off, damaged or not what this program wrote"
        raise UserError(f"{file} {fault}: {mend}.") from error


def whole_text(file: Path) -> str:
    """The text of a file that ends with a line, as each file of lines does that was written whole.

    Raises:
        ValueError: It is empty or ends within a line, or is no text.
    """
    text = file.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError("The last line has no end.")
    return text


def check_keys(found: Any, kinds: Mapping[str, Any]) -> None:
    """Refuses what is no mapping with these keys, whose values are of these kinds.

    Raises:
        ValueError: One is absent or of another kind.
    """
    found = found if isinstance(found, dict) else {}
    wrong = [name for name, kind in kinds.items() if not isinstance(found.get(name), kind)]
    if wrong:
        raise ValueError(f"There is no {' and no '.join(wrong)}.")
