"""The methods of a comparison: the files of `experiments/methods` and `heads`, and how they call themselves."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.command_line import last_setting
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import display_name, files_of, read_yaml
from lightning_imbal.tables.spec import Row
from lightning_imbal.wording import did_you_mean


def protocol_of(data: str, *folders: Path) -> Path:
    """The protocol for a class of data: the `own_*.yaml` that names it, else that of a folder per class.

    Args:
        data: Name of the class.
        folders: Folders of experiments; by default those that `find` looks through.
    """
    protocols = {name: file for name, file in files_of(".", *folders).items() if name.startswith("own_")}
    for file in protocols.values():
        named = last_setting([f"--config={file}"], "data", "class_path")
        if named and named.rpartition(".")[2] == data.rpartition(".")[2]:
            return file
    return protocols["own_folder"]


def rows_of(methods: Sequence[str], *folders: Path) -> dict[str, tuple[str, Row]]:
    """Name and row of each method; one whose first stage another one trains alone starts from it.

    Args:
        methods: Names of files in `methods/`, or in `heads/`: those come after plain cross-entropy.
        folders: Folders of experiments; by default those that `find` looks through.

    Raises:
        UserError: There is no such file, or two of them have the same name.
    """
    found = {method: _row(method, *folders) for method in dict.fromkeys(methods)}
    _refuse_same_name(found.values())
    stages = {method: _stages(row) for method, (_, row) in found.items()}
    alone = {first: found[method][0] for method, (first, then) in stages.items() if then is None}
    for method, (_, row) in found.items():
        first, then = stages[method]
        row.start = alone.get(first) if then is not None else None
    return found


def _row(method: str, *folders: Path) -> tuple[str, Row]:
    methods, heads = files_of("methods", *folders), files_of("heads", *folders)
    if method in methods:
        return display_name(methods[method]), Row(configs=[str(methods[method])])
    if method in heads and f"ce_{method}" in methods:
        return _row(f"ce_{method}", *folders)
    if method in heads:
        name = f"{display_name(methods['ce'])} -> {display_name(heads[method])}"
        return name, Row(configs=[str(methods["ce"])], options={"then": str(heads[method])})
    hint = did_you_mean(method, [*methods, *heads]) or f"there are {', '.join(sorted([*methods, *heads]))}."
    raise UserError(f"There is no method {method!r}: {hint}")


def _refuse_same_name(rows: Iterable[tuple[str, Row]]) -> None:
    file_of: dict[str, str] = {}
    for name, row in rows:
        file = row.options.get("then", row.configs[0])
        if (other := file_of.setdefault(name, file)) != file:
            raise UserError(
                f"{other} and {file} are both called {name!r}: change the first words of one of them, up to the colon."
            )


def _stages(row: Row) -> tuple[str, Any]:
    """What the first stage of a method is, as text, and its second stage, if it has one."""
    content = read_yaml(row.configs[0])
    then = row.options.get("then") or content.pop("then", None)
    return yaml.safe_dump(content | {"then": None}), then
