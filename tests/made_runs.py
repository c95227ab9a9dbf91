"""Folders of runs that were never trained, with all the files that a finished run leaves."""

import functools
import json

import numpy as np
import pandas as pd
import torch
import yaml

from lightning_imbal.callbacks.results_writer import summarize
from lightning_imbal.metrics import ImbalReport

NAMES, COUNTS = ["nv", "mel", "bkl/lk", "df"], [400, 60, 30, 7]
GROUPS = {"major": ["nv", "mel"], "minor": ["bkl/lk", "df"]}
IMAGES = 2000


def write_run(
    folder,
    images=240,
    first=0,
    skill=1.0,
    noise=0,
    predictions=True,
    classes=range(4),
    names=NAMES,
    groups=GROUPS,
    prefix="ISIC_",
    **identity,
):
    """Leaves what an evaluation of so many images leaves; the label of an image is the same in every run."""
    number = np.arange(first, first + images)
    label = np.random.default_rng(0).permutation(np.resize([0, 0, 0, 0, 1, 1, 2, 3], max(IMAGES, images)))[number]
    number, label = number[np.isin(label, classes)], label[np.isin(label, classes)]
    logits = np.random.default_rng([noise, images]).normal(size=(len(label), 4)) + skill * np.eye(4)[label]
    probability = torch.tensor(logits).softmax(dim=1).float()
    write_test(folder, probability, label, number, names, COUNTS, groups, predictions, prefix, **identity)


def write_test(
    folder,
    probability,
    label,
    number,
    names=NAMES,
    counts=COUNTS,
    groups=GROUPS,
    predictions=True,
    prefix="ISIC_",
    **identity,
):
    """Leaves what an evaluation leaves that gave these probabilities to the images of these numbers."""
    test = (probability.double().numpy().tobytes(), *(np.asarray(each, np.int64).tobytes() for each in (label, number)))
    scores, content = _scored(test, probability.dtype, tuple(names), tuple(counts), json.dumps(groups), prefix)
    identity = {
        "name": folder.name,
        "method": "Classifier",
        "data": "ISIC2018",
        "split": {"kind": "Holdout", "seed": None, "group_by": None},
        "seed": 0,
        "part": "test",
        "backbone": "resnet18",
        "commit": "abc",
        "versions": {"torch": "2.11", "timm": "1"},
    } | identity
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(f'{{"identity": {json.dumps(identity)}, {scores[1:]}')
    if predictions:
        (folder / "predictions.parquet").write_bytes(content)


@functools.lru_cache(1000)  # many tests ask for the same runs
def _scored(test, precision, names, counts, groups, prefix):
    """What `metrics.json` holds beside the identity, as text, and the content of `predictions.parquet`."""
    dtypes = (np.float64, np.int64, np.int64)
    probability, label, number = (
        torch.tensor(np.frombuffer(part, dtype)) for part, dtype in zip(test, dtypes, strict=True)
    )
    report = ImbalReport(list(counts), list(names), json.loads(groups))
    report.update(probability.to(precision).reshape(len(label), -1), label, number)
    found = report.predictions()
    table = pd.DataFrame(found["probability"].numpy(), columns=[f"probability/{name}" for name in names])
    table.insert(0, "image", [f"{prefix}{row:04d}" for row in found["index"].tolist()])
    table.insert(1, "label", np.array(names)[found["label"]])
    return json.dumps(summarize(report.compute(), found, report)), table.to_parquet()


def write_validation(folder, images=120, skill=1.0, noise=0, classes=range(4), names=NAMES, prefix="VAL_"):
    """Leaves the predictions of a validation part, which decisions are fitted on."""
    number = len(names)
    label = np.resize([c for c in [0] * number + [1, 1, *range(2, number)] if c in classes], images)
    logits = np.random.default_rng([noise, images, 1]).normal(size=(images, number)) + skill * np.eye(number)[label]
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    table = pd.DataFrame(logits, columns=[f"logit/{name}" for name in names])
    table.insert(0, "image", [f"{prefix}{row:04d}" for row in range(images)])
    table.insert(1, "label", np.array(names)[label])
    table.to_parquet(folder / "predictions_val.parquet")


def write_split(folder, of_group=None):
    """Leaves the split of a run, with as many images of each group (lesion, patient), or with no groups."""
    number = np.arange(IMAGES)
    table = pd.DataFrame({"image": [f"ISIC_{row:04d}" for row in number], "class": "nv", "part": "test"})
    if of_group:
        table["group"] = [f"lesion {row}" for row in number // of_group]
    (folder / "stage1").mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "stage1" / "split.csv", index=False)


def write_stage(folder, epochs=5, seed=0, names=NAMES, **settings):
    """Leaves the configuration and the curves of a stage: as Lightning's CSVLogger writes them, in rows of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": settings.pop("lr", 0.01)}}
    model = {"class_path": "lightning_imbal.modules.classifier.Classifier", "init_args": {"optimizer": optimizer}}
    model["init_args"] |= settings
    config = {"seed_everything": seed, "trainer": {"max_epochs": epochs}, "model": model, "data": {}, "then": None}
    config["ckpt_path"] = None
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    rng, rows = np.random.default_rng(seed), []
    for epoch in range(epochs):
        rows.append({"epoch": epoch, "step": 10 * epoch, "val/loss": 1 / (epoch + 1)})
        rows[-1] |= {f"val/f1/{name}": rng.uniform(0, (epoch + 1) / epochs) for name in names} | {"val/f1": 0.1 * epoch}
        rows.append({"epoch": epoch, "step": 10 * epoch, "train/loss": 2 / (epoch + 1)})
    rows.append({"step": 10 * epochs, "lr-SGD": 0.01})
    rows.append({"epoch": epochs, "step": 10 * epochs, "test/f1": 0.5})
    pd.DataFrame(rows).to_csv(folder / "metrics.csv", index=False)


def write_features(folder, size=6, skill=3.0):
    """Leaves the features of the test images of a run, with their place on a map."""
    table = pd.read_parquet(folder / "predictions.parquet")
    rng, names = np.random.default_rng(0), sorted(table["label"].unique())
    number = table["label"].map(names.index).to_numpy()
    feature = rng.normal(size=(len(table), size)) + skill * np.eye(size)[number]
    x, y = feature[:, 0].copy(), feature[:, 1].copy()
    x[::5] = y[::5] = np.nan  # not all images are on the map
    arrays = {"image": table["image"].to_numpy(str), "label": table["label"].to_numpy(str)}
    arrays |= {"feature": feature.astype(np.float16), "x": x.astype(np.float32), "y": y.astype(np.float32)}
    np.savez(folder / "features.npz", **arrays)
