"""`lightning_imbal ensemble`: the mean of the probabilities of several runs, as a run."""

from pathlib import Path

from lightning_imbal.cli.parts.run_dir import refuse_taken
from lightning_imbal.cli.parts.verb_options import ensemble as ensemble_parser
from lightning_imbal.runs.run import Run

OF_FOLDS = (
    "AUC and calibration error are of the images of all folds together; a table averages them over the folds, whose "
    "networks need not be equally sure."
)


def run(args: list[str]) -> int:
    """Runs `ensemble` and returns the exit status."""
    given = ensemble_parser().parse_args(args[1:])
    refuse_taken(given.run_dir)
    folder = Path(given.run_dir)
    from lightning_imbal.stats.ensemble import ensemble
    from lightning_imbal.stats.members import identity_of

    made = ensemble([Run(member) for member in given.runs])
    identity = identity_of(made, folder.absolute().name)
    from lightning_imbal.atomic_files import write_whole
    from lightning_imbal.callbacks.results_writer import as_logits, evaluated, software, table_of, write_results
    from lightning_imbal.cli.parts.show import show_folder
    from lightning_imbal.runs.spreadsheet import to_csv

    table, results = evaluated(made.predictions)
    write_whole(folder / "predictions.parquet", table.to_parquet)
    if made.validation is not None:
        write_whole(folder / "predictions_val.parquet", as_logits(table_of(made.validation)).to_parquet)
    write_whole(folder / "split.csv", lambda file: to_csv(made.split, file))
    write_results(folder, {"identity": identity | software(), **results})
    show_folder(folder, further=[OF_FOLDS] if any(len(folds) > 1 for folds in made.rounds) else [])
    return 0
