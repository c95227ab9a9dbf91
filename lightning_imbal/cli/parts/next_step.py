"""What to try after a run on one's own images, as a command that is ready to be run."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.cli.parts.own_data import OWN
from lightning_imbal.command_line import parse_options
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.experiment_files import files_of, with_files_found
from lightning_imbal.runs.folder import first_free
from lightning_imbal.tables.suited import suitable

OF_THIS_RUN = ("run_dir", "ckpt_path", "then")


def next_step(args: Sequence[str], folder: Path, data: ImbalDataModule) -> list[str]:
    """The first method that suits the class sizes and is not the one that was run, with its reason and its command.

    Args:
        args: Command line of the `fit`, without its verb.
        folder: Of its run.
        data: Its images; nothing is said about other data than one's own.
    """
    if type(data).__name__ not in OWN:
        return []
    methods, options = files_of("methods"), parse_options(with_files_found(args))
    tried = {Path(value).stem for name, value in options if name == "config"} & methods.keys()
    suited = {
        name: why for name, why in suitable(data.class_counts, data.ordered).items() if name not in tried | {"ce"}
    }
    found = next((name for name in suited if name in methods), None)
    if found is None:
        return []
    kept = [
        (name, value)
        for name, value in options
        if name.partition(".")[0] not in OF_THIS_RUN and not (name == "config" and Path(value).stem in tried)
    ]
    short = {str(file): file.name for file in files_of(".").values()}
    kept = [(name, short.get(value, value)) for name, value in kept]
    last = max((place for place, (name, _) in enumerate(kept, 1) if name == "config"), default=0)
    kept.insert(last, ("config", f"methods/{found}.yaml"))
    kept.append(("run_dir", str(first_free(folder.with_name(f"{folder.name}-{found}")))))
    command = shlex.join(["lightning_imbal", "fit", *(part for name, value in kept for part in (f"--{name}", value))])
    return [f"To try next, {found} ({suited[found]}): {command}"]
