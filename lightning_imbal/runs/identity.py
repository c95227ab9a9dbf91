"""What decides the meaning of a run, and what of it is another when the run goes on: settings, and images."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_imbal.command_line import OF_THE_MACHINE
from lightning_imbal.runs.reading import ATTRIBUTE
from lightning_imbal.runs.spreadsheet import to_csv, without_apostrophes
from lightning_imbal.wording import number_of

# All else decides what is trained, or what is tested.
MAY_CHANGE = (
    *OF_THE_MACHINE,
    *("trainer.precision.", "trainer.plugins.", "trainer.sync_batchnorm.", "trainer.deterministic."),
    *("trainer.benchmark.", "trainer.detect_anomaly.", "trainer.profiler.", "trainer.barebones."),
    *("trainer.fast_dev_run.", "trainer.inference_mode.", "trainer.log_every_n_steps.", "trainer.enable_"),
    *("trainer.model_registry.", "trainer.num_sanity_val_steps."),
    # When it ends, and how much of the test part is looked at then.
    *("trainer.max_steps.", "trainer.min_steps.", "trainer.min_epochs.", "trainer.max_time."),
    *("trainer.limit_test_batches.", "trainer.limit_predict_batches."),
)
# Where a run lies and how it was called.
UNSAID = (
    *("allow_trained_images.", "run_dir.", "ckpt_path.", "config.", "weights_only.", "tuned."),
    "trainer.default_root_dir.",
)
WEIGHTS = ("model.pretrained", "model.backbone_ckpt")  # that a stage begins with, and that its checkpoint replaces
SPLIT_COLUMNS = ("image", "class", "group", "part")


@dataclass(frozen=True)
class Change:
    """A setting that is another one than before.

    Args:
        name: With dots, `init_args` left out.
        before: Its value when the stage began.
        now: Its value now.
    """

    name: str
    before: Any
    now: Any

    @property
    def decides(self) -> bool:
        """Whether it changes what is trained or tested."""
        if self.name == "trainer.callbacks":
            return _own(self.before) != _own(self.now)
        return not (f"{self.name}.".startswith(MAY_CHANGE) or self.is_place)

    @property
    def is_place(self) -> bool:
        """Whether it only says where the data lie now: the images themselves are compared."""
        texts = isinstance(self.before, str) and isinstance(self.now, str)
        return self.name.startswith("data.") and texts and Path(self.now).expanduser().exists()


def changes(before: Any, now: Any, name: str = "") -> Iterator[Change]:
    """What differs between two configurations, as `config.yaml` has them.

    A setting that one of them lacks is of another version of the program, and is not compared.

    Args:
        before: The configuration, or a part of it, when the stage began.
        now: The same now.
        name: Of the part.
    """
    both = isinstance(before, dict) and isinstance(now, dict)
    if both and "class_path" in before and before["class_path"] == now.get("class_path"):
        yield from _of_settings(before.get("init_args") or {}, now.get("init_args") or {}, name)
        yield from changes(before.get("dict_kwargs") or {}, now.get("dict_kwargs") or {}, name)
    elif both and name in ("", "trainer"):
        yield from _of_settings(before, now, name)
    elif _are_objects(before) and _are_objects(now) and len(before) == len(now) and name != "trainer.callbacks":
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from changes(*pair, f"{name}.{number}")
    elif before != now and not f"{name}.".startswith(UNSAID):
        yield Change(name, before, now)


def _of_settings(before: dict[str, Any], now: dict[str, Any], name: str) -> Iterator[Change]:
    for key in before:
        if key in now:
            yield from changes(before[key], now[key], f"{name}.{key}".lstrip("."))


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and "class_path" in item for item in value)


def _own(callbacks: Any) -> list[Any]:
    """The callbacks of this package, which belong to a method; those of others watch."""
    return [callback for callback in listed(callbacks) if is_own(callback)]


def listed(callbacks: Any) -> list[Any]:
    """`trainer.callbacks`, which may be none, one or several, as a list."""
    return callbacks if isinstance(callbacks, list) else [callbacks] if callbacks else []


def is_own(callback: Any) -> bool:
    """Whether a callback, as a configuration has it, is a class of this package."""
    return str(callback.get("class_path")).startswith("lightning_imbal.")


def option_text(value: Any) -> str:
    """A setting as it is written on a command line; of objects, their classes."""
    if isinstance(value, dict) and "class_path" in value:
        return value["class_path"].rpartition(".")[2]
    if value and _are_objects(value):
        return f"[{', '.join(map(option_text, value))}]"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def split_text(table: pd.DataFrame) -> str:
    """What `split.csv` holds of a sample table: class and part of every image, group where known, and attributes."""
    return to_csv(_of_split(table).join(table[attributes_in(table)]))


def attributes_in(table: pd.DataFrame) -> list[str]:
    """The columns of a table that are attributes of its images."""
    return [name for name in table.columns if str(name).startswith(ATTRIBUTE)]


def as_split(table: pd.DataFrame) -> pd.DataFrame:
    """A sample table as `Stage.split` would read what is written of it."""
    text = StringIO(split_text(table), newline="")
    return without_apostrophes(pd.read_csv(text, dtype="str", keep_default_na=False))


def _of_split(table: pd.DataFrame) -> pd.DataFrame:
    return table[[name for name in SPLIT_COLUMNS if name in table]]


def split_digest(table: pd.DataFrame) -> str:
    """The first 16 digits of a SHA-256 of what a split is: equal ones have tested the same images.

    Attributes are no part of it.
    """
    return sha256(_of_split(table).to_csv(index=False).encode()).hexdigest()[:16]


def split_changes(before: pd.DataFrame, table: pd.DataFrame) -> str:
    """What is another in a sample table than in the `split.csv` of a stage; empty if nothing is.

    Args:
        before: As `Stage.split` reads it.
        table: The sample table now.
    """
    now, before = as_split(table).set_index("image"), before.set_index("image")
    told = [
        *_some("gone", before.index.difference(now.index, sort=False)),
        *_some("new", now.index.difference(before.index, sort=False)),
    ]
    both = before.index.intersection(now.index, sort=False)
    for column in ("class", "part", "group", *attributes_in(now)):
        if column in before and column in now:
            pairs = zip(both, before.loc[both, column], now.loc[both, column], strict=True)
            other = [
                f"{image}: {was or 'none'}, now {is_now or 'none'}" for image, was, is_now in pairs if was != is_now
            ]
            told += _some(
                f"{'of' if column.startswith(ATTRIBUTE) else 'in'} another {column.removeprefix(ATTRIBUTE)}", other
            )
    return ", ".join(told)


def _some(what: str, images: Iterable[str]) -> list[str]:
    images = list(images)
    verb = "is" if len(images) == 1 else "are"
    return [f"{number_of(len(images), 'image')} {verb} {what} ({images[0]})"] if images else []
