"""FundusDR: photographs of both retinas of 300 patients, by retinopathy and maculopathy."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.sets.aptos import GRADES
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

TOP = "DR and maculopathy 10 classes"
# Number of photographs, and the grade; none for advanced diabetic eye disease.
CLASSES = {
    "No DR": (276, 0),
    "Mild DR without maculopathy": (72, 1),
    "Mild DR with maculopathy": (27, 1),
    "Moderate DR without maculopathy": (85, 2),
    "Moderate DR with maculopathy": (83, 2),
    "Severe DR without maculopathy": (23, 3),
    "Severe DR with maculopathy": (11, 3),
    "PDR without maculopathy": (6, 4),
    "PDR with maculopathy": (10, 4),
    "ADED": (7, None),
}
FOLDERS = [f"{number} - {name}" for number, name in enumerate(CLASSES, start=1)]


class FundusDR(ImbalDataModule):
    """DR and maculopathy in 10 classes (Rahim 2025): 600 photographs of the retina, both eyes of 300 patients.

    Expects below `root` the folder `DR and maculopathy 10 classes` with its ten folders `1 - No DR` to `10 - ADED`, or
    these ten. The five grades of retinopathy, with or without maculopathy, have 276 / 99 / 168 / 34 / 16 photographs
    and the names that they have in APTOS2019, EyePACS and Messidor2, so that a model of one can be tested on another.
    The 7 photographs of advanced diabetic eye disease (ADED) are left out of them: it is none of the five.

    A patient has two eyes, which may be of different classes: both are on one side of the split. Some patients have two
    numbers: those of 299 and 300 are the same files, of two grades, and 44 and 87, 58 and 155, 67 and 237 show the same
    eyes; `group_by: duplicates` joins them, too. The default split is a 7:1:2 holdout, with the classes in proportion
    as far as whole patients allow. Free for academic purposes, with attribution.

    Args:
        root: Folder of the data set.
        classes: `grades` joins the folders to five grades; `official` has the ten folders, which have no order.
        group_by: As in `ImbalDataModule`.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    class_names: tuple[str, ...] = GRADES
    ordered = True
    group_name = "patient"
    default_split = Holdout(test=0.2, val=0.1)
    official_counts: tuple[int, ...] = (276, 99, 168, 34, 16)

    def __init__(
        self,
        root: str,
        classes: Literal["grades", "official"] = "grades",
        group_by: str | None = "patient",
        **kwargs: Any,
    ) -> None:
        super().__init__(root=root, group_by=group_by, **kwargs)
        if classes == "official":
            self.class_names, self.ordered = tuple(CLASSES), False
            self.official_counts = tuple(number for number, _ in CLASSES.values())
        grade = [grade for _, grade in CLASSES.values()]
        self.label_of_folder = grade if classes == "grades" else range(len(CLASSES))

    def read_index(self) -> pd.DataFrame:
        photographs = self._photographs
        label = photographs["folder"].map(dict(enumerate(self.label_of_folder)))
        return photographs.drop(columns="folder").assign(label=label)[label.notna()].astype({"label": int})

    @property
    def remarks(self) -> list[str]:
        left_out = int(self._photographs["folder"].map(dict(enumerate(self.label_of_folder))).isna().sum())
        told = f"Left out: {number_of(left_out, 'photograph')} of advanced diabetic eye disease, none of the 5 grades."
        return [told] if left_out else []

    @cached_property
    def _photographs(self) -> pd.DataFrame:
        """All of them: `image`, `path`, `group` and the number of the `folder`."""
        folder = self.folder("https://github.com/SRahimDR/DR-image-dataset")
        first = folder.need({"first": [f"{TOP}/{FOLDERS[0]}", FOLDERS[0], f"*/{FOLDERS[0]}"]})["first"]
        found = replace(folder, root=first.parent).need({name: [name] for name in FOLDERS})
        rows = [
            (Path(file).stem, f"{folder}/{file}", number)
            for number, folder in enumerate(found.values())
            for file in pictures_in(folder)
        ]
        table = pd.DataFrame(rows, columns=["image", "path", "folder"])
        patient = table["image"].str.extract(r"^Patient(\d+)[-_][LR]$")[0]  # 254-R is written so
        if patient.isna().any():
            first = table["path"][patient.isna()].iloc[0]
            raise UserError(
                f"The name of {first} does not say whose eye it is ({patient.isna().sum()} such photographs): give it "
                "the official one, such as Patient001_L.jpg, or remove it."
            )
        return table.assign(group=patient)
