"""`lightning_imbal predict`: classifies a folder of images with a checkpoint, into a CSV."""

from pathlib import Path

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.check import check_evaluation, check_test_size
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.evaluation import read_checkpoint
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.predict_folder import folder_to_csv
from lightning_imbal.cli.parts.seed import seed
from lightning_imbal.cli.parts.stored_decision import decision_for
from lightning_imbal.cli.parts.trained import check_places
from lightning_imbal.cli.parts.trainer import evaluation_trainer
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import load_weights
from lightning_imbal.processes import is_first
from lightning_imbal.runs.folder import is_finished, stage_of


def run(args: list[str]) -> int:
    """Runs `predict` and returns the exit status."""
    cli = ImbalCLI("predict")
    config = read_checkpoint(cli, args[1:])
    refuse_unwritable("--output", config.output)
    if not config.images:
        raise UserError("--images is empty: give the folder of the pictures.")
    decision, warning = decision_for(config.decision, config.ckpt_path) if config.decision else (None, "")
    if warning and is_first():
        print(warning)
    seed(config)
    built = cli.build(config)
    check_evaluation("", built.model, built.data)
    check_test_size(built.model, built.data)
    if built.model.predictor.needs_calibration:
        check_places(config, f"{type(built.model.predictor).__name__} is fitted to its validation images")
    load_weights(built.model, config.ckpt_path)
    folder_to_csv(evaluation_trainer(config, built, None), built.model, built.data, config, decision)
    run = stage_of(Path(config.ckpt_path)).parent
    if is_first() and is_finished(run):
        print(next_command("report", run))  # how far they can be trusted
    return 0
