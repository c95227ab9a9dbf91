"""The configurations of the stages that made a network, first to last: also of another run that it began from."""

from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import stage_of, stages_in, stages_of
from lightning_imbal.runs.stage import Stage


def lineage(config: dict[str, Any], stage: Path, later: bool = False) -> list[dict[str, Any]]:
    """The configuration of a stage, behind those of the stages before it as far as they are there.

    Args:
        config: That of the stage.
        stage: Its folder, whose neighbours are the other stages of the run.
        later: Whether to add those that are still to come, as far as `then` says them.
    """
    known = [place for place in stages_in(stage.parent) if place.name < stage.name] if _is_stage(stage) else []
    before = _read(known[-1:]) or _begun_from(config)
    if known and before:
        before = [*lineage(before[0], known[-1])]
    return [*before, config, *(_coming(config) if later else [])]


def lineage_of(folder: Path, checkpoint: str | None = None) -> list[dict[str, Any]]:
    """The same of results; none if their configuration is not there.

    Args:
        folder: Of the results.
        checkpoint: What was tested, if it is known: later stages have no part in it.
    """
    stages, tested = stages_of(folder), stage_of(Path(checkpoint)).name if checkpoint else ""
    if tested in [stage.name for stage in stages]:
        stages = [stage for stage in stages if stage.name <= tested]
    last = _read(stages[-1:])
    return lineage(last[0], stages[-1]) if last else []


def _is_stage(folder: Path) -> bool:
    return folder.name.startswith("stage")


def _begun_from(config: dict[str, Any]) -> list[dict[str, Any]]:
    checkpoint = (config["model"].get("init_args") or {}).get("backbone_ckpt")
    stage = stage_of(Path(checkpoint)) if checkpoint else None
    found = _read([stage]) if stage else []
    return lineage(found[0], stage) if found and stage else []


def _read(stages: list[Path]) -> list[dict[str, Any]]:
    """Of stages whose configuration is there, and whole."""
    found = []
    for stage in map(Stage, stages):
        if stage.config_file.is_file():
            try:
                config = stage.config()
            except UserError:
                continue  # whoever needs it says so; a title is told without
            found += [config] if config["model"].get("class_path") else []
    return found


def _coming(config: dict[str, Any]) -> list[dict[str, Any]]:
    then = config.get("then")
    return [then, *_coming(then)] if isinstance(then, dict) and then.get("model") else []
