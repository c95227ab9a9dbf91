"""The page of suspicious labels: the pictures of each class, the most suspicious first, without a script."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.report.page.page import breakable
from lightning_imbal.report.page.pictures import THUMBNAIL, pictures_of
from lightning_imbal.report.page.templates import templates
from lightning_imbal.stats.wrong_labels import Suspicions
from lightning_imbal.wording import number_of


def write_labels_page(
    found: Suspicions, file: Path, title: str, folders: Sequence[Path], most: int, root: str | None = None
) -> None:
    """Writes the suspicious labels of each class with pictures, rare classes first, as one file without a network.

    Args:
        found: What was found.
        file: Where to write.
        title: What was looked at.
        folders: Of the runs, of which one must tell where the pictures are.
        most: How many of each class are shown.
        root: Where the pictures are now, if not where the runs say.
    """
    classes = [_class(found.table, row, most, number + 1) for number, row in enumerate(_rare_first(found.classes))]
    images = [row["image"] for each in classes for row in each["rows"]]
    pictures, complaint = pictures_of(folders, images, root)
    environment = templates()
    environment.filters["breakable"] = breakable
    shown = f" and small pictures of {len(pictures)} of them" if pictures else ""
    text = environment.get_template("labels.html").render(
        title=title,
        facts=[
            f"{number_of(int(found.table['suspicious'].sum()), 'suspicious label')} of {len(found.table):,}",
            f"page of {date.today():%d %B %Y}",
        ],
        held=f"This page holds the names of {number_of(len(images), 'image')}{shown}.",
        notes=[*found.notes, *([complaint] if complaint else [])],
        classes=classes,
        pictures={image: Markup(address) for image, address in pictures.items()},
        side=THUMBNAIL,
    )
    write_whole(file, lambda path: path.write_text(text, encoding="utf-8"))


def _rare_first(classes: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in classes.sort_values("images").to_dict("records")]


def _class(table: pd.DataFrame, row: dict[str, Any], most: int, number: int) -> dict[str, Any]:
    """What the template shows of a class."""
    of_class = table[(table["label"] == row["class"]) & table["suspicious"]]
    rows = of_class.assign(group=of_class.get("group", "")).head(most).to_dict("records")
    left = len(of_class) - len(rows)
    told = f"{number_of(len(of_class), 'suspicious label')} of {number_of(row['images'], 'image')}"
    more = f": the first {len(rows)} of them, labels.csv has all" if left else ""
    return {**row, "name": row["class"], "rows": rows, "number": number, "told": f"{told}{more}."}
