"""`lightning_imbal prepare`: looks a data set over, and decodes its pictures once and for all."""

from lightning_imbal.cli.parts.closing import next_command, of_data
from lightning_imbal.cli.parts.data_options import data_parser, read_data, write_report
from lightning_imbal.cli.parts.data_verb_options import PREPARE
from lightning_imbal.data.prepare import prepare
from lightning_imbal.errors import UserError
from lightning_imbal.report.prepared import print_prepared


def run(args: list[str]) -> int:
    """Runs `prepare` and returns the exit status: 1 if something is wrong with the data, else 0."""
    parser = data_parser("prepare")
    for name, option in PREPARE.items():
        parser.add_argument(f"--{name}", type=option.type, default=option.default, help=option.help)
    config, data = read_data(parser, args[1:])
    if data is None:
        raise UserError("`prepare` needs a data set: lightning_imbal prepare experiments/data/isic2018.yaml.")
    report = prepare(data, config.verify)
    print_prepared(report)
    write_report(config.json, report)
    print(next_command("audit", *of_data(args[1:])))
    return int(bool(report["complaints"] or report.get("unreadable")))
