"""Photographs and tomography of the retina."""

from pathlib import Path

from public_layouts.layout import layout, paint, table


@layout(
    *("Messidor-2", "https://www.kaggle.com/datasets/mariaherrerot/messidor2preprocess"),
    kind="csv",
    labels="messidor_data.csv",
    image_column="id_code",
    label_column="diagnosis",
    classes={"0": 22, "1": 6, "2": 8, "3": 3, "4": 3},
)
def messidor_2(root: Path, label: list[str]) -> None:
    """The endings of some images are in capital letters on the disk only."""
    rows, pictures = [], {}
    for i, grade in enumerate(label):
        stem = f"IM{4811 + i:06d}" if i % 3 else f"20051020_{44982 + i}_0100_PP"
        rows.append([stem + (".jpg" if i % 3 else ".png"), grade, int(grade > "2"), 1])
        pictures[f"messidor-2/messidor-2/preprocess/{stem}{'.JPG' if i % 3 else '.png'}"] = grade
    table(root / "messidor_data.csv", "id_code,diagnosis,adjudicated_dme,adjudicated_gradable", rows)
    paint(root, pictures)


@layout(
    *("IDRiD", "https://ieee-dataport.org/open-access/indian-diabetic-retinopathy-image-dataset-idrid"),
    kind="csv",
    root="B. Disease Grading/1. Original Images/a. Training Set",
    labels="B. Disease Grading/2. Groundtruths/a. IDRiD_Disease Grading_Training Labels.csv",
    image_column="Image name",
    label_column="Retinopathy grade",
    classes={"0": 14, "1": 3, "2": 14, "3": 8, "4": 5},
)
def idrid(root: Path, label: list[str]) -> None:
    """Two columns of labels, and empty ones; the test set has a file of its own and the same names of images."""
    folder = root / "B. Disease Grading"
    header = "Image name,Retinopathy grade,Risk of macular edema ,,,,,,,,,"
    for part, grades in {"a. Training": label, "b. Testing": label[:12]}.items():
        names = [f"IDRiD_{i + 1:03d}" for i in range(len(grades))]
        rows = [[name, grade, int(grade) // 2, *[""] * 9] for name, grade in zip(names, grades, strict=True)]
        letter, word = part.split()
        table(folder / f"2. Groundtruths/{letter} IDRiD_Disease Grading_{word} Labels.csv", header, rows)
        place = f"1. Original Images/{part} Set"
        paint(folder, {f"{place}/{name}.jpg": grade for name, grade in zip(names, grades, strict=True)})


@layout(
    *("ODIR-5K", "https://www.kaggle.com/datasets/andrewmvd/ocular-disease-recognition-odir5k"),
    kind="refused",
    labels="full_df.csv",
    says=("several findings per image",),
    classes={"N": 16, "D": 12, "G": 4, "C": 3, "A": 3, "H": 2, "M": 2, "O": 6},
)
def odir_5k(root: Path, label: list[str]) -> None:
    """A row per eye, with the findings of both eyes of the patient in eight columns, and every picture twice."""
    findings, rows, pictures = "NDGCAHMO", [], {}
    for i, finding in enumerate(label):
        patient, side = i // 2, ("left", "right")[i % 2]
        known = {finding, label[i ^ 1]} - ({"N"} if label[i ^ 1] != finding else set())
        marks = [int(name in known) for name in findings]
        name = f"{patient}_{side}.jpg"
        alone = [int(other == finding) for other in findings]
        words = ["cataract", "normal fundus"]
        row = [patient, 50 + patient, ("Male", "Female")[patient % 2], f"{patient}_left.jpg", f"{patient}_right.jpg"]
        path = f"../input/ocular-disease-recognition-odir5k/ODIR-5K/Training Images/{name}"
        rows.append([*row, *words, *marks, path, f"['{finding}']", alone, name])
        pictures |= {f"{place}/{name}": finding for place in ("preprocessed_images", "ODIR-5K/ODIR-5K/Training Images")}
    table(
        root / "full_df.csv",
        "ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,Right-Diagnostic Keywords,"
        "N,D,G,C,A,H,M,O,filepath,labels,target,filename",
        rows,
    )
    paint(root, pictures)


@layout(
    *("RFMiD", "https://ieee-dataport.org/open-access/retinal-fundus-multi-disease-image-dataset-rfmid"),
    kind="refused",
    labels="Training_Set/Training_Set/RFMiD_Training_Labels.csv",
    says=("several findings per image",),
    classes={"DR": 12, "ARMD": 4, "MH": 8, "DN": 6, "MYA": 4, "normal": 10},
)
def rfmid(root: Path, label: list[str]) -> None:
    """A column per finding and one for any; the three sets have the same names of images."""
    findings = ["DR", "ARMD", "MH", "DN", "MYA", "BRVO", "TSLN", "ERM", "LS", "MS", "CSR", "ODC", "CRVO"]
    for folder, part, labels, first in [
        ("Training_Set", "Training", "Training", 0),
        ("Evaluation_Set", "Validation", "Validation", 28),
        ("Test_Set", "Test", "Testing", 36),
    ]:
        known = label[first : {0: 28, 28: 36, 36: 44}[first]]
        rows = [
            [i + 1, int(name != "normal"), *(int(f == name or (f == "TSLN" and i % 5 == 0)) for f in findings)]
            for i, name in enumerate(known)
        ]
        place = root / folder / folder
        table(place / f"RFMiD_{labels}_Labels.csv", ",".join(["ID", "Disease_Risk", *findings]), rows)
        paint(place, {f"{part}/{i + 1}.png": name for i, name in enumerate(known)})


@layout(
    *("OCT2017", "https://data.mendeley.com/datasets/rscbjbr9sj/3"),
    root="OCT2017 ",
    classes={"CNV": 22, "DME": 10, "DRUSEN": 8, "NORMAL": 20},
    split={"train": 44, "val": 6, "test": 10},
    group_pattern=r"-(\d+)-\d+\.jpeg$",
    groups=20,
)
def oct2017(root: Path, label: list[str]) -> None:
    """The name of its folder ends with a space; patients are in several parts."""
    part = ["train"] * 44 + ["val"] * 6 + ["test"] * 10
    names = (f"{name}-{1016042 + i // 3}-{1 + i % 3}.jpeg" for i, name in enumerate(label))
    rows = zip(part, label, names, strict=True)
    paint(root, {f"OCT2017 /{place}/{name}/{file}": name for place, name, file in rows})


@layout(
    *("EyePACS", "https://www.kaggle.com/c/diabetic-retinopathy-detection/data"),
    kind="csv",
    labels="trainLabels.csv",
    image_column="image",
    label_column="level",
    group_pattern=r"(\d+)_(?:left|right)",
    groups=25,
    classes={"0": 36, "1": 4, "2": 6, "3": 2, "4": 2},
)
def eyepacs(root: Path, label: list[str]) -> None:
    """Two eyes of every patient, who is named by the image alone."""
    names = [f"{10 + 3 * (i // 2)}_{('left', 'right')[i % 2]}" for i in range(len(label))]
    table(root / "trainLabels.csv", "image,level", zip(names, label, strict=True))
    paint(root, {f"train/{name}.jpeg": grade for name, grade in zip(names, label, strict=True)})
