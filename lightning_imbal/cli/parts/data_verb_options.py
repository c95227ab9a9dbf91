"""What `prepare` and `audit` take beside the options of a data set."""

from typing import Any, NamedTuple

PARTS = ("train", "val", "test")


class Own(NamedTuple):
    """An option of a verb whose other options are those of a data set."""

    type: Any
    default: Any
    shown: str
    help: str


JSON = {"json": Own(str | None, None, "FILE", "file to write what was found to")}
PREPARE = {"verify": Own(bool, False, "false", "compare the checksums of the whole cache")}
AUDIT = {
    **{part: Own(str | None, None, "FILE", f"instead of data: CSV of the images for {part}") for part in PARTS},
    "groups": Own(str | None, None, "FILE", "CSV with columns image and lesion_id or group"),
    "images": Own(str | None, None, "DIR", "folder of the listed pictures"),
    "distance": Own(int | None, None, "null", "bits of 256 that may differ in near-duplicates; null: 60, or fewer"),
    "mirrored": Own(bool, False, "false", "whether to find mirrored and turned copies too"),
}
