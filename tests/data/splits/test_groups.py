"""The groups that a split keeps together."""

import numpy as np
import pandas as pd
from made_indices import GROUP, INDEX

from lightning_imbal.data.splits import Holdout
from lightning_imbal.data.splits.groups import group_ids, torn_groups


class TestGroups:
    def test_torn_groups_are_found(self):
        part = pd.Series(["train", "test", "val", "train", "", "test"])
        group = np.array(["a", "b", "b", "a", "a", "c"])
        assert torn_groups(part, group).tolist() == ["b"]
        assert torn_groups(pd.Series(Holdout().part_of_rows(INDEX, GROUP)), GROUP).empty

    def test_image_without_group_is_on_its_own(self):
        group = group_ids(INDEX[:4].assign(group=["a", None, np.nan, "a"]), "lesion", "lesion", "Data")
        assert group[0] == group[3] and len(set(group)) == 3
