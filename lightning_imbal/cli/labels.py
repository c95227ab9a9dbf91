"""`lightning_imbal labels`: which labels are suspicious, by what networks say that have not seen the image."""

import argparse
from pathlib import Path

from lightning_imbal.atomic_files import refuse_unwritable, write_json, write_whole
from lightning_imbal.cli.parts.verb_options import labels as labels_parser
from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import first_free
from lightning_imbal.runs.run import Run

FILE = "labels.csv"
NEXT = "Next: look at the pictures, and write the right class, or drop, into the column `decision` of what is wrong."


def run(args: list[str]) -> int:
    """Runs `labels` and returns the exit status."""
    given = labels_parser().parse_args(args[1:])
    folder = Path(given.out)
    _check(given, folder)
    runs = [Run(place) for place in given.runs]
    from rich.console import Console

    from lightning_imbal.report.labels import print_labels, print_truth
    from lightning_imbal.runs.spreadsheet import to_csv
    from lightning_imbal.runs.title import data_title, ordered_classes
    from lightning_imbal.stats.held_out import held_out
    from lightning_imbal.stats.label_truth import found_of_truth, read_truth
    from lightning_imbal.stats.wrong_labels import suspicions

    held = held_out(runs)
    names = list(held.images.class_names)
    truth = None if given.truth is None else read_truth(Path(given.truth), names, held.images.image.tolist())
    found = suspicions(held, ordered=all(ordered_classes(each.identity) for each in runs))
    data = data_title(runs[0].identity)
    console = Console()
    print_labels(found, f"Suspicious labels of {data}", console)
    checked = None if truth is None else found_of_truth(found.table, truth)
    if checked is not None:
        print_truth(checked, console)
    table = found.table.assign(decision="")
    write_whole(folder / FILE, lambda file: to_csv(table, file, float_format="%.6g"))
    print(f"Labels: {folder / FILE}")
    if given.html:
        from lightning_imbal.report.page.labels import write_labels_page

        page, places = folder / "labels.html", [each.folder for each in runs]
        write_labels_page(found, page, f"Suspicious labels of {data}", places, given.most, getattr(given, "data.root"))
        print(f"Page: {page} (open it in a browser)")
    if given.json is not None:
        of_truth = None if checked is None else checked.to_dict("records")
        content = {"classes": found.classes.to_dict("records"), "notes": found.notes, "truth": of_truth}
        write_json(Path(given.json), content)
        print(f"Found: {given.json}")
    print(NEXT)
    return 0


def _check(given: argparse.Namespace, folder: Path) -> None:
    """Refuses, before anything is read, what cannot be written, or would be lost."""
    refuse_unwritable("--out", given.out, folder=True)
    if (folder / FILE).exists():
        raise UserError(
            f"{folder / FILE} is there already, perhaps with decisions in it: give another --out, such as "
            f"{first_free(folder)}."
        )
    if given.most < 1:
        raise UserError(f"--most is {given.most}: give a whole number above 0.")
    if given.json is not None:
        refuse_unwritable("--json", given.json)
    if getattr(given, "data.root") is not None and not given.html:
        raise UserError("--data.root is for the pictures of the page: add --html.")
    if (root := getattr(given, "data.root")) is not None and not Path(root).exists():
        raise UserError(f"--data.root {root} is not there: give the folder that the pictures are in now.")
