"""The kinds of classes that a configuration chooses: where each is set, which there are; read, not imported."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from lightning_imbal.factories.build import GIVEN
from lightning_imbal.guide.names import keys, public
from lightning_imbal.guide.source import Parameter, Source, read

PACKAGE = "lightning_imbal"

HEADS = ("NormedLinear", "LearnableScale", "ClosedFormHead", "CoralHead", "CornHead")  # they have no base in common
SHARED = ("ImbalModule", "ImbalClassifier", "ImbalDataModule")  # whose arguments every child has


@dataclass(frozen=True)
class Kind:
    """What can be chosen at one place.

    Args:
        noun: What it is called.
        option: Where it is chosen.
        bases: Classes that it is below, of any.
        modules: Whose public classes are named.
        others: What else there is, in words.
        example: A class that fits.
    """

    noun: str
    option: str
    bases: tuple[str, ...]
    modules: tuple[str, ...]
    others: str = ""
    example: str = ""


def _ours(noun: str, option: str, base: str, others: str = "", example: str = "", more: str = "") -> Kind:
    room = f"{PACKAGE}.{base.partition('.')[0]}"
    return Kind(noun, option, (f"{PACKAGE}.{base}",), (room, *filter(None, [more])), others, example)


_SAMPLER = Kind(
    "a sampler", "data.sampler", ("torch.utils.data.sampler.Sampler",), (f"{PACKAGE}.samplers",), example="ClassPower"
)
_TRANSFORM = Kind("a transform", "data.train_transform", ("albumentations.Compose",), (f"{PACKAGE}.data",))
_CALLBACKS = ("lightning.pytorch.callbacks.Callback",), (f"{PACKAGE}.callbacks", "lightning.pytorch.callbacks")
KINDS = {
    "model": _ours("a model", "model", "modules.base.ImbalModule"),
    "data": _ours("a data set", "data", "data.base.ImbalDataModule"),
    "loss": _ours("a loss", "model.loss", "losses.base.ImbalancedLoss", example="CrossEntropy"),
    "head": Kind(
        "a head",
        "model.head",
        tuple(f"{PACKAGE}.heads.{name}" for name in HEADS),
        (f"{PACKAGE}.heads",),
        "torch.nn.Linear",
        "torch.nn.Linear",
    ),
    "optimizer": Kind(
        "an optimizer", "model.optimizer", ("torch.optim.Optimizer",), ("torch.optim",), example="torch.optim.SGD"
    ),
    "scheduler": Kind(
        "a scheduler",
        "model.scheduler",
        ("torch.optim.lr_scheduler.LRScheduler",),
        (f"{PACKAGE}.schedulers", "torch.optim.lr_scheduler"),
        "any of torch.optim.lr_scheduler",
        "Steps",
    ),
    "predictor": _ours("a predictor", "model.predictor", "predictors.base.Predictor", example="Plain"),
    "perturb": _ours("a perturbation", "model.perturb", "predictors.perturbed_input.PerturbedInput"),
    "metric": _ours("a metric term", "model.metric", "losses.metric_terms.MetricTerm", example="CenterTerm"),
    "tuning": _ours("a tuning of a part", "model.tuning", "backbones.tuning.Tuning", example="LoRA"),
    "mixer": _ours("a mixer", "model.mixer", "mixers.base.Mixer", example="MixUp"),
    "sampler": _SAMPLER,
    "paired_sampler": _SAMPLER,
    "split": _ours("a split", "data.split", "data.splits.base.Split", example="Holdout"),
    "train_transform": _TRANSFORM,
    "test_transform": _TRANSFORM,
    "more_views": _TRANSFORM,
    "callbacks": Kind("a callback", "trainer.callbacks", *_CALLBACKS),
    "logger": Kind("a logger", "trainer.logger", ("lightning.pytorch.loggers.Logger",), ("lightning.pytorch.loggers",)),
    "strategy": Kind(
        "a strategy", "trainer.strategy", ("lightning.pytorch.strategies.Strategy",), ("lightning.pytorch.strategies",)
    ),
    "profiler": Kind(
        "a profiler", "trainer.profiler", ("lightning.pytorch.profilers.Profiler",), ("lightning.pytorch.profilers",)
    ),
}


def kind_at(option: str) -> Kind | None:
    """What is chosen at an option such as `model.loss`, by its last part; None if that is no class."""
    return KINDS.get(option.rstrip("+").rpartition(".")[2])


@cache
def classes_of(kind: Kind) -> dict[str, Source]:
    """The classes of a kind by their names, as they can be written; not those that are there to be inherited from."""
    found: dict[str, Source] = {}
    bases = _bases(kind)
    for module in kind.modules:
        for name in public(module):
            source = read(f"{module}.{name}")
            if source and source.is_below(bases) and not (source.is_abstract or name in SHARED):
                found.setdefault(name, source)
    inherited = {base for base in bases if any(each != base and each.is_below({base}) for each in found.values())}
    return {name: source for name, source in found.items() if source not in inherited}


def find_class(name: str, kind: Kind | None = None) -> Source | None:
    """The class that is meant by its name alone, if it is of a kind, or else by its path."""
    if "." in name:
        return read(name)
    chosen = [kind] if kind else [*KINDS.values()]
    return next((found for each in chosen if (found := classes_of(each).get(name))), None)


def kind_of(source: Source) -> Kind | None:
    """The kind of a class; None if it is none that is chosen somewhere."""
    return next((kind for kind in KINDS.values() if is_of(source, kind)), None)


def is_of(source: Source, kind: Kind) -> bool:
    """Whether a class is of a kind."""
    return source.is_below(_bases(kind))


def settable(source: Source, kind: Kind | None) -> list[Parameter]:
    """The arguments of a class that are for the user: not what the program gives it."""
    given = of_data() if kind is KINDS["model"] else frozenset() if kind is KINDS["data"] else GIVEN
    transforms = frozenset({"size"}) if kind is _TRANSFORM else frozenset()
    return [each for each in source.parameters() if each.name not in given | transforms]


@cache
def of_data() -> frozenset[str]:
    """What a model is built with that its data say."""
    return frozenset(keys(f"{PACKAGE}.cli.parts.parser", "FACTS"))


def parameters_of_any(kinds: Iterable[Kind]) -> dict[str, Parameter]:
    """The arguments of every class of some kinds, by name."""
    sources = ((source, kind) for kind in kinds for source in classes_of(kind).values())
    return {each.name: each for source, kind in sources for each in settable(source, kind)}


@cache
def _bases(kind: Kind) -> frozenset[Source]:
    return frozenset(filter(None, map(read, kind.bases)))
