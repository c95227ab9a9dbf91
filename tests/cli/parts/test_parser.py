"""What a model is built with: facts of the data when it is trained, those of its checkpoint when it is tested."""

import pytest
import torch
from small_runs import NAMES

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.evaluation import read_checkpoint
from lightning_imbal.cli.parts.parser import ImbalCLI

CE = ["--config", "experiments/demo.yaml", "--config", "experiments/methods/ce.yaml"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What is read of a checkpoint before its weights are loaded."""
    file = tmp_path_factory.mktemp("run") / "stage1" / "checkpoints" / "best.ckpt"
    file.parent.mkdir(parents=True)
    facts = {"class_counts": [90, *range(9, 0, -1)], "class_names": NAMES, "class_groups": {"even": ["0", "2"]}}
    torch.save({"hyper_parameters": facts, "state_dict": {}}, file)
    return file


def test_a_model_is_trained_with_the_facts_of_the_data():
    cli = ImbalCLI("fit")
    config = cli.read([*CE, "--data.class_groups", '{"odd": ["1", "3"]}'])
    assert config.monitor_mode == "max" and config.seed_everything == 0
    built = cli.build(config)
    assert built.model.class_counts.tolist() == built.data.class_counts
    assert built.model.val_report.class_groups == built.model.test_report.class_groups == {"odd": ["1", "3"]}


def test_a_second_stage_has_one_view_of_single_images():
    cli = ImbalCLI("fit")
    of_pairs = ["--data.views", "2", "--data.more_views", "[ShiftCrop]", "--data.paired_sampler", "Reversed"]
    first, second = cli.stages(cli.read([*CE, *of_pairs, "--then", "experiments/heads/ncm.yaml"]))
    assert second.model.class_path.endswith("FrozenHead") and first.data.init_args.views == 2
    assert second.data.init_args.sampler == first.data.init_args.sampler is not None
    assert [second.data.init_args[name] for name in ("views", "more_views", "paired_sampler")] == [1, None, None]


@pytest.mark.parametrize("verb", ["test", "validate"])
def test_it_is_tested_with_those_of_its_training(verb, trained):
    cli = ImbalCLI(verb)
    model = cli.build(cli.read([*CE, "--ckpt_path", str(trained)])).model
    assert model.class_counts.tolist() == [90, *range(9, 0, -1)]
    assert model.test_report.class_groups == {"even": ["0", "2"]}


def test_a_tested_network_needs_no_other_weights_than_its_own(trained):
    args = [*CE, "--ckpt_path", str(trained), "--model.pretrained", "gone.safetensors"]
    assert read_checkpoint(ImbalCLI("test"), args).model.init_args.pretrained is False


def test_the_device_of_an_average_can_be_written_and_read_again(capsys):
    args = ["fit", "--config", "experiments/demo.yaml", "--config", "experiments/variants/swa.yaml", "--print_config"]
    with pytest.raises(SystemExit):
        main(args)
    assert "device: cpu" in capsys.readouterr().out
