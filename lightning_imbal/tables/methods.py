"""The methods of a comparison: the files of `experiments/methods` and `heads`, and their names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.tables.spec import Row
from lightning_imbal.wording import did_you_mean

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
    hint = did_you_mean(method, [*methods, *heads]) or f"there are {', '.join(sorted([*methods, *heads]))}."
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
