"""One screen for each verb whose options are those of LightningCLI: what people set, with defaults."""

from lightning_imbal.cli.parts.data_verb_options import AUDIT, JSON, PREPARE
from lightning_imbal.cli.parts.help_kinds import KINDS, find_class
from lightning_imbal.cli.parts.help_page import in_columns
from lightning_imbal.guide.source import read

Lines = dict[str, str]  # what an option is for, by the option and, where that is no class's, its value

LEFT = 36
OF_ALL = {"model": "Classifier", "data": "FolderData"}  # whose arguments stand for those of all
EXPERIMENT: Lines = {
    "config FILE": "settings, later files win: demo.yaml, methods/ecl.yaml (`list experiments`, `list methods`)",
}
RUN: Lines = {
    "run_dir DIR": "where to write (default: runs/NAMES-OF-CONFIGURATIONS)",
    "ckpt_path last": "go on with a run that was interrupted",
    "monitor SCORE": "whose best epoch is kept, such as val/f1 (default: the last)",
    "seed_everything 0": "of weights, samplers and augmentation",
    "print_plan": "print settings, their files and what they won over, and end",
    "print_config": "print all settings and end",
}
DATA: Lines = {
    "data CLASS": "`--data.help` lists them, `--data.help ISIC2018` its settings",
    "data.root": "folder of the images",
    "data.split": "or KFold --data.split.fold 0, IdLists, Official",
    "data.image_size": "side of the square that the network sees, in pixels",
    "data.batch_size": "images of a step, on all devices together",
    "data.sampler": "--data.sampler.q 0 draws classes equally; or OversampleToMax, ...",
    "data.train_transform": "augmentation",
    "data.cache": "or memory, disk: pictures are decoded once",
}
LOOKED_AT = {name: DATA[name] for name in ("data CLASS", "data.root", "data.split", "data.image_size")}
MODEL: Lines = {
    "model CLASS": "`--model.help` lists them, `--model.help ECL` its settings",
    "model.backbone": "a network of timm",
    "model.pretrained": "true fetches ImageNet's weights; or a file of your own",
    "model.loss": "or Focal, LDAM, ...: `--model.loss.help` lists them",
    "model.head": "or NormedLinear, ...",
    "model.optimizer": "--model.optimizer.lr 0.1 and its other settings follow it",
    "model.scheduler": "or torch.optim.lr_scheduler.CosineAnnealingLR, Steps, ...",
    "model.predictor": "how it answers in the end: or FlipTTA, PostHocAdjusted, ...",
}
MACHINE: Lines = {
    "trainer.devices": "how many GPUs, or processes",
    "trainer.precision": "or bf16-mixed, 16-mixed on a GPU",
}
TRAINER: Lines = {
    "trainer.max_epochs": "length of the training, and of every schedule",
    **MACHINE,
    "trainer.callbacks+ CLASS": "EarlyStopping and others: `--trainer.callbacks.help`",
}
CHECKPOINT: Lines = {
    "ckpt_path FILE": "what was trained: runs/NAME/stage1/checkpoints/best.ckpt; its settings lie beside it",
}
OTHERWISE: Lines = {
    "config FILE": "other settings than those beside the checkpoint",
    "data.root": "folder of the images, if it is another one now",
    "data.batch_size": "images of a step",
    "model.predictor": "or FlipTTA, PostHocAdjusted, TemperatureScaled",
    **MACHINE,
}
EVALUATED: Lines = {
    "run_dir DIR": "where to write (default: a folder inside the run)",
    "allow_trained_images false": "true: evaluate also on images that it was trained on; every report says so",
}
POOL: Lines = {"pool null": "mean or max: all images of a patient or lesion count as one"}
IMAGES: Lines = {
    "images DIR": "the folder of the pictures, searched below too",
    "output predictions.csv": "the CSV file to write",
    "decision FILE": "decision.json of `decide`, which answers instead of the largest probability",
}
SCREENS: dict[str, tuple[str, str, dict[str, Lines]]] = {
    "fit": (
        "--config FILE [--config FILE ...] [--OPTION VALUE ...]",
        "Trains every stage of an experiment, then tests the last one.",
        {
            "experiment": EXPERIMENT | {"then FILE": "a second stage, such as heads/crt.yaml (`list heads`)"},
            "data": DATA,
            "model": MODEL,
            "trainer": TRAINER,
            "run": RUN,
        },
    ),
    "test": (
        "--ckpt_path FILE [--OPTION VALUE ...]",
        "Evaluates a checkpoint on the test part.",
        {"checkpoint": CHECKPOINT, "settings": OTHERWISE, "results": EVALUATED | POOL},
    ),
    "validate": (
        "--ckpt_path FILE [--OPTION VALUE ...]",
        "Evaluates a checkpoint on the validation part.",
        {"checkpoint": CHECKPOINT, "settings": OTHERWISE, "results": EVALUATED},
    ),
    "predict": (
        "--ckpt_path FILE --images DIR [--OPTION VALUE ...]",
        "Classifies a folder of images with a checkpoint, into a CSV.",
        {"checkpoint": CHECKPOINT, "images": IMAGES | POOL, "settings": OTHERWISE},
    ),
    "prepare": (
        "CONFIG.yaml | CLASS --data.root DIR [--OPTION VALUE ...]",
        "Looks a data set over, and decodes its pictures once and for all.",
        {
            "data": EXPERIMENT | LOOKED_AT,
            "what to do": {f"{name} {of.shown}": of.help for name, of in (PREPARE | JSON).items()},
        },
    ),
    "audit": (
        "CONFIG.yaml | CLASS --data.root DIR | --train CSV --test CSV [...]",
        "Finds what is on both sides of a split.",
        {
            "data": EXPERIMENT | LOOKED_AT,
            "what to do": {f"{name} {of.shown}": of.help for name, of in (AUDIT | JSON).items()},
        },
    ),
}


def screen(verb: str) -> str:
    """What `VERB --help` prints."""
    usage, does, groups = SCREENS[verb]
    lines = [f"usage: lightning_imbal {verb} {usage}", does]
    for title, options in groups.items():
        lines.append(f"{title}:")
        for option, about in options.items():
            name, _, value = option.partition(" ")
            lines += in_columns(f"  --{name} {value or _default(name)}".rstrip(), about, LEFT)
    return "\n".join(
        [*lines, f"The rest: lightning_imbal {verb} --help all. A class and its settings: --model.help ECL."]
    )


def _default(option: str) -> str:
    """The default of an argument of the Trainer, of data or of models; what must be given has a word instead."""
    head, _, name = option.partition(".")
    if not name:
        return ""
    source = (
        read("lightning.pytorch.trainer.trainer.Trainer")
        if head == "trainer"
        else find_class(OF_ALL[head], KINDS[head])
    )
    found = {each.name: each.default for each in source.parameters()} if source else {}
    return found[name] or "DIR"
