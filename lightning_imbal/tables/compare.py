"""A table of methods on one data set: which rows and options it has, which methods suit the data, its order."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.tables.results import Results
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

METRICS = {
    "f1": "Macro F1",
    "balanced_accuracy": "Balanced accuracy",
    "scr": "Recall of the rarest class",
    "accuracy": "Accuracy",
    "auc": "Macro AUC",
    "ece": "Calibration error",
}
HEADS = {"crw": "cRW", "crs": "cRS", "crt": "cRT", "lws": "LWS", "ncm": "NCM", "tau_norm": "tau-norm"}
NAMES = {
    "balanced_mixup": "Balanced-MixUp",
    "bbn": "BBN",
    "bcl": "BCL",
    "bwce": "BWCE",
    "cb_focal": "CB-Focal",
    "ce": "CE",
    "ce_drw": "CE-DRW",
    "ce_resample": "CE + resample",
    "center_crw": "CE+CT -> cRW",
    "contrast": "CE+SC",
    "contrast_only_crw": "SC -> cRW",
    "cutmix": "CutMix",
    "drs": "DRS",
    "ecl": "ECL",
    "focal": "Focal",
    "hybrid_sc": "Hybrid-SC",
    "label_smoothing": "Label smoothing",
    "ldam": "LDAM",
    "ldam_drw": "LDAM-DRW",
    "logit_adjust": "Logit adjustment",
    "mixup": "Mixup",
    "mwnl": "MWNL",
    "ohem": "OHEM",
    "perturbed": "CE, perturbed input",
    "progressive": "Progressive sampling",
    "remix": "Remix",
    "rs": "RS",
    "rw": "RW",
    "scl": "SCL",
    "scl_two_stage": "SCL, two stages",
    "sqrt_sampling": "Sqrt-sampling",
    "supcon": "CL",
    "supcon_resample": "CL + resample",
    "triplet_crw": "CE+TP -> cRW",
    "tsc": "TSC",
}
BASELINES = ("CE -> cRW", "CE")
# Of the training folds: 7:1:2 with five of them, as in the protocols' own split.
VALIDATION = 0.125
MANY_CLASSES = 20
MILD, SEVERE = 3, 10  # largest class over smallest
FEW_IMAGES = 30
MANY_IMAGES = 2000


def find_experiments() -> Path:
    """The folder of the methods: `experiments` here, else that of the checkout which the package is in.

    Raises:
        UserError: There is none.
    """
    places = [Path("experiments"), Path(__file__).parents[2] / "experiments"]
    for place in places:
        if (place / "methods").is_dir():
            return place
    raise UserError(
        f"There is no folder of methods, neither {places[0].absolute()} nor {places[1]} has one: call `compare` "
        "where the folder `experiments` of the source code lies."
    )


def protocol_of(data: str, experiments: Path) -> Path:
    """The protocol for a class of data."""
    return experiments / ("own_csv.yaml" if data.rpartition(".")[2] == "CSVData" else "own_folder.yaml")


def rows_of(methods: Sequence[str], experiments: Path) -> dict[str, tuple[str, Row]]:
    """Name and row of each method; one whose first stage another one trains alone starts from it.

    Args:
        methods: Names of files in `methods/`, or in `heads/`: those come after plain cross-entropy.
        experiments: Folder of both.

    Raises:
        UserError: There is no such file.
    """
    found = {method: _row(method, experiments) for method in dict.fromkeys(methods)}
    stages = {method: _stages(row) for method, (_, row) in found.items()}
    alone = {first: found[method][0] for method, (first, then) in stages.items() if then is None}
    for method, (_, row) in found.items():
        first, then = stages[method]
        row.start = alone.get(first) if then is not None else None
    return found


def comparison(
    rows: dict[str, Row], dataset: str, protocol: Path, folds: int | None = None, seeds: Sequence[int] = (0,)
) -> Spec:
    """The table that compares methods on one data set.

    Args:
        rows: The methods.
        dataset: Name of the data set.
        protocol: What all of them have in common.
        folds: Number of folds; None keeps the protocol's split.
        seeds: Seeds to run if there are no folds.
    """
    column = Column(dataset=dataset, configs=[str(protocol)], seeds=list(dict.fromkeys(seeds)))
    if folds is not None:
        column.options = {"data.split": "KFold", "data.split.folds": folds, "data.split.val": VALIDATION}
        column.folds = list(range(folds))
    metrics = {score: Metric(score=score, title=title) for score, title in METRICS.items()}
    spec = Spec(title=f"Methods on {dataset}", columns=[column], rows=dict(rows), metrics=metrics)
    spec.name = f"compare-{dataset}"
    return spec


def suitable(class_counts: Sequence[int]) -> dict[str, str]:
    """Four to six methods for a data set of these class sizes, each with the reason.

    The thresholds are rules of thumb from the five papers; nothing here was measured to find them.
    """
    ratio, rarest = max(class_counts) / min(class_counts), min(class_counts)
    chosen = {
        "ce": "the plain baseline, which every other one must beat",
        "ce_crw": "a cheap second stage, and strong in the papers",
    }
    if len(class_counts) >= MANY_CLASSES:
        chosen["tau_norm"] = f"{len(class_counts)} classes: it only scales what was learnt of each"
    if ratio < SEVERE:
        if ratio < MILD:
            chosen["label_smoothing"] = "classes of similar size need no re-balancing: it keeps errors from certainty"
        else:
            chosen["logit_adjust"] = "a moderate imbalance: it corrects for the class sizes in the loss alone"
        chosen["mixup"] = "mixed images: regularisation that leaves the class sizes as they are"
        return chosen
    chosen["ldam_drw"] = "a severe imbalance: larger margins for rare classes, re-weighted late"
    if rarest < FEW_IMAGES:
        chosen["logit_adjust"] = f"the rarest class has {rarest} images: copies of so few would be learnt by heart"
    else:
        chosen["balanced_mixup"] = f"the rarest class has {rarest} images: enough to be drawn often and mixed"
    if sum(class_counts) >= MANY_IMAGES:
        why = "images enough for contrastive learning"
        chosen |= {"supcon": f"{why}, before the classifier", "ecl": f"{why}, beside the classifier"}
    return dict(list(chosen.items())[:6])


def ranked(results: Results) -> Results:
    """The same results with the rows in the order of their first metric, best first, and what was not run last."""
    cells = results.cells[results.cells["metric"] == next(iter(results.spec.metrics))]
    order = cells.sort_values("value", ascending=False, kind="stable")["row"].tolist()
    spec = replace(results.spec, rows={name: results.spec.rows[name] for name in order})

    tables = {
        what: table.sort_values("row", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)
        for what, table in {"cells": results.cells, "classes": results.classes}.items()
    }
    runs = {title: {name: of_row[name] for name in order} for title, of_row in results.runs.items()}
    return replace(results, spec=spec, runs=runs, **tables)


def _row(method: str, experiments: Path) -> tuple[str, Row]:
    methods, heads = (
        {file.stem: file for file in (experiments / kind).glob("*.yaml")} for kind in ("methods", "heads")
    )
    if method in methods:
        return _name(method), Row(configs=[str(methods[method])])
    if method in heads and f"ce_{method}" in methods:
        return _row(f"ce_{method}", experiments)
    if method in heads:
        name = f"{NAMES['ce']} -> {HEADS.get(method, method)}"
        return name, Row(configs=[str(methods["ce"])], options={"then": str(heads[method])})
    similar = get_close_matches(method, [*methods, *heads], n=1)
    hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(sorted([*methods, *heads]))}."
    raise UserError(f"There is no method {method!r} in {experiments}/methods: {hint}")


def _name(method: str) -> str:
    """The method as the papers call it."""
    first, _, head = method.rpartition("_")
    if method not in NAMES and first and head in HEADS:
        return f"{_name(first)} -> {HEADS[head]}"
    return NAMES.get(method, method)


def _stages(row: Row) -> tuple[str, Any]:
    """What the first stage of a method is, as text, and its second stage, if it has one."""
    content = yaml.safe_load(Path(row.configs[0]).read_text())
    then = row.options.get("then") or content.pop("then", None)
    return yaml.safe_dump(content | {"then": None}), then
