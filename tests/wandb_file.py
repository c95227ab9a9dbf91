"""Reads an offline W&B run back: a LevelDB log of protocol buffer records."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wandb
from wandb.proto.wandb_internal_pb2 import Record, RunRecord

FILE_HEADER, BLOCK, RECORD_HEADER = 7, 32768, struct.Struct("<IHB")
FULL, LAST = 1, 4


def records(file: Path) -> Iterator[Record]:
    """Yields every record of a .wandb file; a long one is stored in several pieces."""
    data, place, whole = file.read_bytes(), FILE_HEADER, b""
    while place + RECORD_HEADER.size <= len(data):
        if BLOCK - place % BLOCK < RECORD_HEADER.size:  # padding at the end of a block
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = RECORD_HEADER.unpack_from(data, place)
        place += RECORD_HEADER.size
        whole += data[place : place + length]
        place += length
        if kind in (FULL, LAST):
            yield Record.FromString(whole)
            whole = b""


def history(file: Path) -> list[dict[str, Any]]:
    """Every logged step as a dict of its keys."""
    rows = [record.history.item for record in records(file) if record.WhichOneof("record_type") == "history"]
    return [{item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in row} for row in rows]


def forget_settings(monkeypatch) -> None:
    """Ends what W&B runs for this process, which knows the environment of an earlier test, and unsets its variables."""
    wandb.teardown()
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)


def run_of(file: Path) -> RunRecord:
    """Group, job type, name and tags of the run."""
    return next(record.run for record in records(file) if record.WhichOneof("record_type") == "run")


def table(file: Path, key: str) -> list[dict[str, Any]]:
    """The rows of a logged table, from the file beside the run's that an upload takes."""
    logged = {name: value for row in history(file) for name, value in row.items()}
    content = json.loads((file.parent / "files" / logged[f"{key}.path"]).read_text())
    assert len(content["data"]) == logged[f"{key}.nrows"]
    return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]


def artifact_files(file: Path) -> list[Path]:
    """What an upload takes from elsewhere."""
    artifacts = [record.artifact for record in records(file) if record.WhichOneof("record_type") == "artifact"]
    return [Path(entry.local_path) for artifact in artifacts for entry in artifact.manifest.contents]
