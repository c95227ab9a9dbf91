"""Tiny copies of every data set in its real on-disk layout, generated.

Each function writes into an empty folder and returns it. A class is a colour (`class_of` reads it back), and every
group (patient, lesion) has two images.
"""

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
import pandas as pd
from scipy.io import savemat

from lightning_imbal.data.sets.chest_xray import COUNTS as XRAY_FINDINGS
from lightning_imbal.data.sets.fundus_dr import CLASSES as FUNDUS_CLASSES
from lightning_imbal.data.sets.fundus_dr import FOLDERS as FUNDUS_FOLDERS
from lightning_imbal.data.sets.fundus_dr import TOP as FUNDUS_TOP
from lightning_imbal.data.sets.hyper_kvasir import COUNTS as KVASIR_FINDINGS

COLOURS = np.stack(np.meshgrid(*[np.arange(28, 256, 50)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
GREY = np.arange(15, 256, 25)
ISIC2019_COUNTS = {"MEL": 12, "NV": 24, "BCC": 10, "AK": 8, "BKL": 10, "DF": 6, "VASC": 6, "SCC": 8}
DOG_BREEDS = ("n02085620-Chihuahua", "n02086240-Shih-Tzu", "n02088364-beagle", "n02099712-Labrador_retriever")


def class_of(image: np.ndarray) -> int:
    """Class of a generated picture: the nearest colour, or grey level if all channels are equal."""
    mean = image.reshape(-1, 3).mean(axis=0)
    if (image == image[..., :1]).all():
        return int(abs(GREY - mean[0]).argmin())
    return int(abs(COLOURS - mean).sum(axis=1).argmin())


def pixels(label: Sequence[int], side: int = 8, grey: bool = False, seed: int = 0) -> np.ndarray:
    """Pictures (N, side, side[, 3]) in the colours of their classes, with noise."""
    colour = GREY[np.asarray(label)][:, None, None] if grey else COLOURS[np.asarray(label)][:, None, None]
    noise = np.random.default_rng(seed).integers(-8, 9, (len(label), side, side) + (() if grey else (3,)))
    return (colour + noise).clip(0, 255).astype(np.uint8)


def paint(files: Sequence[Path], label: Sequence[int]) -> None:
    """Writes a picture for every label; no two are identical."""
    for folder in {file.parent for file in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for file, image in zip(files, pixels(label, seed=crc32(files[0].name.encode())), strict=True):
        assert cv2.imwrite(str(file), image[..., ::-1])


def labels(counts: Sequence[int], seed: int = 0) -> np.ndarray:
    """Labels with the given class sizes, in random order."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def pairs(label: np.ndarray) -> np.ndarray:
    """Groups of two images, each of one class as far as possible."""
    group = np.empty(len(label), dtype=int)
    group[np.argsort(label, kind="stable")] = np.arange(len(label)) // 2
    return group


def isic2019(root: Path) -> Path:
    label = labels(list(ISIC2019_COUNTS.values()))
    image = [f"ISIC_{i:07d}{'' if i % 12 else '_downsampled'}" for i in range(len(label))]
    paint([root / "ISIC_2019_Training_Input" / f"{name}.jpg" for name in image], label)
    truth = {name: (label == i).astype(float) for i, name in enumerate(ISIC2019_COUNTS)}
    truth = pd.DataFrame({"image": image, **truth, "UNK": 0.0})
    truth.to_csv(root / "ISIC_2019_Training_GroundTruth.csv", index=False)
    lesion = [f"BCN_{group:07d}" if group % 5 else "" for group in pairs(label)]
    metadata = {"image": image, "age_approx": 55, "anatom_site_general": "", "lesion_id": lesion, "sex": "female"}
    pd.DataFrame(metadata).to_csv(root / "ISIC_2019_Training_Metadata.csv", index=False)
    return root


def aptos(root: Path) -> Path:
    label = labels([24, 8, 14, 6, 8])
    code = [f"{i:012x}" for i in range(len(label))]
    paint([root / "train_images" / f"{name}.png" for name in code], label)
    pd.DataFrame({"id_code": code, "diagnosis": label}).to_csv(root / "train.csv", index=False)
    return root


def eyepacs(root: Path) -> Path:
    first = 1
    for file, folder, counts in [
        ("trainLabels.csv", "train", [30, 10, 16, 8, 8]),
        ("retinopathy_solution.csv", "test", [12, 6, 8, 6, 6]),
    ]:
        label = labels(counts)
        image = [f"{first + i // 2}_{'left' if i % 2 == 0 else 'right'}" for i in range(len(label))]
        first += len(label)
        paint([root / folder / f"{name}.jpeg" for name in image], label)
        table = pd.DataFrame({"image": image, "level": label})
        if folder == "test":
            table["Usage"] = np.where(label % 2, "Public", "Private")
        table.to_csv(root / file, index=False)
    return root


def messidor2(root: Path) -> Path:
    """One image is not gradable; endings on disk differ from those in the file in kind and case."""
    label = labels([10, 6, 8, 6, 6])
    stem = [f"20051020_{i:05d}_0100_PP" if i % 2 else f"IM{i:06d}" for i in range(len(label))]
    paint([root / "IMAGES" / (name + (".png" if name[0] == "2" else ".JPG")) for name in stem], label)
    table = pd.DataFrame(
        {
            "image_id": [name + (".png" if name[0] == "2" else ".jpg") for name in stem],
            "adjudicated_dr_grade": label,
            "adjudicated_dme": 0,
            "adjudicated_gradable": 1,
        }
    )
    table.loc[len(table)] = ["IM009999.jpg", None, None, 0]
    table.to_csv(root / "messidor_data.csv", index=False)
    return root


def hyper_kvasir(root: Path) -> Path:
    findings = sorted(KVASIR_FINDINGS)
    label = labels([14] * len(findings))
    video = [f"{i:08x}-0000-4000-8000-000000000000" for i in range(len(label))]
    organ = np.where(label % 2, "Lower GI", "Upper GI")
    classification = np.where(label % 3, "anatomical-landmarks", "pathological-findings")
    name = np.array(findings)[label]
    places = zip(organ, classification, name, video, strict=True)
    tract = {"Lower GI": "lower-gi-tract", "Upper GI": "upper-gi-tract"}
    number = np.array([list(KVASIR_FINDINGS).index(finding) for finding in findings])
    paint([root / "labeled-images" / tract[o] / c / n / f"{v}.jpg" for o, c, n, v in places], number[label])
    table = {"Video file": video, "Organ": organ, "Finding": name, "Classification": classification}
    pd.DataFrame(table).to_csv(root / "image-labels.csv", index=False)
    for folds in (2, 5):
        rank = pd.Series(label).groupby(label).cumcount()
        # Other class names, in another order, as in the official file.
        split = {"file-name": [f"{v}.jpg" for v in video], "class-name": "normal-" + name, "split-index": rank % folds}
        pd.DataFrame(split)[::-1].to_csv(root / f"{folds}_fold_split.csv", sep=";", index=False)
    return root


def chest_xray14(root: Path) -> Path:
    """24 images of each finding alone, and some with several."""
    label = labels([24] * len(XRAY_FINDINGS))
    patient = pairs(label)
    image = pd.Series([f"{p:08d}_{i:03d}.png" for i, p in enumerate(patient)])
    folders = [root / f"images_{1 + i % 2:03d}" / "images" for i in range(len(label))]
    paint([folder / name for folder, name in zip(folders, image, strict=True)], label)
    several = pd.DataFrame({"Image Index": ["00009999_000.png"], "Finding Labels": "Hernia|Mass", "Patient ID": 9999})
    alone = pd.DataFrame(
        {"Image Index": image, "Finding Labels": np.array(list(XRAY_FINDINGS))[label], "Patient ID": patient}
    )
    pd.concat([several, alone]).to_csv(root / "Data_Entry_2017_v2020.csv.gz", index=False)
    for part, of_part in [("train_val", patient % 4 != 0), ("test", patient % 4 == 0)]:
        (root / f"{part}_list.txt").write_text("\r\n".join(image[of_part]))
    return root


def medmnist(
    root: Path, flag: str = "retinamnist", counts: dict | None = None, side: int = 28, grey: bool = False
) -> Path:
    counts = counts or {"train": [20, 8, 10, 9, 6], "val": [6] * 5, "test": [6] * 5}
    arrays = {}
    for part, sizes in counts.items():
        label = labels(sizes)
        arrays[f"{part}_images"] = pixels(label, side, grey, seed=len(arrays))
        arrays[f"{part}_labels"] = label.astype(np.uint8)[:, None]
    np.savez_compressed(root / f"{flag}.npz", **arrays)
    return root


def pathmnist(root: Path) -> Path:
    return medmnist(root, "pathmnist", {"train": [20 + i for i in range(9)], "val": [6] * 9, "test": [6] * 9})


def octmnist(root: Path) -> Path:
    return medmnist(root, "octmnist", {"train": [20, 10, 8, 30], "val": [6] * 4, "test": [6] * 4}, grey=True)


def flowers(root: Path) -> Path:
    label = labels([20 + 6 * (i % 3) for i in range(102)])
    paint([root / "jpg" / f"image_{i:05d}.jpg" for i in range(1, len(label) + 1)], label)
    savemat(root / "imagelabels.mat", {"labels": label + 1})
    number = np.random.default_rng(0).permutation(len(label)) + 1
    sets = {"trnid": number[:1020], "valid": number[1020:1200], "tstid": number[1200:]}
    savemat(root / "setid.mat", {name: part[None] for name, part in sets.items()})
    return root


def dogs(root: Path) -> Path:
    """Four breeds, 20 training and 6 test images of each; the lists are MATLAB cells as in the archive."""
    (root / "lists").mkdir()
    for part, size in [("train", 20), ("test", 6)]:
        label = np.repeat(np.arange(len(DOG_BREEDS)), size)
        synset = [DOG_BREEDS[i].split("-")[0] for i in label]
        rows = zip(label, synset, strict=True)
        image = [f"{DOG_BREEDS[i]}/{s}_{'1' if part == 'train' else '2'}{n}.jpg" for n, (i, s) in enumerate(rows)]
        paint([root / "Images" / name for name in image], label)
        cells = np.array(image, dtype=object)[:, None]
        content = {"file_list": cells, "annotation_list": cells, "labels": label[:, None] + 1}
        savemat(root / "lists" / f"{part}_list.mat", content)
    return root


def chula_rbc12(root: Path) -> Path:
    """24 smears of 6 cells in the colours of their classes, one of elliptocytes, and three without labels."""
    label = np.append(labels([12] * 12), [12] * 6).reshape(-1, 6)
    for folder in ("Dataset", "Label"):
        (root / folder).mkdir()
    for number, classes in enumerate(label, start=1):
        rng = np.random.default_rng(number)
        smear = np.full((480, 640, 3), rng.integers(90, 170, 3), np.uint8)
        place = rng.permutation(35)[:6]
        x, y = place % 7 * 88 + 50, place // 7 * 88 + 50
        for left, top, cell in zip(x - 44, y - 44, pixels(classes, side=88, seed=number), strict=True):
            smear[top : top + 88, left : left + 88] = cell
        assert cv2.imwrite(str(root / f"Dataset/{number}.jpg"), smear[..., ::-1])
        lines = [f"{i} {j} {name}" for i, j, name in zip(x, y, classes, strict=True)]
        (root / f"Label/{number}.txt").write_text("\n".join(lines) + "\n")
    paint([root / f"Dataset/{number}.jpg" for number in (26, 27, 28)], [0, 0, 0])
    (root / "Label/26.txt").touch()
    return root


def fundus_dr(root: Path) -> Path:
    """Both eyes of 45 patients, some of two classes, in the colours of the grades; one name has a hyphen."""
    folder = np.roll(np.repeat(np.arange(10), [20, 8, 8, 8, 8, 8, 8, 8, 8, 6]), 1)
    name = [f"Patient{i // 2 + 1:03d}{'-' if i == 7 else '_'}{'LR'[i % 2]}.jpg" for i in range(len(folder))]
    grade = [10 if grade is None else grade for _, grade in FUNDUS_CLASSES.values()]
    top = root / FUNDUS_TOP
    files = [top / FUNDUS_FOLDERS[number] / file for number, file in zip(folder, name, strict=True)]
    paint(files, [grade[number] for number in folder])
    return root


def csv_data(root: Path) -> Path:
    """`labels.csv` with the columns image, label, part and patient; pictures in `images`."""
    label = labels([24, 12, 8])
    image = [f"images/{i:03d}.png" for i in range(len(label))]
    paint([root / name for name in image], label)
    patient = pairs(label)
    part = np.array(["train", "train", "val", "test"])[patient % 4]
    name = np.array(["benign", "malignant", "unclear"])[label]
    table = {"image": image, "label": name, "part": part, "patient": [f"p{number}" for number in patient]}
    pd.DataFrame(table).to_csv(root / "labels.csv", index=False)
    return root


def folder_data(root: Path) -> Path:
    """One folder per class below train, val and test."""
    for part, counts in {"train": [16, 8, 6], "val": [6] * 3, "test": [6] * 3}.items():
        label = labels(counts)
        name = np.array(["benign", "malignant", "unclear"])[label]
        paint([root / part / n / f"{i:03d}.png" for i, n in enumerate(name)], label)
    return root
