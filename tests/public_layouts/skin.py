"""Photographs and dermoscopy of the skin."""

from pathlib import Path

from public_layouts.layout import layout, paint, table

SITES = ["torso", "lower extremity", "head/neck", ""]


@layout(
    *("ISIC 2020", "https://www.kaggle.com/c/siim-isic-melanoma-classification/data"),
    kind="csv",
    labels="train.csv",
    image_column="image_name",
    label_column="target",
    group_word="patient_id",
    groups=18,
    classes={"0": 46, "1": 8},
    left_out=6,
)
def isic2020(root: Path, label: list[str]) -> None:
    """Its test images have no labels, and sample_submission.csv none that is true."""
    rows, pictures = [], {}
    for i, target in enumerate(label):
        name, patient = f"ISIC_{2637011 + 37 * i:07d}", f"IP_{7279968 + i // 3}"
        word, diagnosis = [("benign", "nevus" if i % 3 else "unknown"), ("malignant", "melanoma")][int(target)]
        rows.append([name, patient, "male", 45 + i % 9, SITES[i % 4], diagnosis, word, target])
        pictures[f"jpeg/train/{name}.jpg"] = target
    columns = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge"
    table(root / "train.csv", f"{columns},diagnosis,benign_malignant,target", rows)
    tested = [f"ISIC_{52060 + i:07d}" for i in range(6)]
    table(root / "test.csv", columns, ([name, "IP_3579794", "female", 70, "torso"] for name in tested))
    table(root / "sample_submission.csv", "image_name,target", ([name, 0] for name in tested))
    paint(root, pictures | {f"jpeg/test/{name}.jpg": "?" for name in tested})


@layout(
    *("ISIC 2024", "https://www.kaggle.com/competitions/isic-2024-challenge/data"),
    kind="csv",
    labels="train-metadata.csv",
    image_column="isic_id",
    label_column="target",
    group_word="patient_id",
    groups=15,
    classes={"0": 54, "1": 6},
)
def isic2024(root: Path, label: list[str]) -> None:
    """lesion_id is empty but for some images; the pictures for testing are in an HDF5 file."""
    rows, pictures = [], {}
    for i, target in enumerate(label):
        name = f"ISIC_{15670 + 175 * i:07d}"
        kind = ["Benign", "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma in situ"][int(target)]
        lesion = f"IL_{6727506 + i}" if target == "1" or i % 20 == 0 else ""
        sizes = [3.04 + i / 10, "TBP tile: close-up", "3D: white", 20.2 + i / 7, 54.4, 29.4, 0.99, 19.0]
        start = [name, target, f"IP_{1235828 + i // 4}", 60 - i % 3 * 5, "male", SITES[i % 4]]
        rows.append([*start, *sizes, lesion, kind, kind.split("::")[0], "", "Copyright", "CC-BY", 97.5])
        pictures[f"train-image/image/{name}.jpg"] = target
    table(
        root / "train-metadata.csv",
        "isic_id,target,patient_id,age_approx,sex,anatom_site_general,clin_size_long_diam_mm,image_type,tbp_tile_type,"
        "tbp_lv_A,tbp_lv_H,tbp_lv_L,tbp_lv_eccentricity,tbp_lv_areaMM2,lesion_id,iddx_full,iddx_1,mel_thick_mm,"
        "attribution,copyright_license,tbp_lv_dnn_lesion_confidence",
        rows,
    )
    paint(root, pictures)


@layout(
    *("HAM10000", "https://www.kaggle.com/datasets/kmader/skin-cancer-mnist-ham10000"),
    kind="csv",
    labels="HAM10000_metadata.csv",
    image_column="image_id",
    label_column="dx",
    group_word="lesion_id",
    groups=30,
    classes={"nv": 30, "mel": 8, "bkl": 8, "bcc": 5, "akiec": 3, "vasc": 3, "df": 3},
)
def ham10000(root: Path, label: list[str]) -> None:
    """Two folders of pictures, and a CSV file of pixels that names none."""
    rows, pictures = [], {}
    for i, dx in enumerate(label):
        name = f"ISIC_{24306 + i:07d}"
        rows.append([f"HAM_{118 + 7 * (i // 2):07d}", name, dx, "histo", 80.0 - i % 8 * 5, "male", "scalp"])
        pictures[f"HAM10000_images_part_{1 + i // 30}/{name}.jpg"] = dx
    table(root / "HAM10000_metadata.csv", "lesion_id,image_id,dx,dx_type,age,sex,localization", rows)
    pixels = ",".join(f"pixel{i:04d}" for i in range(64))
    table(root / "hmnist_8_8_L.csv", f"{pixels},label", ([*range(i, i + 64), i % 7] for i in range(len(label))))
    paint(root, pictures)


@layout(
    *("PAD-UFES-20", "https://data.mendeley.com/datasets/zr7vgbcyr2/1"),
    kind="csv",
    labels="metadata.csv",
    image_column="img_id",
    label_column="diagnostic",
    group_word="patient_id",
    groups=24,
    classes={"BCC": 16, "ACK": 14, "NEV": 6, "SEK": 5, "SCC": 4, "MEL": 3},
)
def pad_ufes_20(root: Path, label: list[str]) -> None:
    rows, pictures = [], {}
    for i, diagnostic in enumerate(label):
        patient, lesion = f"PAT_{1516 + i // 2}", 1765 + i
        name = f"{patient}_{lesion}_{530 + i}.png"
        habits = ["False", "True", "POMERANIA", "GERMANY", 55 + i % 7, "False", "FEMALE", "True", "True", "True"]
        more = [2.0, "NECK", 6.0, 5.0, diagnostic, "True", "False", "False", "UNK", "False", "True"]
        rows.append([patient, lesion, *habits, *more, name, "True"])
        pictures[f"imgs_part_{1 + i % 3}/{name}"] = diagnostic
    table(
        root / "metadata.csv",
        "patient_id,lesion_id,smoke,drink,background_father,background_mother,age,pesticide,gender,skin_cancer_history,"
        "cancer_history,has_piped_water,fitspatrick,region,diameter_1,diameter_2,diagnostic,itch,grew,hurt,changed,"
        "bleed,elevation,img_id,biopsed",
        rows,
    )
    paint(root, pictures)


@layout(
    *("Fitzpatrick17k", "https://github.com/mattgroh/fitzpatrick17k"),
    kind="csv",
    labels="fitzpatrick17k.csv",
    image_column="md5hash",
    label_column="three_partition_label",
    classes={"non-neoplastic": 30, "benign": 8, "malignant": 8},
)
def fitzpatrick17k(root: Path, label: list[str]) -> None:
    """Three columns of labels, one finer than the other."""
    names = {
        "non-neoplastic": ["drug induced pigmentary changes", "photodermatoses", "psoriasis", "lichen planus"],
        "benign": ["seborrheic keratosis", "keloid"],
        "malignant": ["squamous cell carcinoma", "mycosis fungoides"],
    }
    nine = {"non-neoplastic": "inflammatory", "benign": "benign epidermal", "malignant": "malignant epidermal"}
    rows, pictures = [], {}
    for i, three in enumerate(label):
        name = f"{0x5E82A45BC5D78BD24AE9202D194423F8 + i * 7919:032x}"
        address = f"https://www.dermaamin.com/site/images/clinical-pic/p/pic{i}.jpg"
        fine = names[three][i % len(names[three])]
        quality = "" if i % 20 else "1 Diagnostic"
        rows.append([name, 1 + i % 6, 1 + i % 4, fine, nine[three], three, quality, address, f"wwwdermaamincom{i}.jpg"])
        pictures[f"data/finalfitz17k/{name}.jpg"] = three
    table(
        root / "fitzpatrick17k.csv",
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,three_partition_label,qc,url,"
        "url_alphanum",
        rows,
    )
    paint(root, pictures)


@layout(
    *("DermNet", "https://www.kaggle.com/datasets/shubhamgoel27/dermnet"),
    classes={
        "Acne and Rosacea Photos": 16,
        "Eczema Photos": 20,
        "Melanoma Skin Cancer Nevi and Moles": 8,
        "Vasculitis Photos": 6,
        "Warts Molluscum and other Viral Infections": 10,
    },
    split={"train": 45, "test": 15},
)
def dermnet(root: Path, label: list[str]) -> None:
    stem = {"A": "07Acne0811", "E": "eczema-hand-", "M": "melanoma-", "V": "vasculitis-", "W": "warts-common-"}
    paint(root, {f"{_part(i)}/{name}/{stem[name[0]]}{i:02d}.jpg": name for i, name in enumerate(label)})


def _part(number: int) -> str:
    return "train" if number % 4 else "test"
