"""Which folders are the classes: kinds of a disease may lie deeper, patients are none."""

import pytest

from lightning_imbal.data.look.class_level import class_levels


@pytest.mark.parametrize(
    ("files", "levels"),
    [
        ([f"{'ab'[i % 2]}/{i}.png" for i in range(20)], [1]),
        ([f"{'ab'[i % 2]}/{'images' if i % 2 else 'extra'}/{i}.png" for i in range(20)], [1]),
        ([f"{['lung', 'colon'][i % 2]}/{['lung', 'colon'][i % 2]}_{i % 4 // 2}/{i}.png" for i in range(40)], [2, 1]),
        ([f"{['benign', 'malignant'][i % 2]}/{'abcd'[i % 4]}/{i}.png" for i in range(40)], [1, 2]),
        ([f"{'ab'[i % 2]}/{'xyz'[i % 3]}/{i}.png" for i in range(40)], [1, 2]),
        ([f"IMD{i:03d}/IMD{i:03d}_picture/{i}.png" for i in range(40)], []),
        ([f"fold_{i % 3}/{['all', 'hem'][i % 2]}/{i}.png" for i in range(40)], [2, 1]),
        ([f"{8000 + i // 4}/{i % 2}/{i}.png" for i in range(40)], [2, 1]),
        ([f"{['Original', 'Augmented'][i % 2]} set/{'abcd'[i % 8 // 2]}/{i}.png" for i in range(40)], [2, 1]),
        ([f"1.3.6.1.4.1.{i // 8:08d}/{i}.png" for i in range(40)], []),
        ([f"a/{i}.png" for i in range(9)], []),
        ([], []),
    ],
)
def test_levels(files, levels):
    assert [level.number for level in class_levels(files)] == levels
