"""`lightning_imbal audit`: finds what is on both sides of a split."""

from pathlib import Path

from jsonargparse import ArgumentParser

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.closing import next_command, of_data
from lightning_imbal.cli.parts.data_options import data_parser, read_data, write_report
from lightning_imbal.cli.parts.data_verb_options import AUDIT
from lightning_imbal.cli.parts.own_data import OWN
from lightning_imbal.data.audit.audit import audit
from lightning_imbal.data.audit.lists import read_lists
from lightning_imbal.data.checks import groups_suspected
from lightning_imbal.data.look.suspected import suspected_groups
from lightning_imbal.data.pictures.depth_words import sentences
from lightning_imbal.data.pictures.depths import look_for_depths
from lightning_imbal.data.pictures.grey_levels import AS_FOUND
from lightning_imbal.data.pictures.open import CACHE_DIR
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.report.audit import print_audit

LISTS = (*PARTS, "groups", "images")


def run(args: list[str]) -> int:
    """Runs `audit` and returns the exit status: 1 if something leaks, else 0."""
    config, data = read_data(_parser(), args[1:])
    refuse_below(0, **{"--distance": config.distance})
    if config.json is not None:
        refuse_unwritable("--json", config.json)
    lists = {name: config[name] for name in LISTS}
    looked_for = {"distance": config.distance, "mirrored": config.mirrored}
    if any(lists.values()):
        table = read_lists(**lists)
        suspected = (
            None if table["group"].notna().any() else suspected_groups(table, table["path"].fillna(table["image"]))
        )
        depths = sentences(look_for_depths(table["path"].dropna().tolist()), AS_FOUND)
        report = audit(table, cache_dir=CACHE_DIR, suspected=suspected, depths=depths, **looked_for)
        title = " + ".join(Path(lists[name]).name for name in PARTS if lists[name])
    elif data is not None:
        known, suspected = (data.class_names, data.group_name), groups_suspected(data)
        table = data.table if data.files.empty else data.table.assign(path=data.files)
        report = audit(
            table, *known, cache_dir=data.cache_dir, suspected=suspected, depths=data.depth.said, **looked_for
        )
        title = f"{type(data).__name__}, {type(data.split).__name__}"
    else:
        raise UserError(
            "`audit` needs a split: that of an experiment (lightning_imbal audit --config experiments/demo.yaml), or "
            "lists of images (--train a.csv --test b.csv --groups g.csv)."
        )
    print_audit(report, title)
    write_report(config.json, report)
    if data is not None and not report["leaks"] and (config.model or type(data).__name__ in OWN):
        print(next_command("fit", *of_data(args[1:])))
    return int(report["leaks"])


def _parser() -> ArgumentParser:
    parser = data_parser("audit")
    for name, option in AUDIT.items():
        parser.add_argument(f"--{name}", type=option.type, default=option.default, help=option.help)
    return parser
