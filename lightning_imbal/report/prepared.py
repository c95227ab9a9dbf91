"""What `lightning_imbal prepare` found, in the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.report.terminal import print_list


def print_prepared(found: dict[str, Any]) -> None:
    """Prints classes, complaints, unreadable pictures and the cache.

    Args:
        found: What `data.prepare.prepare` returns.
    """
    console = Console()
    table = Table(title=found["name"], title_justify="left")
    table.add_column("class")
    known = any(row["official"] is not None for row in found["classes"])
    for column in ["images", "official"] if known else ["images"]:
        table.add_column(column, justify="right")
    for row in found["classes"]:
        numbers = [f"{row['images']:,}"] + ([f"{row['official']:,}"] if known else [])
        table.add_row(
            Text(row["name"]), *numbers, style="bold red" if known and row["images"] != row["official"] else None
        )
    console.print(table)
    largest, smallest = (choose(row["images"] for row in found["classes"]) for choose in (max, min))
    total = sum(row["images"] for row in found["classes"])
    console.print(f"{total:,} images, imbalance ratio {largest / smallest:.1f}" if smallest else f"{total:,} images")
    for sentence in found.get("depths", []):
        console.print(Text(sentence), soft_wrap=True)
    for complaint in found["complaints"]:
        console.print(Text(complaint, "bold red"))
    lists = {
        "cannot be read": [f"{row['image']}: {row['cause']}" for row in found.get("unreadable", [])],
        "beside them have no label here and are not used": found.get("unused", []),
    }
    for what, rows in lists.items():
        if rows:
            print_list(console, f"{len(rows):,} pictures {what}:", rows)
    if "cache" in found:
        done = f"{found['decoded']:,} decoded now" if found["decoded"] else "it was up to date"
        console.print(Text(f"Cache: {found['cache']} ({found['bytes'] / 1e9:.2f} GB, {done})."), soft_wrap=True)
        console.print("Train from it with --data.cache disk and the same --data.image_size or --data.short_side.")
