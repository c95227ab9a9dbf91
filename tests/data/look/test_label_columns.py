"""A column names pictures if its values are the names of files, and not only numbers that are names too."""

import pandas as pd
import pytest

from lightning_imbal.data.look.label_columns import names_pictures, stems_of


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([f"{i}" for i in range(40)], True),
        ([f"images/{i}.dcm" for i in range(40)], True),
        ([f"{i // 2}" for i in range(40)], True),
        ([f"{i % 3}" for i in range(40)], False),
        ([f"x{i}" for i in range(40)], False),
        ([None] * 40, False),
    ],
)
def test_columns_that_name_pictures(values, names):
    assert names_pictures(pd.Series(values, dtype=object), stems_of(f"a/{i}.png" for i in range(50))) == names
