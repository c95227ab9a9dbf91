"""Attributes of the images of runs that were never trained."""

import numpy as np
import pandas as pd


def write_attributes(folder, seed=0, **columns):
    """Adds attributes to the predictions of a run: by default sex and age, some of them missing.

    Args:
        folder: Of the run.
        seed: Of what is drawn by default; an image has the same in every run with the same images.
        columns: Values of every image, by the name of the attribute.
    """
    table = pd.read_parquet(folder / "predictions.parquet")
    rng = np.random.default_rng(seed)
    if not columns:
        columns["sex"] = rng.choice(["female", "male", ""], len(table), p=[0.45, 0.5, 0.05])
        columns["age"] = rng.choice(["", *map(str, range(5, 90, 5))], len(table))
    for place, (name, values) in enumerate(columns.items()):
        table.insert(2 + place, f"meta/{name}", values)
    table.to_parquet(folder / "predictions.parquet")
