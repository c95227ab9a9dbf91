"""What is written for each picture of a folder: by the weights of the checkpoint, in the order of the files."""

from types import SimpleNamespace

import pandas as pd
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
