"""Made-up indices, and what must hold of every split of them."""

import numpy as np
import pandas as pd

SIZES = np.array([200, 100, 40, 20])
LABEL = np.random.default_rng(0).permutation(np.repeat(np.arange(4), SIZES))
# Groups of one, two, three or four images; the images of a group are of one class, and apart in the table.
NUMBER_IN_CLASS = np.array([np.count_nonzero(LABEL[:row] == label) for row, label in enumerate(LABEL)])
GROUP_OF_NUMBER = np.repeat(np.arange(200), np.resize([1, 2, 3, 4], 200))
GROUP = np.array([f"{label}-{i}" for label, i in zip(LABEL, GROUP_OF_NUMBER[NUMBER_IN_CLASS], strict=True)])


def index_of(label):
    return pd.DataFrame({"image": [f"image_{row}" for row in range(len(label))], "label": label})


INDEX = index_of(LABEL)


def by_class(rows):
    return np.bincount(LABEL[rows], minlength=len(SIZES))


def same_parts(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


def assert_a_partition(parts):
    assert set(parts) == {"train", "val", "test"}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(LABEL)))
    assert all((np.diff(rows) > 0).all() for rows in parts.values())


def assert_no_shared_group(parts):
    groups = [set(GROUP[rows]) for rows in parts.values()]
    assert len(set.union(*groups)) == sum(map(len, groups))
