"""X-rays, ultrasound and magnetic resonance."""

from pathlib import Path

from public_layouts.layout import layout, masks, paint, table


@layout(
    *("CBIS-DDSM", "https://www.kaggle.com/datasets/awsaf49/cbis-ddsm-breast-cancer-image-dataset"),
    kind="refused",
    labels="csv/mass_case_description_train_set.csv",
    says=(".dcm",),
    classes={"BENIGN": 14, "BENIGN_WITHOUT_CALLBACK": 6, "MALIGNANT": 16},
)
def cbis_ddsm(root: Path, label: list[str]) -> None:
    """The label file names DICOM files that are not there; the JPEG files have other names."""
    header = (
        "patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,"
        "mass margins,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path"
    )
    rows, info, pictures = [], [], {}
    series = "1.3.6.1.4.1.9590.100.1.2.3427687131{:05d}"
    for i, pathology in enumerate(label):
        patient, view = f"P_{1 + i // 2:05d}", ("CC", "MLO")[i % 2]
        case, full, crop = f"Mass-Training_{patient}_LEFT_{view}", series.format(i), series.format(500 + i)
        files = [f"{case}/{full}/{full}/000000.dcm", f"{case}_1/{crop}/{crop}/000000.dcm"]
        start = [patient, 3, "LEFT", view, 1, "mass", "IRREGULAR", "SPICULATED", 4]
        rows.append([*start, pathology, 4, *files, files[1].replace("000000", "000001")])
        for uid, what in ((full, "full mammogram images"), (crop, "cropped images")):
            pictures[f"jpeg/{uid}/1-{263 - i}.jpg"] = pathology
            info.append([f"CBIS-DDSM/dicom/{uid}/1-1.dcm", f"CBIS-DDSM/jpeg/{uid}/1-{263 - i}.jpg", case, what, uid])
    table(root / "csv/mass_case_description_train_set.csv", header, rows[:28])
    table(root / "csv/mass_case_description_test_set.csv", header, rows[28:])
    table(root / "csv/dicom_info.csv", "file_path,image_path,PatientID,SeriesDescription,SeriesInstanceUID", info)
    paint(root, pictures)


@layout(
    *("VinDr-Mammo", "https://physionet.org/content/vindr-mammo/1.0.0/"),
    kind="refused",
    labels="finding_annotations.csv",
    says=("several findings per image",),
    classes={"No Finding": 24, "Mass": 8, "Suspicious Calcification": 4, "Asymmetry": 4},
)
def vindr_mammo(root: Path, label: list[str]) -> None:
    """A row per finding, with one or more names in a list; pictures as PNG, which users make of the DICOM files."""
    rows, pictures = [], {}
    for i, finding in enumerate(label):
        study, image = f"{0xB8D273E8601F348D + i // 4:016x}" * 2, f"{0x4E3A578FE535EA4F + i:016x}" * 2
        side, view, part = "LR"[i % 2], ("CC", "MLO")[i // 2 % 2], "test" if i % 5 == 0 else "training"
        both = [finding, "Skin Retraction"] if finding == "Mass" and i % 2 else [finding]
        box = [""] * 4 if finding == "No Finding" else [2355.1, 1731.6, 2482.9, 1852.7]
        row = [study, f"{i:032x}", image, side, view, 3518, 2800, "BI-RADS 4", "DENSITY C", str(both)]
        rows += [[*row, "BI-RADS 4", *box, part]] * (2 if finding == "Asymmetry" else 1)
        pictures[f"images_png/{study}/{image}.png"] = finding
    table(
        root / "finding_annotations.csv",
        "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,"
        "finding_categories,finding_birads,xmin,ymin,xmax,ymax,split",
        rows,
    )
    paint(root, pictures)


@layout(
    *("MURA", "https://stanfordmlgroup.github.io/competitions/mura/"),
    root="MURA-v1.1",
    classes={
        "XR_ELBOW": 8,
        "XR_FINGER": 8,
        "XR_FOREARM": 5,
        "XR_HAND": 9,
        "XR_HUMERUS": 4,
        "XR_SHOULDER": 12,
        "XR_WRIST": 14,
    },
    split={"train": 48, "val": 12},
    group_pattern=r"(patient\d+)",
    groups=20,
)
def mura(root: Path, label: list[str]) -> None:
    """The folders are parts of the body; whether a study is abnormal stands at the end of its folder's name.

    The label files name folders, and have no header.
    """
    images = []
    for i, name in enumerate(sorted(label[:48]) + sorted(label[48:])):
        part, result = ("train" if i < 48 else "valid"), ("positive" if i // 3 % 3 == 0 else "negative")
        images.append(f"MURA-v1.1/{part}/{name}/patient{1 + i // 3:05d}/study1_{result}/image{1 + i % 3}.png")
    paint(root, {image: image.split("/")[2] for image in images})
    for part in ("train", "valid"):
        own = [image for image in images if image.split("/")[1] == part]
        studies = dict.fromkeys(image.rpartition("/")[0] for image in own)
        (root / f"MURA-v1.1/{part}_image_paths.csv").write_text("".join(f"{image}\n" for image in own))
        lines = (f"{study}/,{int(study.endswith('positive'))}\n" for study in studies)
        (root / f"MURA-v1.1/{part}_labeled_studies.csv").write_text("".join(lines))


@layout(
    *("Brain Tumor MRI", "https://www.kaggle.com/datasets/masoudnickparvar/brain-tumor-mri-dataset"),
    classes={"glioma": 14, "meningioma": 14, "notumor": 18, "pituitary": 14},
    split={"train": 48, "test": 12},
)
def brain_tumor_mri(root: Path, label: list[str]) -> None:
    part = ["Testing" if i % 5 == 0 else "Training" for i in range(len(label))]
    rows = enumerate(zip(part, label, strict=True))
    paint(root, {f"{place}/{name}/{place[:2]}-{name[:2]}_{10 + i:04d}.jpg": name for i, (place, name) in rows})


@layout(
    *("COVIDx", "https://www.kaggle.com/datasets/andyczhao/covidx-cxr2"),
    kind="refused",
    labels="train.txt",
    says=("train.txt",),
    classes={"negative": 26, "positive": 14},
)
def covidx(root: Path, label: list[str]) -> None:
    """Text with spaces and no header, one file per part: patient, image, class, source."""
    parts = {"train": label[:24], "val": label[24:32], "test": label[32:]}
    for number, (part, classes) in enumerate(parts.items()):
        lines, pictures = [], {}
        for i, name in enumerate(classes):
            patient = f"MIDRC-RICORD-1C-419639-{3251 + 100 * number + i // 2:06d}"
            file = (
                f"{patient}-{46647 + i}-0.png"
                if name == "positive"
                else f"{0x1E64990D1B40C175 + i + 99 * number:x}.jpg"
            )
            lines.append(f"{patient[-13:]} {file} {name} {'ricord' if name == 'positive' else 'rsna'}\n")
            pictures[f"{part}/{file}"] = name
        (root / f"{part}.txt").write_text("".join(lines))
        paint(root, pictures)


@layout(
    *("COVID-19 Radiography", "https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database"),
    root="COVID-19_Radiography_Dataset",
    classes={"COVID": 10, "Lung_Opacity": 16, "Normal": 26, "Viral Pneumonia": 4},
    left_out=56,
)
def covid19_radiography(root: Path, label: list[str]) -> None:
    """Below a class are a folder of images and one of masks, with the same names."""
    top = "COVID-19_Radiography_Dataset"
    files = [(name, f"{name}-{label[: i + 1].count(name)}.png") for i, name in enumerate(label)]
    paint(root, {f"{top}/{name}/images/{file}": name for name, file in files})
    masks(root, [f"{top}/{name}/masks/{file}" for name, file in files])
    for name in set(label):
        (root / top / f"{name}.metadata.xlsx").write_bytes(b"PK\3\4")
    (root / top / "README.md.txt").write_text("COVID-19 CHEST X-RAY DATABASE\n")


@layout(
    *("BUSI", "https://scholar.cu.edu.eg/?q=afahmy/pages/dataset"),
    root="Dataset_BUSI_with_GT",
    classes={"benign": 22, "malignant": 11, "normal": 7},
    left_out=43,
)
def busi(root: Path, label: list[str]) -> None:
    """Masks lie beside the images; some images have two."""
    stems = [f"Dataset_BUSI_with_GT/{n}/{n} ({label[: i + 1].count(n)})" for i, n in enumerate(label)]
    paint(root, {f"{stem}.png": name for stem, name in zip(stems, label, strict=True)})
    second = [stem for stem in stems if "benign" in stem][:3]
    masks(root, [*(f"{stem}_mask.png" for stem in stems), *(f"{stem}_mask_1.png" for stem in second)])


@layout(
    *("Chest X-Ray Pneumonia", "https://data.mendeley.com/datasets/rscbjbr9sj/3"),
    root="chest_xray",
    classes={"NORMAL": 16, "PNEUMONIA": 44},
    split={"train": 40, "val": 6, "test": 14},
    group_pattern=r"(person\d+|IM-\d+)",
    groups=38,
)
def chest_xray_pneumonia(root: Path, label: list[str]) -> None:
    """Persons with pneumonia have several images."""
    part = ["train"] * 40 + ["val"] * 6 + ["test"] * 14
    pictures = {}
    for i, (place, name) in enumerate(zip(part, label, strict=True)):
        number = label[:i].count(name)
        sick = f"person{1 + number // 2}_{('bacteria', 'virus')[number // 2 % 2]}_{i}"
        file = f"IM-{115 + number:04d}-0001" if name == "NORMAL" else sick
        pictures[f"chest_xray/{place}/{name}/{file}.jpeg"] = name
    paint(root, pictures)
    litter = root / "chest_xray/__MACOSX/._chest_xray"
    litter.parent.mkdir()
    litter.write_bytes(b"\0\5\x16\7")
