"""What `lightning_imbal prepare` found, in the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

SHOWN = 20


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
        table.add_row(row["name"], *numbers, style="bold red" if known and row["images"] != row["official"] else None)
    console.print(table)
    largest, smallest = (choose(row["images"] for row in found["classes"]) for choose in (max, min))
    total = sum(row["images"] for row in found["classes"])
    console.print(f"{total:,} images, imbalance ratio {largest / smallest:.1f}" if smallest else f"{total:,} images")
    for complaint in found["complaints"]:
        console.print(f"[bold red]{complaint}", highlight=False)
    _print_list(console, "cannot be read", [f"{row['image']}: {row['cause']}" for row in found.get("unreadable", [])])
    _print_list(console, "beside them have no label here and are not used", found.get("unused", []))
    if "cache" in found:
        done = f"{found['decoded']:,} decoded now" if found["decoded"] else "it was up to date"
        console.print(
            f"Cache: {found['cache']} ({found['bytes'] / 1e9:.2f} GB, {done}).", highlight=False, soft_wrap=True
        )
        console.print("Train from it with --data.cache disk and the same --data.image_size or --data.short_side.")


def _print_list(console: Console, what: str, lines: list[str]) -> None:
    if lines:
        console.print(f"[bold]{len(lines):,} pictures {what}:", highlight=False)
    for line in lines[:SHOWN]:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if len(lines) > SHOWN:
        console.print(f"  ... and {len(lines) - SHOWN:,} more: --json FILE writes all.")
