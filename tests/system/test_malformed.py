"""Values, tables, folders and files that cannot be meant: one sentence each, and nothing is written."""

import os
import shutil

import pytest
from made_pictures import write_protocol

from lightning_imbal.cli import main

ECL, CL = "--config experiments/methods/ecl.yaml ", "--config experiments/methods/cl.yaml "
TWO, MIXED = "--config experiments/methods/ce_crw.yaml ", "--config experiments/methods/balanced_mixup.yaml "
SAMPLER, LOSS, HEAD = (
    "--data.sampler ClassPower --data.sampler.",
    "--model.loss ",
    "--model.head NormedLinear --model.head.",
)
SCHEDULER, SPLIT = "--model.scheduler ", "--data.split KFold --data.split."
VALUES = [
    *("--data.batch_size 0", "--data.batch_size -4", "--data.num_workers -1", "--data.image_size 0"),
    *("--data.image_size -3", "--data.image_size 100000", "--data.short_side 0", "--data.short_side -1"),
    *("--data.views 0", "--data.views -1", "--data.mean [0,0]", "--data.mean [nan,0,0]", "--data.std [0,1,1]"),
    *("--data.std [-1,1,1]", "--data.std [nan,1,1]", "--data.on_bad_image ignore", "--data.group_by patient"),
    *('--data.class_groups {"x":["q"]}', '--data.class_groups {"x":[]}', "--data.train_transform FlipCrop"),
    *("--data.batch_size 1", "--data.batch_size many", "--data.cache disc", "--data.root nowhere"),
    *("--data.cache disk --data.cache_dir /proc/x", "--data.cache disk --data.cache_dir FILE"),
    *(f"{SAMPLER}q 1e9", f"{SAMPLER}q nan", f"{SAMPLER}length 0", f"{SAMPLER}seed -5"),
    *(f"{SPLIT}folds 1", f"{SPLIT}folds 0", f"{SPLIT}folds 1000", f"{SPLIT}fold 9", f"{SPLIT}fold -1"),
    *("--data.split.test 1.0", "--data.split.test -0.1", "--data.split.test nan", "--data.split.val 0.9"),
    *("--data.split.test 0.001", "--seed_everything -1", "--seed_everything 99999999999", "--monitor val/f1/zebra"),
    *("--monitor_mode maximum", "--run_dir FILE", "--run_dir FILE/x", "--run_dir /proc/x", "--run_dir EMPTY"),
    *("--model.optimizer torch.optim.LBFGS", "--model.optimizer.lr 0", "--model.optimizer.lr -1"),
    *("--model.optimizer.lr nan", "--model.optimizer.lr inf", "--model.optimizer.momentum -1"),
    *("--model.optimizer.momentum 1.5", "--model.optimizer.weight_decay -1", "--model.optimizer.weight_decay nan"),
    *("--model.optimizer Adam --model.optimizer.betas [2,2]", "--model.optimizer os.system"),
    *("--model.pretrained FILE", "--model.pretrained nowhere", "--model.backbone vit_tiny_patch16_224"),
    *("--model.backbone swin_tiny_patch4_window7_224", "--model.backbone levit_128s", "--model.backbone resnet5"),
    *(f"{LOSS}LDAM --model.loss.scale 0", f"{LOSS}LDAM --model.loss.max_margin -1", f"{LOSS}torch.nn.MSELoss"),
    *(f"{LOSS}Focal --model.loss.gamma -1", f"{LOSS}Focal --model.loss.gamma nan", f"{LOSS}torch.nn.NLLLoss"),
    *(f"{LOSS}ClassBalancedFocal --model.loss.beta 1.5", f"{LOSS}LogitAdjusted --model.loss.tau nan"),
    *(f"{LOSS}CrossEntropy --model.loss.label_smoothing 2", f"{LOSS}CrossEntropy --model.loss.power nan"),
    *(f"{LOSS}BWCE --model.loss.warm 2", f"{HEAD}scale 0", f"{HEAD}scale nan", "--model.head torch.nn.Bilinear"),
    *("--model.predictor PerturbedInput --model.predictor.epsilon -1", "--model.head torch.nn.Identity"),
    *("--model.predictor PerturbedInput --model.predictor.temperature 0", f"{SCHEDULER}Steps --model.scheduler.at [2]"),
    *("--model.predictor PostHocAdjusted --model.predictor.tau nan", f"{SCHEDULER}SequentialLR"),
    *(
        "--model.predictor TemperatureScaled --model.predictor.temperature -1",
        "--model.mixer MixUp --model.mixer.alpha nan",
    ),
    *("--model.mixer CutMix --model.mixer.probability 2", "--model.mixer Remix --model.mixer.kappa 0"),
    *(f"{SCHEDULER}WarmupCosine --model.scheduler.warmup 3", f"{SCHEDULER}CosineCycles --model.scheduler.cycles 0"),
    *(f"{SCHEDULER}WarmupCosine --model.scheduler.eta_min -1", f"{SCHEDULER}Plateau --model.scheduler.factor 0"),
    *(f"{SCHEDULER}Plateau --model.scheduler.patience -1", f"{SCHEDULER}ReduceLROnPlateau --monitor val/f1"),
    *(
        f"{SCHEDULER}ReduceLROnPlateau",
        f"{SCHEDULER}OneCycleLR --model.scheduler.max_lr 1 --model.scheduler.total_steps 1",
    ),
    *(f"{SCHEDULER}LambdaLR --model.scheduler.lr_lambda math.cos", f"{SCHEDULER}timm.scheduler.CosineLRScheduler"),
    *("--data.train_transform albumentations.HorizontalFlip", "--model.mixer timm.data.Mixup"),
    *(f"{ECL}--model.temperature 0", f"{ECL}--model.temperature nan", f"{ECL}--model.ce_weight -1"),
    *(f"{ECL}--model.proxies 0", f"{ECL}--model.embedding_size 0", f"{ECL}--data.batch_size 1"),
    *(f"{ECL}--model.hidden_size -1", f"{CL}--model.temperature nan", f"{CL}--model.temperature -1"),
    *(f"{MIXED}--model.alpha -1", f"{MIXED}--model.alpha nan", f"{TWO}--then.trainer.max_epochs 0"),
    *(f"{TWO}--then.data.batch_size 0", f"{TWO}--then.model.optimizer.lr 0", f"{TWO}--then.model.cache_views 0"),
    *(f"{TWO}--then.model.init maybe", f"{TWO}--then.trainer.accumulate_grad_batches 0"),
    *("--trainer.max_epochs 0", "--trainer.gradient_clip_val -1", "--trainer.gradient_clip_val nan"),
    *("--trainer.accumulate_grad_batches 0", "--trainer.accumulate_grad_batches -1", "--trainer.max_steps -5"),
    *("--trainer.max_time never", "--trainer.limit_train_batches -1", "--trainer.limit_val_batches 1.5"),
    *("--trainer.limit_test_batches -1", "--trainer.overfit_batches -1", "--trainer.val_check_interval 0"),
    *("--trainer.val_check_interval 100", "--trainer.check_val_every_n_epoch 0", "--trainer.log_every_n_steps -1"),
    *("--trainer.check_val_every_n_epoch -1", "--trainer.num_sanity_val_steps -2", "--trainer.devices -1"),
    *("--trainer.devices many", "--trainer.num_nodes 0", "--trainer.precision 8", "--trainer.precision 16-mixed"),
    *("--trainer.min_epochs -1", "--trainer.reload_dataloaders_every_n_epochs -1"),
    *("--trainer.profiler nonsense", "--trainer.accelerator abacus"),
    *("--trainer.devices 2 --trainer.sync_batchnorm true", f"{TWO}--then.trainer.devices 2"),
]


def some_slow(values, every):
    """Parameters, of which each so many is not slow."""
    return [
        pytest.param(value, marks=[pytest.mark.slow] if place % every else []) for place, value in enumerate(values)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A protocol, and pictures whose classes have a colour each."""
    folder = tmp_path_factory.mktemp("malformed")
    write_protocol(folder)
    return folder


@pytest.mark.parametrize("value", some_slow(VALUES, 12))
def test_a_value_that_cannot_be_meant(value, folder, tmp_path, capsys):
    words = {"FILE": folder / "protocol.yaml", "FILE/x": folder / "protocol.yaml" / "x", "EMPTY": ""}
    args = [str(words.get(part, part)) for part in value.split()]
    place = [] if "--run_dir" in value else ["--run_dir", str(tmp_path / "run")]
    common = ["--config", str(folder / "protocol.yaml"), "--config", "experiments/methods/ce.yaml"]
    refused_once(["fit", *common, *args, *place], capsys, tmp_path / "run")
    assert not list(tmp_path.iterdir())


HEADER, ROWS = (
    "image,label\n",
    [f"{name}/{number}.png,{name}" for name in ("common", "rarer", "rare") for number in range(12)],
)
TABLE = HEADER + "\n".join(ROWS) + "\n"
TABLES = {
    "empty": "",
    "only a header": HEADER,
    "another column": TABLE.replace("image,label", "image,remark"),
    "a column twice": TABLE.replace("image,label", "image,label,label"),
    "a long row": TABLE.replace("common/3.png,common", "common/3.png,common,3"),
    "no label": TABLE.replace("common/3.png,common", "common/3.png,"),
    "no image": TABLE.replace("common/3.png,common", ",common"),
    "a picture that is not there": TABLE.replace("common/3.png", "common/99.png"),
    "a picture twice": f"{TABLE}common/3.png,common\n",
    "a picture by two names": f"{TABLE}./common/3.png,common\n",
    "capitals": TABLE.replace("common/3.png,common", "common/3.png,Common"),
    "a blank that does not break": TABLE.replace("common/3.png,common", "common/3.png,com\u00a0mon").replace(
        "common/4.png,common", "common/4.png,com mon"
    ),
    "numbers": TABLE.replace(",common", ",1").replace(",rarer", ",1.0"),
    "one class": HEADER + "\n".join(ROWS[:12]),
    "an open quote": TABLE.replace("common/3.png", '"common/3.png'),
    "zero bytes": TABLE.replace("common/3.png,common", "common/3.png,com\0mon"),
    "one rare image": HEADER + "\n".join(ROWS[:25]),
}


def refused_once(args, capsys, run):
    assert main(args) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]
    assert len(said) == 1 and not run.exists()


SMALL = ["--model.backbone", "test_resnet", "--data.image_size", "16", "--data.num_workers", "0"]
SMALL += ["--data.batch_size", "4", "--laptop", "false"]


@pytest.mark.parametrize("name", some_slow(TABLES, 3))
def test_a_table_that_cannot_be_meant(name, folder, tmp_path, capsys):
    (tmp_path / "labels.csv").write_bytes(TABLES[name].encode())
    data = ["--data.root", str(folder / "data"), "--data.labels", str(tmp_path / "labels.csv")]
    run = tmp_path / "run"
    refused_once(["fit", "--config", "experiments/own_csv.yaml", *data, *SMALL, "--run_dir", str(run)], capsys, run)


def spoil(root, name):
    """Makes a folder of classes one that cannot be meant."""
    picture = root / "common" / "3.png"
    if name == "empty":
        shutil.rmtree(root)
        root.mkdir()
    elif name == "one class":
        shutil.rmtree(root / "rare"), shutil.rmtree(root / "rarer")
    elif name == "pictures alone":
        for each in root.glob("*/*.png"):
            each.rename(root / f"{each.parent.name}{each.name}")
        for each in filter(os.path.isdir, list(root.iterdir())):
            each.rmdir()
    elif name == "no training part":
        for part in ("Testing", "valid"):
            shutil.copytree(root, root.parent / "copy"), (root.parent / "copy").rename(root / part)
    elif name == "a part twice":
        for part in ("train", "val", "Valid"):
            (root / part).mkdir()
            (root / "common").rename(root / part / "common") if part == "train" else None
    elif name == "alike":
        (root / "rarer").rename(root / "Common")
    elif name == "cut off":
        picture.write_bytes(picture.read_bytes()[:60])
    elif name == "text":
        picture.write_text("no picture")
    elif name == "nothing":
        picture.write_bytes(b"")
    elif name == "a pipe":
        picture.unlink(), os.mkfifo(picture)
    elif name == "a link to nothing":
        picture.unlink(), picture.symlink_to("nowhere.png")
    elif name == "a link to another":
        picture.unlink(), picture.symlink_to("4.png")


FOLDERS = ["empty", "one class", "pictures alone", "no training part", "a part twice", "alike", "cut off", "text"]
FOLDERS += ["nothing", "a pipe"]
FOLDERS += ["a link to nothing", "a link to another"]


@pytest.mark.parametrize("name", some_slow(FOLDERS, 3))
def test_a_folder_or_a_picture_that_cannot_be_meant(name, folder, tmp_path, capsys):
    root, run = tmp_path / "pictures", tmp_path / "run"
    shutil.copytree(folder / "data", root)
    spoil(root, name)
    args = ["fit", "--config", "experiments/own_folder.yaml", "--data.root", str(root), *SMALL, "--run_dir", str(run)]
    refused_once(args, capsys, run)


FILES = {
    "no YAML": "model: [",
    "a tab": "model:\n\tclass_path: Classifier\n",
    "a key twice": "monitor: val/f1\nmonitor: null\n",
    "a key twice below": "trainer: {max_epochs: 1, max_epochs: 2}\n",
    "a list": "- model\n",
    "a word": "model\n",
    "an unknown key": "modle: {class_path: Classifier}\n",
    "a list for a class": "trainer: [1]\n",
    "a number for a class": "data: 3\n",
    "a stage without a model": "then: 3\n",
    "no text": "\ud800",
}


@pytest.mark.parametrize("name", some_slow(FILES, 3))
def test_a_configuration_that_cannot_be_meant(name, folder, tmp_path, capsys):
    file, run = tmp_path / "mine.yaml", tmp_path / "run"
    file.write_bytes(FILES[name].encode(errors="surrogatepass"))
    args = ["fit", "--config", str(folder / "protocol.yaml"), "--config", "experiments/methods/ce.yaml"]
    refused_once([*args, "--config", str(file), "--run_dir", str(run)], capsys, run)
