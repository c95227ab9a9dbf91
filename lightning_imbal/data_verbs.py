"""`lightning_imbal prepare` and `lightning_imbal audit`: what needs a data set and no model."""

from pathlib import Path
from typing import Any

from jsonargparse import SUPPRESS, ArgumentParser, Namespace

from lightning_imbal.atomic_files import write_json
from lightning_imbal.cli_errors import RUN_OPTIONS, cause
from lightning_imbal.data.audit.audit import audit
from lightning_imbal.data.audit.duplicates import DISTANCE
from lightning_imbal.data.audit.lists import read_lists
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.prepare import prepare
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.errors import UserError
from lightning_imbal.report.audit import print_audit
from lightning_imbal.report.prepared import print_prepared

LISTS = (*PARTS, "groups", "images")
# What else a configuration of `fit` holds: it can be given as it is, these parts are not looked at.
OF_TRAINING = sorted({"trainer", *RUN_OPTIONS} - {"config", "data"})


def run(args: list[str]) -> int:
    """Runs `prepare` or `audit` and returns the exit status: 1 if something is wrong with the data, else 0."""
    verb, args = args[0], args[1:]
    if args and not args[0].startswith("-"):
        args = ["--config" if Path(args[0]).suffix in (".yaml", ".yml") else "--data", *args]
    parser = _parser(verb)
    config = parser.parse_args(args)
    try:
        data = parser.instantiate_classes(config).data
    except ValueError as error:
        raise cause(error) from error
    return _prepare(data, config) if verb == "prepare" else _audit(data, config)


def _parser(verb: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=f"lightning_imbal {verb}",
        description=f"The data set: {verb} CONFIG.yaml, {verb} CLASS --data.root DIR, or --config as for `fit`.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("--config", action="config", help="Configuration of an experiment or of a data set.")
    parser.add_subclass_arguments(ImbalDataModule, "data", required=False)
    for name in OF_TRAINING:
        parser.add_argument(f"--{name}", type=Any, help=SUPPRESS)
    parser.add_argument("--json", type=str | None, help="File to write what was found to.")
    if verb == "prepare":
        parser.add_argument("--verify", type=bool, default=False, help="Compare the checksums of the whole cache.")
        return parser
    for name in PARTS:
        parser.add_argument(f"--{name}", type=str | None, help=f"Instead of data: CSV with the images for {name}.")
    parser.add_argument("--groups", type=str | None, help="CSV with columns image and lesion_id or group.")
    parser.add_argument("--images", type=str | None, help="Folder of the listed pictures.")
    parser.add_argument(
        "--distance", type=int, default=DISTANCE, help="Bits of 256 that may differ in near-duplicates."
    )
    return parser


def _prepare(data: ImbalDataModule | None, config: Namespace) -> int:
    if data is None:
        raise UserError("`prepare` needs a data set: lightning_imbal prepare experiments/data/isic2018.yaml.")
    found = prepare(data, config.verify)
    print_prepared(found)
    _write(config.json, found)
    return int(bool(found["complaints"] or found.get("unreadable")))


def _audit(data: ImbalDataModule | None, config: Namespace) -> int:
    lists = {name: config[name] for name in LISTS}
    if any(lists.values()):
        found = audit(read_lists(**lists), distance=config.distance)
        title = " + ".join(Path(lists[name]).name for name in PARTS if lists[name])
    elif data is not None:
        found = audit(data.table, data.class_names, config.distance, data.group_name)
        title = f"{type(data).__name__}, {type(data.split).__name__}"
    else:
        raise UserError(
            "`audit` needs a split: that of an experiment (lightning_imbal audit --config experiments/demo.yaml), or "
            "lists of images (--train a.csv --test b.csv --groups g.csv)."
        )
    print_audit(found, title)
    _write(config.json, found)
    return int(found["leaks"])


def _write(path: str | None, found: dict[str, Any]) -> None:
    if path is not None:
        write_json(Path(path), found)
