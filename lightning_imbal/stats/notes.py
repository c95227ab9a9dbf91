"""What a reader of a table must know: how its numbers were made, and which rows cannot be told apart."""

from collections.abc import Sequence

import pandas as pd

from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.column_scores import AND_RUNS
from lightning_imbal.tables.spec import Spec


def notes_of(table: pd.DataFrame, overlays: Sequence[str], baseline: str, spec: Spec) -> list[str]:
    done = table[table["runs"] > 0]
    if done.empty:
        return []
    units = " and ".join(dict.fromkeys(text.removesuffix(AND_RUNS) for text in done["units"]))
    chances, of_training = "the choice of the test images explains", ", which leaves out the chance of training"
    if (seeds := done["units"].str.endswith(AND_RUNS)).any():
        chances = "the choice of the test images and the chance of training explain"
        of_training = f", and of the runs{'' if seeds.all() else ' where there are several seeds'}"
    notes = [
        f"Measured: {spec.average} ± standard deviation (ddof 0) over the runs; in brackets the 95 % interval of 2,000 "
        f"bootstrap resamples of the {units} of the test set{of_training}.",
    ]
    if done["p_value"].notna().any():
        notes.append(
            f"* differs from {baseline} by more than {chances}, at 5 % (paired bootstrap, Holm-corrected for the "
            "number of rows)."
        )
    notes += _ties(done, spec)
    if overlays:
        networks = origins(done, "networks")
        notes.append(
            f"All runs have {', '.join(overlays)} over the protocol: its own settings are others. "
            f"Network: {', '.join(networks)}."
        )
    for what in ("commits", "versions"):
        found = origins(done, what)
        if len(found) > 1:
            notes.append(f"The runs were made with several {what}: {'; '.join(found)}.")
    return notes


def _ties(done: pd.DataFrame, spec: Spec) -> list[str]:
    """Of each metric with marks, the rows that cannot be told from the best one, if others can."""
    found = []
    for column in spec.columns:
        of_column = done[(done["dataset"] == column.dataset) & (done["backbone"] == column.backbone)]
        for name, metric in spec.metrics.items():
            cells = of_column[of_column["metric"] == name].sort_values("value", ascending=metric.lower_is_better)
            tied = "; ".join(cells["row"][cells["p_best_holm"] >= SIGNIFICANT])
            if metric.mark and tied and (cells["p_best_holm"] < SIGNIFICANT).any():
                best = f"{cells['best'].iloc[0]}, the best in {metric.title or name}"
                found.append(f"{column.title}: rows that cannot be told from {best}: {tied}.")
    return found


def origins(done: pd.DataFrame, what: str) -> list[str]:
    """What is told of the origin of finished cells, such as `commits`, every text once."""
    return sorted({text for of_cell in done[what] for text in of_cell.split("; ")})
