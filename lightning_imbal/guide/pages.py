"""The page of anything that can be listed."""

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import OVERLAYS, display_name, files_of
from lightning_imbal.guide.classes import public_classes
from lightning_imbal.guide.methods import method_page
from lightning_imbal.guide.page import Page
from lightning_imbal.guide.things import class_page, file_page, score_page, table_page
from lightning_imbal.score_names import SCORES
from lightning_imbal.wording import did_you_mean

FOLDERS = {**{kind: kind for kind in OVERLAYS}, "experiments": ".", "tables": "tables"}


def page_of(kind: str, name: str) -> Page:
    """The page of one thing.

    Args:
        kind: As `list` has it, such as `methods`.
        name: As it is typed, such as `ecl`; `methods/ecl.yaml` is the same.

    Raises:
        UserError: There is no such thing.
    """
    short = name.removeprefix(f"{kind}/").removesuffix(".yaml")
    classes = {} if kind in FOLDERS or kind == "scores" else {each.name: each for each in public_classes(kind)}
    known = classes or (SCORES if kind == "scores" else files_of(FOLDERS[kind]))
    if short not in known:
        raise UserError(f"There is no {name!r} in {kind}: {_hint(short, kind, list(known))}")
    if classes:
        return class_page(kind, classes[short])
    if kind in ("methods", "heads"):
        return method_page(short, kind)
    if kind == "tables":
        return table_page(short)
    return score_page(short) if kind == "scores" else file_page(kind, short)


def _hint(name: str, kind: str, known: list[str]) -> str:
    """What was meant, also if it was called as people call it, such as Balanced-MixUp."""
    called = {each.lower(): each for each in known}
    if kind in ("methods", "heads"):
        called |= {display_name(file).lower(): short for short, file in files_of(kind).items()}
    hint = did_you_mean(name.lower(), called, show=called.__getitem__)
    return hint or f"`lightning_imbal list {kind}` shows all."
