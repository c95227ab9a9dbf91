"""`lightning_imbal export`: a trained model as ONNX, with a model card beside it."""

from pathlib import Path

import albumentations as A
import numpy as np
import pandas as pd
import torch

from lightning_imbal.atomic_files import refuse_unwritable, write_whole
from lightning_imbal.cli.parts.stored_decision import decision_for
from lightning_imbal.cli.parts.trained_model import TrainedModel
from lightning_imbal.cli.parts.verb_options import export as export_parser
from lightning_imbal.command_line import given as given_on
from lightning_imbal.decisions.base import Decision
from lightning_imbal.errors import UserError
from lightning_imbal.export.check import BATCH_SIZES, check, predict
from lightning_imbal.export.inference import Inference, input_size
from lightning_imbal.export.onnx import require_packages, to_onnx
from lightning_imbal.report.model_card import model_card
from lightning_imbal.report.model_card_alone import card_without_scores
from lightning_imbal.runs.folder import is_finished, stage_of
from lightning_imbal.runs.run import Run
from lightning_imbal.trained.settings import settings_of
from lightning_imbal.wording import number_of

SAME = 0.01  # of probabilities: what another device or precision may make of them


def run(args: list[str]) -> int:
    """Runs `export` and returns the exit status."""
    given, options = export_parser().parse_known_args(args[1:])
    if any(option.startswith("--ckpt_path") for option in options):
        other = given_on("ckpt_path", options) or given.run
        raise UserError(f"`export` takes a checkpoint as its first word: lightning_imbal export {other} --onnx FILE.")
    (trained_run, checkpoint), file = _source(given.run), Path(given.onnx)
    _check(file)
    trained = TrainedModel(checkpoint, options)
    decision, about_decision = _decision(given.decision, checkpoint)
    recipe, normalize = trained.datamodule.test_recipe, trained.datamodule.normalize
    (predictor, left_out), size = trained.predictor(), input_size(recipe)
    about = trained.about(predictor, left_out, size, trained_run) | about_decision
    offset = None if decision is None else decision.offset
    inference = Inference(trained.model, predictor, normalize, None if offset is None else torch.tensor(offset).float())
    images, ids = trained.images(size)
    content, expected = to_onnx(inference, size, about), predict(inference, images, normalize)
    checked = _checked(len(images), bool(ids), check(content, images, expected, offset))
    about |= {"file": file.name, "check": checked, "steps": steps(recipe)}
    if trained_run is None:
        own, origin, card = True, "", card_without_scores(settings_of(checkpoint), about)
    else:
        plain = trained_run.folder / "plain"
        scores = plain if left_out and is_finished(plain) else trained_run.folder
        own, origin = _origin(scores, ids, expected[-1])
        card = model_card(scores, about | {"origin": origin})
    write_whole(file, lambda path: path.write_bytes(content))
    write_whole(file.with_suffix(".md"), lambda path: path.write_text(card, encoding="utf-8"))
    for line in (f"{left_out}." if left_out else "", checked, "" if own else origin):
        if line:
            print(line)
    print(f"Model: {file} ({len(content) / 1e6:.1f} MB)")
    written = file.with_suffix(".md")
    print(f"Model card: {written}")
    print(f"Next: read {written} before the model is used: what it expects, what it answers, how far it was tested.")
    return 0


def _source(given: str) -> tuple[Run | None, Path]:
    """The run and the checkpoint that are meant: of a checkpoint that lies in no finished run, no run.

    Raises:
        UserError: There is neither.
    """
    place = Path(given)
    if place.is_file():
        stage = stage_of(place)
        return Run(stage.parent) if stage.name.startswith("stage") and is_finished(stage.parent) else None, place
    run = Run(given)
    run.check_finished()
    if not run.best_checkpoint.is_file():
        raise UserError(
            f"There is no checkpoint {run.best_checkpoint}: give the folder that `fit` wrote to, with its checkpoints."
        )
    return run, run.best_checkpoint


def _decision(file: str | None, checkpoint: Path) -> tuple[Decision | None, dict[str, str]]:
    """What answers, and texts about it: the ONNX file keeps them and the card shows them.

    Raises:
        UserError: The file is absent, damaged or of other classes.
    """
    if file is None:
        return None, {}
    stored, warning = decision_for(file, str(checkpoint))
    if warning:
        print(warning)
    inside = "is the output `answer`" if stored.decision.offset is not None else "is left to who uses the file"
    return stored.decision, {
        "decision": Path(file).read_text(encoding="utf-8"),
        "decided": f"{stored.rule}, fitted on {stored.fitted_on.get('images', 'validation images')}: it {inside}",
    }


def _check(file: Path) -> None:
    """Refuses, before anything is built, what could not be written or checked."""
    require_packages()
    if file.suffix != ".onnx" or file.is_dir():
        name = file.with_suffix(".onnx") if file.name else "model.onnx"
        raise UserError(f"--onnx {file} is no name of an ONNX file: give one such as {name}.")
    refuse_unwritable("--onnx", file)


def _checked(number: int, real: bool, differences: list[float]) -> str:
    logits, probability = differences
    source = "test images" if real else "random images, because the data set was not found (--data.root),"
    return (
        f"Checked on {number} {source} in batches of {' and '.join(map(str, BATCH_SIZES))}: onnxruntime and "
        f"PyTorch differ by at most {probability:.1e} in probabilities, {logits:.1e} in logits."
    )


def _origin(scores: Path, ids: list[str], probability: np.ndarray) -> tuple[bool, str]:
    """Whether the scores of a folder are those of the file, as far as is known, and a sentence that says so.

    Args:
        scores: Folder of the scores.
        ids: Images, none if they are not known.
        probability: What the file gives for them, (N, C).
    """
    recorded = Run(scores).predictions
    row = pd.Index(recorded.image if recorded else []).get_indexer(ids)
    known = row >= 0
    if recorded is None or not known.any():
        return True, "Whether the file gives the probabilities that these scores were computed from was not checked."
    difference = np.abs(recorded.probability[row[known]] - probability[known]).max()
    where = f"on {number_of(int(known.sum()), 'test image')} its probabilities"
    if difference <= SAME:
        return True, f"These scores are those of the file: {where} are the recorded ones, within {difference:.1e}."
    return False, (
        f"The scores are not those of the file: {where} differ by up to {difference:.2f} from those that the scores "
        "were computed from. For a card with its own scores, `test` the checkpoint with the same options, and export "
        "the folder that this writes."
    )


def steps(recipe: A.Compose) -> str:
    """Lines of Python that do to a `picture` what a test transform does; empty if they are not known."""
    lines, height, width = [], 0, 0
    for step in recipe.transforms:
        match step:
            case A.Resize(area_for_downscale="image"):
                height, width = step.height, step.width
                lines.append(f"picture = cv2.resize(picture, ({width}, {height}), interpolation=cv2.INTER_AREA)")
            case A.CenterCrop(pad_if_needed=False) if lines:
                top, left = (height - step.height) // 2, (width - step.width) // 2
                lines.append(f"picture = picture[{top} : {top + step.height}, {left} : {left + step.width}]")
            case _:
                return ""
    return "\n".join(lines)
