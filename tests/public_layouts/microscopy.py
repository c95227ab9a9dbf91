"""Cells and tissue under the microscope."""

from hashlib import sha1
from pathlib import Path

from public_layouts.layout import layout, masks, paint, table


@layout(
    *("PBC", "https://data.mendeley.com/datasets/snkd93bnjr/1"),
    root="PBC_dataset_normal_DIB",
    classes={
        "basophil": 4,
        "eosinophil": 10,
        "erythroblast": 5,
        "ig": 9,
        "lymphocyte": 4,
        "monocyte": 5,
        "neutrophil": 11,
        "platelet": 8,
    },
)
def pbc(root: Path, label: list[str]) -> None:
    """A class has several kinds of names, and one hidden file is no picture."""
    stems = {"basophil": "BA", "eosinophil": "EO", "erythroblast": "ERB", "ig": "MMY IG MY PMY", "lymphocyte": "LY"}
    stems |= {"monocyte": "MO", "neutrophil": "BNE SNE NEUTROPHIL", "platelet": "PLATELET"}
    kinds = {name: stem.split() for name, stem in stems.items()}
    files = ((name, f"{kinds[name][i % len(kinds[name])]}_{100102 + 47 * i}.jpg") for i, name in enumerate(label))
    paint(root, {f"PBC_dataset_normal_DIB/{name}/{file}": name for name, file in files})
    (root / "PBC_dataset_normal_DIB/neutrophil/.DS_169665.jpg").write_bytes(b"\0\0\0\1Bud1")


@layout(
    *("LISC", "http://users.cecs.anu.edu.au/~hrezatofighi/Data/Leukocyte%20Data.htm"),
    root="LISC Database",
    classes={"Baso": 9, "eosi": 6, "lymp": 9, "mixt": 3, "mono": 8, "neut": 9},
    left_out=44,
)
def lisc(root: Path, label: list[str]) -> None:
    """Every picture has a mask, in folders of the same classes beside those of the pictures."""
    cells = [(name, label[: i + 1].count(name)) for i, name in enumerate(label)]
    paint(root, {f"LISC Database/Main Dataset/{name}/{number}.bmp": name for name, number in cells})
    place = "LISC Database/Ground Truth Segmentation"
    masks(root, [f"{place}/{name}/areaforexpert1/{number}_expert.bmp" for name, number in cells])


@layout(
    *("LC25000", "https://github.com/tampapath/lung_colon_image_set"),
    root="lung_colon_image_set",
    classes={"colon_aca": 9, "colon_n": 9, "lung_aca": 9, "lung_n": 9, "lung_scc": 9},
)
def lc25000(root: Path, label: list[str]) -> None:
    """The classes are the lower of two folders."""
    place = "lung_colon_image_set/{organ}_image_sets/{name}/{stem}{number}.jpeg"
    paint(
        root,
        {
            place.format(organ=name.split("_")[0], name=name, stem=name.replace("_", ""), number=i + 1): name
            for i, name in enumerate(label)
        },
    )


TISSUES = {"ADI": 6, "BACK": 6, "DEB": 6, "LYM": 7, "MUC": 5, "MUS": 8, "NORM": 5, "STR": 6, "TUM": 8}


@layout(*("NCT-CRC-HE-100K", "https://zenodo.org/records/1214456"), root="NCT-CRC-HE-100K", classes=TISSUES)
def nct_crc_he_100k(root: Path, label: list[str]) -> None:
    letters = [f"{chr(65 + i // 26)}{chr(65 + i % 26)}FLCLY" for i in range(len(label))]
    paint(root, {f"NCT-CRC-HE-100K/{n}/{n}-A{end}.tif": n for n, end in zip(label, letters, strict=True)})


@layout(
    *("PatchCamelyon", "https://www.kaggle.com/c/histopathologic-cancer-detection/data"),
    kind="csv",
    labels="train_labels.csv",
    image_column="id",
    label_column="label",
    classes={"0": 30, "1": 20},
    left_out=8,
)
def patch_camelyon(root: Path, label: list[str]) -> None:
    """Its test images have no labels, and sample_submission.csv none that is true."""
    names = [sha1(str(i).encode()).hexdigest() for i in range(58)]
    table(root / "train_labels.csv", "id,label", zip(names, label, strict=False))
    table(root / "sample_submission.csv", "id,label", ([name, 0] for name in names[50:]))
    paint(root, {f"train/{name}.tif": target for name, target in zip(names, label, strict=False)})
    paint(root, {f"test/{name}.tif": "?" for name in names[50:]})


@layout(
    *("BreakHis", "https://web.inf.ufpr.br/vri/databases/breast-cancer-histopathological-database-breakhis/"),
    root="BreaKHis_v1/histology_slides/breast",
    classes={"benign": 20, "malignant": 40},
    group_pattern=r"SOB_[BM]_[A-Z]+-(\d+-\w+)-\d+-\d+\.png$",
    groups=15,
)
def breakhis(root: Path, label: list[str]) -> None:
    """Below a class are kinds of tumours, then patients, then magnifications."""
    place = "BreaKHis_v1/histology_slides/breast/{0}/SOB/{1}/SOB_{2}_{3}_14-{4}/{5}X/SOB_{2}_{3}-14-{4}-{5}-{6:03d}.png"
    kinds = {"benign": ["adenosis", "fibroadenoma"], "malignant": ["ductal_carcinoma", "lobular_carcinoma"]}
    code = {"adenosis": "A", "fibroadenoma": "F", "ductal_carcinoma": "DC", "lobular_carcinoma": "LC"}
    pictures = {}
    for i, name in enumerate(sorted(label)):
        patient = i // 4
        kind = kinds[name][patient % 2]
        slide = f"{22549 + 112 * patient}{'AB' if patient % 3 else ''}"
        where = (name, kind, name[0].upper(), code[kind], slide, [40, 100, 200, 400][i % 4], i + 1)
        pictures[place.format(*where)] = name
    paint(root, pictures)


@layout(
    *("IDC", "https://www.kaggle.com/datasets/paultimothymooney/breast-histopathology-images"),
    root="IDC_regular_ps50_idx5",
    classes={"0": 42, "1": 18},
    group_pattern=r"^(\d+)/",
    groups=10,
)
def idc(root: Path, label: list[str]) -> None:
    """A folder per patient, and in each one per class."""
    place = "IDC_regular_ps50_idx5/{0}/{1}/{0}_idx5_x{2}_y1101_class{1}.png"
    rows = ((8863 + 17 * (i // 6), name, 1001 + 50 * i) for i, name in enumerate(label))
    paint(root, {place.format(patient, name, x): name for patient, name, x in rows})
