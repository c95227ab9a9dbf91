"""What is written for each picture of a folder: by the weights of the checkpoint, in the order of the files."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_imbal.cli.parts.predict_folder import folder_to_csv


def test_each_file_has_its_probabilities_by_the_checkpoint(tmp_path):
    files, asked = [tmp_path / "=b.png", tmp_path / "below" / "a.png"], {}

    def predict(model, **options):
        asked.update(options)
        [collect] = trainer.callbacks
        collect.on_predict_start(trainer, model)
        for number, row in ((1, [0.5, 0.5]), (0, [0.75, 0.25]), (1, [0.5, 0.5])):  # as two devices may see them
            collect.on_predict_batch_end(trainer, model, torch.tensor([row]), {"index": torch.tensor([number])}, 0)
        collect.on_predict_epoch_end(trainer, model)

    model = SimpleNamespace(class_names=["nv", "mel"], device=torch.device("cpu"))
    data = SimpleNamespace(predict_folder=lambda folder: files)
    trainer = SimpleNamespace(predict=predict, callbacks=[], is_global_zero=True)
    config = SimpleNamespace(images=str(tmp_path), output=str(tmp_path / "out.csv"), ckpt_path="best.ckpt", pool=None)
    folder_to_csv(trainer, model, data, config)
    assert asked == {"datamodule": data, "ckpt_path": "best.ckpt", "return_predictions": False} and data.cache == "none"
    table = pd.read_csv(tmp_path / "out.csv")
    assert table.to_dict("list") == {
        "file": ["'=b.png", "below/a.png"],  # which no spreadsheet runs
        "predicted": ["nv", "nv"],
        "probability/nv": [0.75, 0.5],
        "probability/mel": [0.25, 0.5],
    }


def test_files_of_a_patient_are_pooled_by_their_headers(tmp_path):
    made = pytest.importorskip("made_dicom")
    files = [tmp_path / f"{number}.dcm" for number in range(3)]
    for file, header in zip(files, ({"PatientID": "P1"}, {}, {"PatientID": "P1"}), strict=True):
        file.write_bytes(made.made_dicom(np.zeros((2, 2), np.uint8), **header))

    def predict(model, **options):
        [collect] = trainer.callbacks
        collect.on_predict_start(trainer, model)
        rows = torch.tensor([[0.5, 0.5], [0.75, 0.25], [0.0, 1.0]])
        collect.on_predict_batch_end(trainer, model, rows, {"index": torch.arange(3)}, 0)
        collect.on_predict_epoch_end(trainer, model)

    model = SimpleNamespace(class_names=["nv", "mel"], device=torch.device("cpu"))
    data = SimpleNamespace(predict_folder=lambda folder: files, dicom_group="PatientID")
    trainer = SimpleNamespace(predict=predict, callbacks=[], is_global_zero=True)
    config = SimpleNamespace(images=str(tmp_path), output=str(tmp_path / "out.csv"), ckpt_path="best.ckpt", pool="mean")
    folder_to_csv(trainer, model, data, config)
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["group"].tolist() == ["P1", "1.dcm"] and table["images"].tolist() == [2, 1]
    assert table["probability/nv"].tolist() == [0.25, 0.75]
