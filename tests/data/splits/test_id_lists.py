"""Parts that are given as lists."""

import pytest
from made_indices import INDEX

from lightning_imbal.data.splits import IdLists
from lightning_imbal.errors import UserError


class TestIdLists:
    @pytest.fixture
    def make(self, tmp_path):
        def make(**rows):
            files = {name: tmp_path / f"{name}.csv" for name in rows}
            for name, file in files.items():
                INDEX.iloc[rows[name]][["image", "label"]].to_csv(file, index=False)
            return IdLists(**{name: str(file) for name, file in files.items()})

        return make

    def test_rows_of_the_lists(self, make):
        parts = make(train=[5, 3], test=[9], val=[0, 7])(INDEX)
        assert {name: rows.tolist() for name, rows in parts.items()} == {"train": [3, 5], "test": [9], "val": [0, 7]}
        assert len(make(train=[5, 3], test=[9])(INDEX)["val"]) == 0

    def test_image_in_two_lists_is_refused(self, make):
        with pytest.raises(UserError, match="name image_3 more than once \\(1 such images\\)"):
            make(train=[5, 3], test=[3])(INDEX)

    def test_image_that_is_not_there_is_refused(self, make):
        with pytest.raises(UserError, match="test.csv names 1 images.*the first is image_9: .* such as image_0"):
            make(train=[5, 3], test=[9])(INDEX[:9])

    def test_file_without_ids_is_refused(self, tmp_path, make):
        split = make(train=[5], test=[9])
        (tmp_path / "test.csv").write_text("id,label\n1,2\n")
        with pytest.raises(UserError, match="test.csv has no column 'image', only 'id', 'label'"):
            split(INDEX)
        (tmp_path / "test.csv").unlink()
        with pytest.raises(UserError, match="no file .*test.csv"):
            split(INDEX)
