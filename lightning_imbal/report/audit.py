"""The report of an audit in the terminal: the verdict first, then what each pair of parts shares."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.report.terminal import print_list
from lightning_imbal.wording import number_of

WHOLE = ("groups", "identical_files")  # without which an audit is none
WORD = {"train": "training", "val": "validation", "test": "test"}


def print_audit(report: dict[str, Any], title: str) -> None:
    """Prints what `lightning_imbal.data.audit.audit` found.

    Args:
        report: What it returned.
        title: What was looked at, such as the name of a data set.
    """
    console = Console()
    console.print(Text(title, "bold"), soft_wrap=True)
    sure = all(report[name] is not None for name in WHOLE)
    colour = "red" if report["leaks"] else "green" if sure else "yellow"
    console.print(Text(verdict(report), f"bold {colour}"), soft_wrap=True)
    if (unchecked := not_checked(report)) and (sure or report["leaks"]):
        console.print(Text(f"Not checked: {'; '.join(unchecked)}."), soft_wrap=True)
    if report["groups"] is None and (suspected := report.get("suspected_groups")):
        console.print(Text(f"To keep {suspected['word']}s together: {suspected['option']}"), soft_wrap=True)
    for heading, table in group_tables(report):
        console.print(Text(heading, "bold"), soft_wrap=True)
        console.print(table)
    for heading, rows, number in lists(report):
        print_list(console, heading, rows, number)
    for line in remarks(report):
        console.print(Text(line), soft_wrap=True)


def verdict(report: dict[str, Any]) -> str:
    """Says in one line what leaks, or that nothing does."""
    name = report["group_name"]
    found = [
        f"{pair['images']} of {pair['of']} {WORD[first]} images share a {name} with {WORD[second]} images"
        for first, second, pair in _pairs(report)
        if pair["images"]
    ]
    if number := len(_in_several_parts(report)):
        found.append(f"{number_of(number, 'id')} in several parts")
    if number := len((report["identical_files"] or {}).get("across_parts", ())):
        found.append(f"{number_of(number, 'set')} of identical files across parts")
    if number := report["near_duplicate_pairs"]:
        found.append(f"{number_of(number, 'pair')} of near-duplicates across parts")
    if found:
        return f"LEAKS: {', '.join(found)}."
    checked = [name] if report["groups"] else []
    checked += ["id"] if report["identical_files"] is None else ["id", "identical file", "near-duplicate"]
    nothing = f"no {' and no '.join(checked)} is in two parts."
    if all(report[name] is not None for name in WHOLE):
        return f"No leak found: {nothing}"
    return f"Not checked: {'; '.join(not_checked(report))}. Nothing leaks in the rest: {nothing}"


def not_checked(report: dict[str, Any]) -> list[str]:
    """What could not be looked for, and how many images were left out of what was."""
    left_out = []
    if report["groups"] is None:
        left_out.append(_unchecked_groups(report))
    elif number := report["groups"]["unknown"]:
        left_out.append(f"{number_of(number, 'image')} without a known {report['group_name']}")
    if report["identical_files"] is None:
        left_out.append("identical and near-duplicate pictures (no folder of images is known)")
    elif number := report["absent_files"]:
        left_out.append(f"{number_of(number, 'image')} whose file was not found")
    if report["unreadable"]:
        left_out.append(f"{number_of(len(report['unreadable']), 'picture')} that cannot be read")
    if report["flat_images"]:
        left_out.append(f"{number_of(report['flat_images'], 'picture')} of a single colour, for near-duplicates")
    return left_out


def _unchecked_groups(report: dict[str, Any]) -> str:
    name, suspected = report["group_name"], report.get("suspected_groups")
    if not suspected:
        return f"{name}s in several parts (no {name} is known)"
    return f"groups ({suspected['said']}, and {suspected['torn']} are in several parts of this split)"


def group_tables(report: dict[str, Any]) -> Iterator[tuple[str, Table]]:
    """For each pair of parts that share groups, a heading and the images of every class, most affected class first."""
    for first, second, pair in _pairs(report):
        if not pair["images"]:
            continue
        table = Table()
        table.add_column("class", no_wrap=True)
        for column in ("images", "of", "share"):
            table.add_column(column, justify="right", style="bold" if column == "share" else "")
        for label, row in sorted(pair["per_class"].items(), key=lambda item: -item[1]["images"] / item[1]["of"]):
            table.add_row(Text(label), *_cells(row))
        table.add_section()
        table.add_row("all", *_cells(pair))
        groups = number_of(pair["groups"], report["group_name"])
        yield f"{first} images whose {report['group_name']} is also in {second}: {groups} in both", table


def lists(report: dict[str, Any]) -> Iterator[tuple[str, Sequence[str], int]]:
    """Headings of the lists that are not empty, their rows, and how many rows there are in truth."""
    identical = (report["identical_files"] or {}).get("across_parts", [])
    near = report["near_duplicates"] or []
    found = [
        (
            "Ids in several rows",
            [f"{entry['image']}: {', '.join(entry['parts'])}" for entry in report["same_id"]],
        ),
        (
            "Identical files across parts",
            [" = ".join(f"{image['image']} ({image['part']})" for image in images) for images in identical],
        ),
        (
            "Near-duplicates across parts, confirmed by their pixels",
            [
                f"{pair['distance']:3d} bits, likeness {pair['likeness']:.2f}{', turned' if pair['turned'] else ''}: "
                f"{_who(pair['first'])} ~ {_who(pair['second'])}"
                for pair in near
            ],
        ),
        ("Pictures that cannot be read", [f"{entry['image']}: {entry['cause']}" for entry in report["unreadable"]]),
        ("Unknown labels", [f"{label}: {number_of(n, 'image')}" for label, n in report["unknown_labels"].items()]),
    ]
    for heading, rows in found:
        if rows:
            yield heading, rows, report["near_duplicate_pairs"] if heading.startswith("Near") else len(rows)


def remarks(report: dict[str, Any]) -> Iterator[str]:
    """Sentences about sizes, classes and formats."""
    yield "Images: " + ", ".join(f"{part['images']} {name}" for name, part in report["parts"].items()) + "."
    yield from report.get("depths", ())
    for key, number in (("missing_classes", "no image"), ("single_image_classes", "a single image")):
        for part, labels in report[key].items():
            if labels:
                yield f"{part} has {number} of: {', '.join(labels)}."
    if report["identical_files"] and (number := report["identical_files"]["within_parts"]):
        yield f"{number_of(number, 'further set')} of identical files inside one part."
    if number := report["rejected_pairs"]:
        these = f"{number_of(number, 'other pair')} across parts {'looks' if number == 1 else 'look'} alike"
        yield f"{these} at first sight, but not by the pixels (likeness below {report['likeness']:.2f})."
    if number := report["unlooked_pairs"]:
        yield (
            f"{number_of(number, 'pair')} that may look alike {'was' if number == 1 else 'were'} not compared by the "
            f"pixels, only the nearest were: look at fewer with --distance below {report['distance']}."
        )
    for heading, counts in (report["images"] or {}).items():
        first = [f"{name} ({n})" for name, n in list(counts.items())[:5]]
        more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
        if first:
            yield f"{heading.capitalize()}: {', '.join(first)}{more}."


def _pairs(report: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """First part, second part and what they share, test before val: its result is the one that is published."""
    pairs = [(*key.split("_vs_"), pair) for key, pair in (report["groups"] or {}).items() if key != "unknown"]
    return sorted(pairs, key=lambda pair: pair[:2])


def _in_several_parts(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in report["same_id"] if len(set(entry["parts"])) > 1]


def _cells(row: dict[str, Any]) -> list[str]:
    return [str(row["images"]), str(row["of"]), f"{row['images'] / row['of']:.1%}"]


def _who(image: dict[str, Any]) -> str:
    return f"{image['image']} ({image['part']}{'' if image['class'] is None else ', ' + image['class']})"
