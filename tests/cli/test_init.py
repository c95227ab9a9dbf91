"""`init` writes what any verb takes; `fit`, `audit` and `compare` look at a folder by themselves."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from made_pictures import smooth, write

from lightning_imbal.cli import main

TINY = [
    *("--data.image_size", "16", "--data.num_workers", "0", "--model.backbone", "test_resnet"),
    *("--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
    *("--trainer.accelerator", "cpu"),
]


def save_picture(file, seed):
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, smooth(12, 16, seed))


@pytest.fixture
def eyes(tmp_path, monkeypatch):
    """Two eyes of each patient, in folders of grades, and what a computer has left there."""
    monkeypatch.chdir(tmp_path)
    for number, (grade, size) in enumerate({"0": 24, "1": 12}.items()):
        for i in range(size):
            save_picture(
                tmp_path / "eyes" / grade / f"{number}{i // 2:02d}_{['left', 'right'][i % 2]}.png", 100 * number + i
            )
    (tmp_path / "eyes" / "__MACOSX").mkdir()
    return tmp_path


@pytest.fixture
def table(eyes):
    """The same pictures, named in a label file."""
    files = sorted((eyes / "eyes").glob("?/*.png"))
    rows = [(file.stem, file.parent.name, f"P{file.stem[:3]}", 50) for file in files]
    pd.DataFrame(rows, columns=["img_id", "dx", "patient_id", "age"]).to_csv(eyes / "eyes" / "meta.csv", index=False)
    return eyes / "eyes" / "meta.csv"


def settings(file="eyes.yaml"):
    return yaml.safe_load(Path(file).read_text())["data"]


def test_a_folder(eyes, capsys):
    assert main(["init", "eyes"]) == 0
    written, told = settings(), capsys.readouterr().out
    assert written["class_path"] == "FolderData" and written["init_args"]["root"] == "eyes"
    assert "(?P<patient>" in written["init_args"]["group_pattern"]
    assert "36 images below eyes: one folder per class" in told and "2 : 1. 0 24, 1 12" in told
    assert "names look like 18 patients: 36 of 36 images share one with others" in " ".join(told.split())
    assert "__MACOSX (hidden or left behind by a computer)" in " ".join(told.split())
    assert [line.split()[1] for line in told.splitlines()[-3:]] == ["audit", "fit", "compare"]
    assert main(["audit", "eyes.yaml"]) == 0
    assert "No leak found: no patient" in capsys.readouterr().out
    assert main(["init", "eyes"]) == 0 and settings("eyes_2.yaml") == written
    assert main(["init", "eyes", "--output", "eyes.yaml"]) == 2
    assert "eyes.yaml is there already" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["eyes", "eyes/meta.csv"])
def test_a_label_file(table, given, capsys):
    assert main(["init", given, "--output", "own.yaml"]) == 0
    assert settings("own.yaml") == {
        "class_path": "CSVData",
        "init_args": {
            "root": "eyes",
            "labels": "eyes/meta.csv",
            "image_column": "img_id",
            "label_column": "dx",
            "group_column": "patient_id",
        },
    }
    assert "found by name, such as 0/000_left.png for 000_left" in " ".join(capsys.readouterr().out.split())


def test_pictures_that_are_not_named_and_columns_that_are_numbers(table, capsys):
    pd.read_csv(table).rename(columns={"dx": "0"}).iloc[4:].to_csv(table, index=False)
    assert main(["init", "eyes", "--data.label_column", "0"]) == 0
    assert settings()["init_args"]["label_column"] == "0"
    assert "names 89% of the pictures, the others are not used" in " ".join(capsys.readouterr().out.split())


def test_all_kinds_of_companions_are_left_out(eyes, capsys):
    for file in sorted((eyes / "eyes").glob("?/*.png")):
        save_picture(file.with_name(f"{file.stem}_thumb.png"), 7)
        mask = eyes / "eyes" / "masks" / file.parent.name / file.name
        mask.parent.mkdir(parents=True, exist_ok=True)
        write(mask, np.repeat([[0, 255]], 6, axis=0).repeat(6, axis=1).astype(np.uint8))
    assert main(["init", "eyes"]) == 0
    assert settings()["init_args"]["exclude"] == ["**/masks/*", "*_thumb*"]
    assert "36 images below eyes" in capsys.readouterr().out


def test_two_pictures_of_each_row_are_asked_for(eyes, capsys):
    patients = [*(f"0{i:02d}" for i in range(12)), *(f"1{i:02d}" for i in range(6))]
    rows = [(f"{patient}_left", f"{patient}_right", "ab"[i % 2]) for i, patient in enumerate(patients)]
    pd.DataFrame(rows, columns=["derm", "clinic", "label"]).to_csv("eyes/meta.csv", index=False)
    assert main(["init", "eyes"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Are the images in derm, or in clinic? --data.image_column derm or --data.image_column clinic" in told


def test_what_is_unclear_is_asked_and_answered(table, capsys):
    rows = pd.read_csv(table)
    rows.assign(target=rows["age"] + rows.index % 3).to_csv(table, index=False)
    assert main(["init", "eyes"]) == 0
    assert "Is the label dx" in capsys.readouterr().out and settings()["init_args"]["label_column"] == "dx"
    assert "# In doubt: Is the label dx" in Path("eyes.yaml").read_text()
    assert main(["audit", "--data.root", "eyes"]) == 2
    assert "--data.label_column dx or --data.label_column target" in capsys.readouterr().err
    assert main(["init", "eyes", "--data.label_column", "target", "--output", "own.yaml"]) == 0
    assert "in doubt" not in capsys.readouterr().out and settings("own.yaml")["init_args"]["label_column"] == "target"


def test_verbs_look_by_themselves(eyes, capsys, told):
    assert main(["audit", "--data.root", "eyes"]) == 0
    assert "Not checked: groups (names look like 18 patients" in capsys.readouterr().out
    assert "They are not kept together unless you say so: --data.group_pattern" in told.text
    assert main(["fit", "--data.root", "eyes", *TINY, "--run_dir", "run"]) == 0
    assert "own_folder.yaml" in told.text
    assert main(["compare", "--data.root", "eyes", "--methods", "ce", "--dry-run", *TINY]) == 0
    assert "--data.class_path FolderData" in capsys.readouterr().out


def test_a_configuration_of_init_is_enough_to_train(eyes, capsys):
    assert main(["init", "eyes", "--data.min_images", "13", "--data.exclude", "*_nothing*"]) == 2
    assert "only the class 0" in capsys.readouterr().err
    assert main(["init", "eyes"]) == 0
    assert main(["fit", "--config", "eyes.yaml", *TINY, "--run_dir", "run"]) == 0
    split = pd.read_csv("run/stage1/split.csv")
    assert len(split) == 36 and (split.groupby("group")["part"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ([], ["required: PATH"]),
        (["nowhere"], ["no folder nowhere"]),
        (["eyes", "--model.backbone", "x"], ["does not know --model.backbone"]),
        (["eyes", "--data.nothing", "1"], ["nothing"]),
        (["eyes", "--data.labels", "x.csv"], ["no file", "x.csv"]),
        (["eyes/0"], ["are beside it", "eyes"]),
        (["alone/labels.csv"], ["no pictures in the folder of alone/labels.csv", "--data.labels alone/labels.csv"]),
        (["eyes", "--data.group_pattern", "x"], ["no bracket"]),
    ],
)
def test_mistakes_get_a_sentence(eyes, capsys, args, named):
    (eyes / "alone").mkdir()
    (eyes / "alone" / "labels.csv").write_text("image,label\na,0\n")
    assert main(["init", *args]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in named) and "Traceback" not in said, said
    assert not [*eyes.glob("*.yaml")]


def test_labels_that_are_no_table(eyes, capsys):
    for name in ("a", "b", "c"):
        save_picture(eyes / "smears" / f"{name}.png", ord(name))
        (eyes / f"{name}.txt").write_text("10 20 1\n")
    (eyes / "smears" / "list.txt").write_text("a.png positive\nb.png negative\n")
    assert main(["init", "smears"]) == 2
    assert "list.txt names pictures, but is no table" in capsys.readouterr().err
    for name in ("a", "b", "c"):
        (eyes / f"{name}.txt").rename(eyes / "smears" / f"{name}.txt")
    assert main(["init", "smears"]) == 2
    assert "a file for each picture, such as a.txt" in capsys.readouterr().err


@pytest.fixture
def films(tmp_path, monkeypatch):
    """Two films of each patient as DICOM files, and the file that has their labels."""
    made = pytest.importorskip("made_dicom")
    monkeypatch.chdir(tmp_path)
    rows = []
    for number, (name, size) in enumerate({"benign": 24, "malignant": 12}.items()):
        (tmp_path / "films" / name).mkdir(parents=True)
        for i in range(size):
            pixels = cv2.resize(smooth(12, 16, 100 * number + i), (16, 12))[..., 0].astype(np.uint16) * 16
            header = {"PatientID": f"SECRET{number}{i // 2}", "PatientName": "Doe^Jane"}
            (tmp_path / "films" / name / f"{i}.dcm").write_bytes(made.made_dicom(pixels, 12, **header))
            rows.append((f"{name}/{i}.dcm", name))
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def test_folders_of_dicom(films, capsys):
    assert main(["init", "films"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert settings("films.yaml")["init_args"] == {"root": "films", "dicom_group": "PatientID"}
    assert "pictures 16x12 pixels, DICOM MONOCHROME2 of 12 bits (36 pictures opened)" in told
    assert "headers look like 18 patients: 36 of 36 images share one with others; their PatientID is then in" in told
    assert main(["audit", "films.yaml"]) == 0
    assert "No leak found: no PatientID" in capsys.readouterr().out
    assert main(["audit", "--data.root", "films"]) == 0
    assert "To keep patients together: --data.dicom_group PatientID" in capsys.readouterr().out
    # What is not named is nowhere.
    run = ["fit", "--config", "films.yaml", *TINY, "--run_dir", "run", "--data.group_by", "duplicates"]
    assert main([*run, "--data.dicom_group", "null"]) == 0
    written = [file for file in (films / "run").rglob("*") if file.is_file()]
    assert written and not [file for file in written if b"SECRET" in file.read_bytes() or b"Doe" in file.read_bytes()]


def test_a_label_file_that_names_dicom(films, capsys):
    assert main(["init", "films", "--data.labels", "labels.csv"]) == 0
    assert settings("films.yaml")["init_args"]["dicom_group"] == "PatientID"
    assert main(["audit", "films.yaml"]) == 0
    given = ["--data.group_column", "label"]
    assert main(["audit", "--config", "films.yaml", *given]) == 2
    assert "--data.dicom_group PatientID and 'label' both say what stays together: give one" in capsys.readouterr().err


def test_a_heap_of_dicom(films, capsys):
    for file in sorted((films / "films").rglob("*.dcm")):
        file.rename(films / "films" / f"{file.parent.name}{file.name}")
    assert main(["init", "films"]) == 2
    assert "films has no folders of classes: give with --data.root FOLDER" in capsys.readouterr().err
    for file in sorted((films / "films").rglob("*.dcm")):
        file.rename(file.with_suffix(""))
    assert main(["init", "films"]) == 2
    assert "benign0 is DICOM: let the names of such files end in .dcm" in capsys.readouterr().err
