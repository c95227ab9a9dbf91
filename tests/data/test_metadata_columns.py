"""`data.metadata_columns` of the data sets, what of it split.csv and the predictions hold, and what batches get."""

from types import SimpleNamespace

import layouts
import numpy as np
import pandas as pd
import pytest
import torch

from lightning_imbal.callbacks.results_writer import as_logits, table_of
from lightning_imbal.data import ISIC2018, ISIC2019, ChestXray14, CSVData, DigitsLT
from lightning_imbal.data.checks import groups_suspected
from lightning_imbal.errors import UserError
from lightning_imbal.runs.identity import as_split, split_changes, split_digest, split_text
from lightning_imbal.runs.predictions import as_predictions


@pytest.fixture(scope="module")
def ham(isic_root, tmp_path_factory):
    """The official layout of ISIC 2018, and the metadata of HAM10000 beside it, in another order."""
    root = tmp_path_factory.mktemp("ham")
    for file in isic_root.iterdir():
        (root / file.name).symlink_to(file)
    image = pd.read_csv(root / "ISIC2018_Task3_Training_LesionGroupings.csv")["image"]
    table = {"lesion_id": "HAM_0", "image_id": image, "dx": "nv", "dx_type": "histo"}
    number = np.arange(len(image))
    table |= {"age": np.where(number % 9, number, np.nan), "sex": np.where(number % 4, "male", "unknown")}
    pd.DataFrame(table)[::-1].to_csv(root / "HAM10000_metadata.csv", index=False)
    return root


@pytest.fixture
def own(tmp_path):
    root = layouts.csv_data(tmp_path)
    table = pd.read_csv(root / "labels.csv")
    table.assign(sex=np.where(table.index % 3, "f", "m"), twice="").to_csv(root / "labels.csv", index=False)
    return root


def csv(root, **kwargs):
    return CSVData(root=str(root), labels="labels.csv", **kwargs)


class TestSources:
    def test_isic2018_takes_those_of_ham10000(self, ham):
        data = ISIC2018(root=str(ham), metadata_columns="age,sex")
        assert data.index.columns[-2:].tolist() == ["meta/age", "meta/sex"]
        number = int(data.index["image"].iloc[5].removeprefix("ISIC_")) - 24306
        assert float(data.index["meta/age"].iloc[5]) == number
        assert (data.index["meta/age"][::9] == "").all() and (data.index["meta/sex"] == "").sum() == 18

    def test_isic2018_without_it_takes_the_way_of_confirmation(self, isic_root):
        data = ISIC2018(root=str(isic_root), metadata_columns=["diagnosis_confirm_type"])
        assert set(data.index["meta/diagnosis_confirm_type"]) == {"histopathology"}
        assert groups_suspected(data) is None  # lesions are known

    def test_isic2019(self, tmp_path):
        data = ISIC2019(root=str(layouts.isic2019(tmp_path)), metadata_columns="age_approx,sex,anatom_site_general")
        assert data.index.iloc[0, -3:].tolist() == ["55", "female", ""]

    def test_chest_xray14(self, tmp_path):
        root = layouts.chest_xray14(tmp_path)
        file = root / "Data_Entry_2017_v2020.csv.gz"
        table = pd.read_csv(file).assign(**{"Patient Age": lambda rows: rows.index % 90})
        table.to_csv(file, index=False)
        data = ChestXray14(root=str(root), metadata_columns="Patient Age")
        ages = table.set_index("Image Index")["Patient Age"]
        assert data.index["meta/Patient Age"].astype(int).tolist() == ages[data.index["image"]].tolist()

    def test_own_label_file(self, own):
        data = csv(own, metadata_columns="sex")
        of_file = pd.read_csv(own / "labels.csv").set_index("image")["sex"]
        assert data.index["meta/sex"].tolist() == of_file[data.index["image"]].tolist()

    @pytest.mark.parametrize(
        "column, said",
        [("label", "the label"), ("image", "the image"), ("part", "the part"), ("patient", "what stays together")],
    )
    def test_a_column_with_another_use_is_refused(self, own, column, said):
        data = csv(own, metadata_columns=column, split_column="part", group_column="patient")
        with pytest.raises(UserError, match=f"names {column!r}, which is {said}: name another column"):
            _ = data.index

    def test_two_columns_of_one_name_are_refused(self, own):
        text = (own / "labels.csv").read_text().replace("twice", "sex", 1)
        (own / "labels.csv").write_text(text)
        with pytest.raises(UserError, match="names 'sex', which is the name of two columns"):
            _ = csv(own, metadata_columns="sex").index

    def test_a_data_set_without_any_says_so(self):
        with pytest.raises(UserError, match="^DigitsLT knows nothing of its images but their classes"):
            _ = DigitsLT(metadata_columns="age").index

    def test_what_is_not_named_is_not_copied(self, ham):
        data = ISIC2018(root=str(ham))
        assert not [name for name in data.table if name.startswith("meta/")] and data.metadata_encoding == []
        assert split_text(data.table).splitlines()[0] == "image,class,group,part"


class TestFiles:
    def test_split_holds_them_and_is_the_same_split(self, ham):
        without, data = ISIC2018(root=str(ham)), ISIC2018(root=str(ham), metadata_columns="age,sex")
        table = as_split(data.table)
        assert table.columns.tolist() == ["image", "class", "group", "part", "meta/age", "meta/sex"]
        assert table["meta/age"].tolist() == data.table["meta/age"].tolist()
        assert split_digest(data.table) == split_digest(without.table)
        assert split_changes(as_split(without.table), data.table) == split_changes(table, data.table) == ""

    def test_another_value_is_a_change(self, ham):
        data = ISIC2018(root=str(ham), metadata_columns="age")
        before = as_split(data.table)
        before.loc[1, "meta/age"] = "99"
        assert split_changes(before, data.table).startswith(
            f"1 image is of another age ({before['image'][1]}: 99, now "
        )

    def test_predictions_have_them_after_the_label(self):
        table = pd.DataFrame({"image": ["a", "b"], "label": ["x", "y"], "meta/sex": ["m", ""], "meta/age": ["7", "8"]})
        table[["probability/x", "probability/y"]] = np.array([[0.25, 0.75], [1.0, 0.0]], dtype=np.float32)
        classes = [{"name": name, "train_images": 1} for name in "xy"]
        predictions = as_predictions(table, {"classes": classes, "groups": {}}, None)
        pd.testing.assert_frame_equal(table_of(predictions), table, check_dtype=False)
        logits = as_logits(table)
        names = ["image", "label", "meta/sex", "meta/age", "logit/x", "logit/y"]
        assert logits.columns.tolist() == names and logits["meta/sex"].tolist() == ["m", ""]
        assert np.exp(logits["logit/x"]).tolist() == pytest.approx([0.25, 1.0])


class TestBatches:
    def test_rows_are_those_of_the_sample_table(self, ham):
        data = ISIC2018(root=str(ham), metadata_columns="sex,age")
        data.give_metadata(encoding := data.metadata_encoding)
        batch = data.on_before_batch_transfer({"index": torch.tensor([5, 0])}, 0)
        assert batch["metadata"].shape == (2, len(encoding)) and batch["metadata"].dtype == torch.float32
        stored = {"feature": torch.zeros(1, 2), "index": torch.tensor([5])}
        assert data.on_before_batch_transfer(stored, 0) is stored  # they have the attributes in them
        train = pd.to_numeric(data.table.iloc[data.rows("train")]["meta/age"])
        standard = (float(data.table["meta/age"][5]) - train.mean()) / train.std(ddof=0)
        assert batch["metadata"][0].tolist() == pytest.approx([1, 0, standard, 0])
        assert batch["metadata"][1].tolist() == [0, 1, 0, 1]

    def test_without_being_asked_for_there_are_none(self, ham):
        data = ISIC2018(root=str(ham), metadata_columns="sex")
        assert data.on_before_batch_transfer({"index": torch.tensor([5])}, 0).keys() == {"index"}

    def test_pictures_to_be_predicted_have_none_and_it_is_said(self, ham, told):
        data = ISIC2018(root=str(ham), metadata_columns="sex")
        data.give_metadata(data.metadata_encoding)
        data.predict_pictures([np.zeros((8, 8, 3), np.uint8)] * 2)
        data.trainer = SimpleNamespace(predicting=True)
        batch = data.on_before_batch_transfer({"index": torch.tensor([0, 1])}, 0)
        assert batch["metadata"].tolist() == [[0, 1], [0, 1]]
        assert "each attribute counts as missing" in told.text

    def test_other_data_without_them_say_so(self, ham, told):
        data = ISIC2018(root=str(ham))
        data.give_metadata([{"attribute": "sex", "word": "male"}, {"attribute": "sex", "missing": True}])
        assert data.on_before_batch_transfer({"index": torch.tensor([5])}, 0)["metadata"].tolist() == [[0, 1]]
        assert "Of no image the attribute sex is known here" in told.text
