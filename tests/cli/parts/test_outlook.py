"""What is said of the images before training, and the work of each stage, by which the time left is estimated."""

import layouts
import pandas as pd
import pytest

from lightning_imbal.cli.parts.next_step import next_step
from lightning_imbal.cli.parts.outlook import Work, about_images, about_stage, time_left, work_of
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data import CSVData


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return layouts.csv_data(tmp_path_factory.mktemp("biopsies"))


def data_of(root, **kwargs):
    return CSVData(str(root), "labels.csv", image_size=16, num_workers=0, **kwargs)


def test_images_classes_ratio_split_and_groups_are_said(root):
    images, split, few = about_images(data_of(root))
    assert images.startswith("44 images of 3 classes: train ") and "a ratio of " in images
    assert split.startswith("Holdout keeps no images together, but the column 'patient' looks like 22 patients: 44 of")
    assert "of them are in several parts (--data.group_column patient keeps them together)" in split
    assert few.startswith("Fewer than 20 test images") and "unclear (" in few
    table = pd.read_csv(root / "labels.csv").drop(columns="patient")
    table.to_csv(root / "alone.csv", index=False)
    alone = about_images(CSVData(str(root), "alone.csv", image_size=16, num_workers=0))[1]
    assert alone == "Holdout keeps no images together: no group, such as the patient, is known."
    grouped = about_images(data_of(root, group_column="patient"))[1]
    assert grouped == "Holdout keeps all images of one patient in one part."


@pytest.fixture(scope="module")
def stages(root):
    cli = ImbalCLI("fit")
    small = ["--model.backbone", "test_resnet", "--data.root", str(root), "--data.labels", "labels.csv"]
    files = ["--config", "experiments/own_csv.yaml", "--config", "experiments/methods/supcon.yaml"]
    configs = list(
        cli.stages(
            cli.read([*files, *small, "--data.image_size", "32", "--data.views", "2", "--model.pretrained", "false"])
        )
    )
    return configs, [cli.build(config) for config in configs]


def test_the_work_of_two_stages(stages):
    configs, built = stages
    train, val = (len(built[0].data.rows(part)) for part in ("train", "val"))
    first, second = map(work_of, configs, built)
    assert first == Work(epoch=train * 2 * 3, validation=val, epochs=30), "two views, forward and backward"
    copies = sum(map(len, built[1].data.train_samplers()))
    assert copies > train and second.epoch == copies, "a frozen network is only run forward"
    [callback] = time_left(first, [second], 9)
    assert callback.later == second.whole + 9 and callback.whole == "the whole run with its second stage"
    said, size = about_stage(2, configs), configs[1].data.init_args.batch_size
    assert said.startswith("Stage 2 of 2: FrozenHead, ") and said.endswith(f" in batches of {size}.")
    assert about_stage(2, configs, whole_batches=True).endswith(" in batches of all images.")


def test_of_stored_features_only_the_pass_that_stores_them_is_work(stages):
    configs, built = stages
    built[1].model.cache_views = 3
    stored = work_of(configs[1], built[1])
    built[1].model.cache_views = None
    train, val = (len(built[1].data.rows(part)) for part in ("train", "val"))
    assert stored.whole == 3 * train + val and not time_left(stored, [], 9)


def test_what_to_try_next_is_a_command_with_another_method_and_folder(root, tmp_path):
    args = ["-c", "own_csv.yaml", "--config", "methods/ce_crw.yaml", "--data.root", "my images", "--run_dir=runs/a"]
    [told] = next_step([*args, "--ckpt_path", "last"], tmp_path / "a", data_of(root))
    assert told.startswith("To try next, logit_adjust (")
    assert (
        f"own_csv.yaml --config methods/logit_adjust.yaml --data.root 'my images' --run_dir {tmp_path}/a-logit" in told
    )
    assert "ce_crw" not in told and "ckpt_path" not in told
    assert "try next, ce_crw (" in next_step(["--config", "own_csv.yaml"], tmp_path, data_of(root))[0]
