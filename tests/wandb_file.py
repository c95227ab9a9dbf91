"""Reads an offline W&B run back: a LevelDB log of protocol buffer records."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

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
