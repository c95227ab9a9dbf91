"""The best settings as a configuration that is laid over those of the search, with how they were found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.tuned import images_digest
from lightning_imbal.tuning.about import About
from lightning_imbal.tuning.search import Value
from lightning_imbal.tuning.trial import Trial, folder_of

HEAD = "# Found by `lightning_imbal tune`: lay it over the configurations of the search, after all of them.\n"


def overlay(params: Mapping[str, Value], stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A configuration that sets what a trial has set.

    Args:
        params: The value of each setting that was searched.
        stages: The configurations of the trial's stages, from which the classes of objects are taken.
    """
    found: dict[str, Any] = {}
    for name, value in params.items():
        first, *rest = name.split(".")
        if first == "then":
            _set(found.setdefault("then", {}), stages[-1], rest, value)
        else:
            _set(found, stages[0], [first, *rest], value)
    return found


def tuned(about: About, trials: Sequence[Trial], best: Trial, run: Path) -> dict[str, Any]:
    """How the best settings were found, as `fit` keeps it.

    Args:
        about: The search.
        trials: All that have ended.
        best: The best of them.
        run: The folder of the search.
    """
    states = [trial.state for trial in trials]
    return {
        "score": about.score,
        "value": best.value,
        "trial": best.number,
        "trials": len(trials),
        "pruned": states.count("pruned"),
        "failed": states.count("failed"),
        "search": {each.name: each.text for each in about.space},
        "seed": about.seed,
        "folder": str(run),
    }


def write_overlay(about: About, trials: Sequence[Trial], best: Trial, run: Path) -> None:
    """Writes `best.yaml`.

    Args:
        about: The search.
        trials: All that have ended.
        best: The best of them.
        run: The folder of the search.
    """
    made = Run(folder_of(run, best.number))
    split, stages = made.split(), [stage.config() for stage in made.stages]
    on = {"data": made.identity["title"]["data"], "images": "" if split is None else images_digest(split)}
    content = overlay(best.params, stages) | {"tuned": tuned(about, trials, best, run) | on}
    text = HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    write_whole(run / "best.yaml", lambda path: path.write_text(text, encoding="utf-8"))


def _set(place: dict[str, Any], config: Any, names: Sequence[str], value: Value) -> None:
    """Sets a value below a mapping, with the classes that the configuration has on the way there."""
    name, *rest = names
    here = config.get(name) if isinstance(config, dict) else None
    chosen = here["class_path"] if isinstance(here, dict) and "class_path" in here else None
    if not rest:
        place[name] = {"class_path": chosen} if chosen else _typed(value)
        return
    below = place.setdefault(name, {})
    if isinstance(here, dict) and chosen:
        # The class of model and data is that of the configurations below.
        if name not in ("model", "data"):
            below["class_path"] = chosen
        below, here = below.setdefault("init_args", {}), here.get("init_args") or {}
    _set(below, here, rest, value)


def _typed(value: Value) -> Any:
    return yaml.safe_load(value) if isinstance(value, str) else value
