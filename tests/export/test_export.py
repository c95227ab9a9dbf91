"""`lightning_imbal export` on a short run: what the file computes, says and refuses."""

import gc
import io
import json
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from small_runs import NAMES, QUIET, digits, fit_digits, refused
from torch import nn

from lightning_imbal.cli import export as export_verb
from lightning_imbal.cli import main
from lightning_imbal.cli.export import steps
from lightning_imbal.cli.parts.trained_model import TrainedModel
from lightning_imbal.data import DigitsLT
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.data.recipes import CenterCrop, ShiftCrop, Squash
from lightning_imbal.decisions.base import Decision
from lightning_imbal.decisions.file import write_decision
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.export import check as check_module
from lightning_imbal.export import inference as inference_module
from lightning_imbal.export import onnx as onnx_module
from lightning_imbal.heads import KNearest, LearnableScale, NearestClassMean, NormedLinear, TauNormalized
from lightning_imbal.predictors import DihedralTTA, FlipTTA, Plain, PostHocAdjusted, Predictor, TemperatureScaled
from lightning_imbal.runs.run import Run

WHY = "onnx, onnxruntime or onnxscript is not installed: pip install 'lightning_imbal[onnx]'"
onnx, onnxruntime, _ = (pytest.importorskip(name, reason=WHY) for name in ("onnx", "onnxruntime", "onnxscript"))

TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def no_copies():
    """Writing ONNX leaves copies of classes: until they are collected, two classes have the same short name."""
    gc.collect()
    gc.freeze()  # the next one, which would take half a second, has only what is new to look at


@pytest.fixture(scope="module", autouse=True)
def unfrozen_afterwards():
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of one stage."""
    return fit_digits(tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """Its file, in a folder that was not there, and what was printed."""
    file, told = tmp_path_factory.mktemp("exported") / "new" / "digits.onnx", io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        assert main(["export", str(run), "--onnx", str(file)]) == 0
    return file, told.getvalue()


@pytest.fixture
def written_before(exported, monkeypatch):
    """Saves the time that the exporter takes where the graph begins as that of `exported`; `export` checks it."""
    monkeypatch.setattr(export_verb, "to_onnx", lambda *args: continued(exported[0], *args))


def continued(file, inference, size, metadata):
    """A written graph with the temperature of a predictor, and the answer, behind the logits of the network."""
    model = onnx.load(file)
    graph = model.graph
    if temperature := getattr(inference.predictor, "temperature", None):
        [(place, writer)] = [(place, node) for place, node in enumerate(graph.node) if "logits" in node.output]
        writer.output[0] = "unscaled"
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(temperature), "temperature"))
        graph.node.insert(place + 1, onnx.helper.make_node("Div", ["unscaled", "temperature"], ["logits"]))
    if inference.offset is not None:
        graph.initializer.append(onnx.numpy_helper.from_array(inference.offset.numpy(), "offset"))
        graph.node.append(onnx.helper.make_node("Add", ["logits", "offset"], ["decided"]))
        graph.node.append(onnx.helper.make_node("ArgMax", ["decided"], ["answer"], axis=1, keepdims=0))
        graph.output.append(onnx.helper.make_tensor_value_info("answer", onnx.TensorProto.INT64, ["batch"]))
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()


@pytest.fixture(scope="module")
def pictures():
    """The test images of the run as the pipeline makes them, float32 in 0..1, and their ids."""
    data = digits()
    images = torch.cat([batch["image"] for batch in data.test_dataloader()])
    return images.numpy() / np.float32(255), data.table["image"].iloc[data.rows("test")].tolist()


def outputs(file, image, batch_size=60):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    batches = [session.run(None, {"image": image[i : i + batch_size]}) for i in range(0, len(image), batch_size)]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def recorded(folder, ids):
    table = pd.read_parquet(folder / "predictions.parquet").set_index("image").loc[ids]
    return table[[f"probability/{name}" for name in NAMES]].to_numpy()


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_probabilities_are_those_of_the_run(run, exported, pictures, batch_size):
    image, ids = pictures
    logits, probability = outputs(exported[0], image[:100], batch_size)
    assert np.abs(probability - recorded(run, ids[:100])).max() < TOLERANCE
    assert probability == pytest.approx(torch.tensor(logits).softmax(dim=1).numpy(), abs=1e-6)


def test_file_holds_what_its_user_needs(run, exported):
    file, _ = exported
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key: entry.value for entry in model.metadata_props}
    identity = json.loads((run / "metrics.json").read_text())["identity"]
    assert json.loads(about["class_names"]) == NAMES
    assert about["image_size"] == "32 x 32" and "Squash(ratio=1) to this size" in about["recipe"]
    assert json.loads(about["mean"]) == [0.485, 0.456, 0.406] and json.loads(about["std"]) == [0.229, 0.224, 0.225]
    assert about["adjustment"] == "Plain" and about["head"] == "Linear(bias=True)"
    assert json.loads(about["run"]) == {
        **{"title": "CE, DigitsLT, 30 % test, seed 0", "name": "demo"},
        **{"seed": 0, "commit": identity["commit"]},
    }
    assert about["checkpoint"] == "stage1/checkpoints/best.ckpt"
    assert about["lightning_imbal"] == identity["versions"]["lightning_imbal"]
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param == "batch" and [size.dim_value for size in shape[1:]] == [3, 32, 32]
    assert [output.name for output in model.graph.output] == ["logits", "probability"]
    assert sorted(entry.name for entry in file.parent.iterdir()) == ["digits.md", "digits.onnx"]


def test_file_names_no_place_on_this_machine(run, exported):
    content = exported[0].read_bytes()
    assert b"/lightning_imbal/" not in content and b"site-packages" not in content
    for place in (run.parent, exported[0].parent, Path.cwd(), Path.home()):
        assert str(place).encode() not in content and str(place) not in exported[0].with_suffix(".md").read_text()


def test_a_checkpoint_alone_is_exported_without_scores(run, exported, written_before, tmp_path, capsys):
    lone = shutil.copy(run / "stage1" / "checkpoints" / "best.ckpt", tmp_path / "model.ckpt")
    assert main(["export", str(lone), "--onnx", str(tmp_path / "a.onnx")]) == 0
    about = {each.key: each.value for each in onnx.load(tmp_path / "a.onnx").metadata_props}
    in_run = {each.key: each.value for each in onnx.load(exported[0]).metadata_props}
    assert {name: about[name] for name in about if name != "checkpoint"} == {
        name: in_run[name] for name in in_run if name not in ("checkpoint", "run")
    }
    assert about["checkpoint"] == "model.ckpt" and str(tmp_path) not in str(about)
    card = (tmp_path / "a.md").read_text()
    assert "How well it does is not known" in card and "session.run" in card and "Results" not in card
    assert "100 test images" in capsys.readouterr().out, "which DigitsLT has everywhere"


def test_a_checkpoint_in_its_run_is_that_of_the_run(run, exported, written_before, tmp_path):
    file = tmp_path / exported[0].name
    assert main(["export", str(run / "stage1" / "checkpoints" / "best.ckpt"), "--onnx", str(file)]) == 0
    assert file.with_suffix(".md").read_text() == exported[0].with_suffix(".md").read_text()


def test_user_reads_how_it_was_checked_and_nothing_of_the_exporter(exported):
    first, *rest = exported[1].splitlines()
    assert re.match(r"Checked on 100 test images in batches of 1 and 16: .* [\d.]+e-\d\d in probabilities, ", first)
    assert [line.split(":")[0] for line in rest] == ["Model", "Model card", "Next"]


def test_code_in_the_card_gives_the_prediction(run, exported, tmp_path, monkeypatch, capsys):
    picture = np.random.default_rng(0).integers(0, 256, (60, 48, 3)).astype(np.uint8)
    (tmp_path / "image.jpg").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    checkpoint = ["--ckpt_path", str(run / "stage1" / "checkpoints" / "best.ckpt")]
    assert main(["predict", *checkpoint, "--images", str(tmp_path), "--output", str(tmp_path / "a.csv")]) == 0
    predicted = pd.read_csv(tmp_path / "a.csv", dtype={"predicted": "str"}).iloc[0]
    shutil.copy(exported[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    code = re.search(r"```python\n(.*?)```", exported[0].with_suffix(".md").read_text(), re.DOTALL)[1]
    exec(code, {})
    name, probability = capsys.readouterr().out.split()
    assert name == predicted["predicted"]
    assert float(probability) == pytest.approx(predicted[f"probability/{name}"], abs=TOLERANCE)


CALIBRATED = ["--model.predictor", "TemperatureScaled"]


def test_an_offset_answers_inside_the_file(run, written_before, pictures, tmp_path, capsys):
    decision, file = tmp_path / "decision.json", tmp_path / "decided.onnx"
    offset = {name: float(place) for place, name in enumerate(Run(run).class_names)}
    write_decision(decision, _added(offset), "Offsets", {"score": "f1"}, {"images": "the validation part"})
    assert main(["export", str(run), "--onnx", str(file), "--decision", str(decision)]) == 0
    assert "another checkpoint" not in capsys.readouterr().out, "of which nothing is known"
    images, _ = pictures
    logits, _, answer = outputs(file, images)
    assert (answer == (logits + np.arange(10, dtype=np.float32)).argmax(axis=1)).all()
    assert (answer != logits.argmax(axis=1)).any()
    kept = onnx.load(file).metadata_props
    assert json.loads({each.key: each.value for each in kept}["decision"])["offsets"] == pytest.approx(offset)
    card = file.with_suffix(".md").read_text()
    assert "Offsets, fitted on the validation part: it is the output `answer`" in card.replace("\\", "")
    assert 'session.run(["probability", "answer"]' in card


def test_any_other_decision_is_kept_beside_the_outputs(run, written_before, tmp_path, capsys):
    decision, file = tmp_path / "decision.json", tmp_path / "decided.onnx"
    thresholds = Decision(tuple(Run(run).class_names), thresholds={"9": 0.25})
    write_decision(decision, thresholds, "Sensitivity", {}, {"checkpoint": "of another run"})
    assert main(["export", str(run), "--onnx", str(file), "--decision", str(decision)]) == 0
    assert "was fitted to the predictions of another checkpoint" in capsys.readouterr().out
    assert [each.name for each in onnx.load(file).graph.output] == ["logits", "probability"]
    kept = {each.key: each.value for each in onnx.load(file).metadata_props}
    assert json.loads(kept["decision"])["thresholds"] == {"9": 0.25}
    assert "left to who uses the file" in file.with_suffix(".md").read_text()


def _added(offset):
    gain = np.diag(np.exp(list(offset.values())))
    return Decision(tuple(offset), gain=gain)


def test_a_calibrated_predictor_is_that_of_a_test(run, written_before, pictures, tmp_path, capsys):
    tested, file = run / "calibrated", tmp_path / "a.onnx"
    checkpoint = ["--ckpt_path", str(run / "stage1" / "checkpoints" / "best.ckpt")]
    assert main(["test", *checkpoint, *CALIBRATED, *QUIET, "--run_dir", str(tested)]) == 0
    capsys.readouterr()
    assert main(["export", str(tested), "--onnx", str(file), *CALIBRATED]) == 0
    assert "scores are not those" not in capsys.readouterr().out
    image, ids = pictures
    probability = outputs(file, image)[1]
    assert np.abs(probability - recorded(tested, ids)).max() < TOLERANCE
    assert np.abs(probability - recorded(run, ids)).max() > 100 * TOLERANCE, "the temperature changes nothing"
    about = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    assert re.fullmatch(r"TemperatureScaled\(temperature=\d+\.\d+\)", about["adjustment"])
    assert "These scores are those of the file" in file.with_suffix(".md").read_text()


def test_card_says_that_scores_are_of_another_adjustment(run, written_before, tmp_path, capsys):
    assert main(["export", str(run), "--onnx", str(tmp_path / "a.onnx"), *CALIBRATED]) == 0
    sentence = "The scores are not those of the file"
    assert sentence in capsys.readouterr().out and sentence in (tmp_path / "a.md").read_text()


def test_perturbation_is_left_out_and_this_is_said(run, written_before, pictures, tmp_path, capsys):
    options, tested = ["--model", "PerturbedClassifier", "--model.perturb.epsilon", "0.5"], run / "perturbed"
    checkpoint = ["--ckpt_path", str(run / "stage1" / "checkpoints" / "best.ckpt")]
    assert main(["test", *checkpoint, *options, *QUIET, "--run_dir", str(tested)]) == 0
    assert main(["export", str(tested), "--onnx", str(tmp_path / "a.onnx"), *options]) == 0
    image, ids = pictures
    assert np.abs(outputs(tmp_path / "a.onnx", image)[1] - recorded(tested / "plain", ids)).max() < TOLERANCE
    card, told = (tmp_path / "a.md").read_text(), capsys.readouterr().out
    about = {entry.key: entry.value for entry in onnx.load(tmp_path / "a.onnx").metadata_props}
    for text in (told, card.replace("\\", ""), about["adjustment"]):
        assert "needs gradients of the input" in text and "is left out" in text
    f1, perturbed = (
        json.loads((folder / "metrics.json").read_text())["summary"]["f1"] for folder in (tested / "plain", tested)
    )
    assert f"| Macro F1 | {f1:.3f} |" in card and abs(f1 - perturbed) > 0.001


def test_perturbing_predictor_is_left_out(run, written_before, tmp_path, capsys):
    assert main(["export", str(run), "--onnx", str(tmp_path / "a.onnx"), "--model.predictor", "PerturbedInput"]) == 0
    assert "PerturbedInput(epsilon=0.001" in capsys.readouterr().out
    assert "| at inference | Plain; PerturbedInput" in (tmp_path / "a.md").read_text()


def test_without_the_data_set_random_images_are_taken(run, written_before, tmp_path, monkeypatch, capsys):
    def absent(data):
        raise DatasetNotFoundError("absent")

    monkeypatch.setattr(DigitsLT, "read_index", absent)
    (tmp_path / "a.onnx").write_text("an earlier file")
    assert main(["export", str(run), "--onnx", str(tmp_path / "a.onnx")]) == 0
    assert "100 random images, because the data set was not found" in capsys.readouterr().out
    card = (tmp_path / "a.md").read_text()
    assert "random images" in card and "was not checked" in card
    assert onnx.load(tmp_path / "a.onnx").graph.output[0].name == "logits"
    options = ["--onnx", str(tmp_path / "b.onnx"), "--model.predictor", "TemperatureScaled"]
    assert "absent" in refused(capsys, "export", str(run), *options)


def test_a_file_that_computes_something_else_is_not_kept(run, written_before, tmp_path, monkeypatch, capsys):
    truth = check_module.predict
    monkeypatch.setattr(export_verb, "predict", lambda *args: [output + 2e-4 for output in truth(*args)])
    file = tmp_path / "a.onnx"
    file.write_text("an earlier file")
    sentence = refused(capsys, "export", str(run), "--onnx", str(file))
    assert "logits" in sentence and "2.0e-04" in sentence
    assert file.read_text() == "an earlier file" and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["RUN"], ["--onnx"]),
        (["--onnx", "a.onnx"], ["RUN"]),
        (["nowhere", "--onnx", "a.onnx"], ["nowhere", "metrics.json"]),
        (["RUN", "--onnx", "a.md"], ["a.md", "a.onnx"]),
        (["RUN", "--onnx", "a.onnx", "--model.predictor", "Flip"], ["'Flip'", "FlipTTA"]),
        (["RUN", "--onnx", "a.onnx", "--model.predictr", "FlipTTA"], ["'model.predictr'", "predictor"]),
        (["RUN", "--onnx", "a.onnx", "--model.backbone", "resnet10t"], ["best.ckpt", "another backbone"]),
        (["RUN", "--onnx", "a.onnx", "--ckpt_path", "no.ckpt"], ["first word: lightning_imbal export no.ckpt"]),
        (["--ckpt_path", "RUN", "--onnx", "a.onnx"], ["first word"]),
    ],
)
def test_mistakes_get_one_sentence(run, args, named, capsys, tmp_path):
    args = [str(tmp_path / arg) if arg.startswith("a.") else arg.replace("RUN", str(run)) for arg in args]
    sentence = refused(capsys, "export", *args)
    assert all(word in sentence for word in named), sentence
    assert not list(tmp_path.iterdir())


def test_a_run_without_its_checkpoint_is_refused(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    assert "best.ckpt" in refused(capsys, "export", str(tmp_path / "run"), "--onnx", str(tmp_path / "a.onnx"))


def test_a_moved_run_is_exported_as_in_place(run, exported, written_before, tmp_path):
    moved = shutil.copytree(run, tmp_path / "elsewhere" / run.name)
    assert main(["export", str(moved), "--onnx", str(tmp_path / "digits.onnx")]) == 0
    for suffix in (".onnx", ".md"):
        assert (tmp_path / "digits.onnx").with_suffix(suffix).read_bytes() == exported[0].with_suffix(
            suffix
        ).read_bytes()


def test_pictures_are_normalised_as_those_it_was_trained_on(run, tmp_path):
    checkpoint = torch.load(run / "stage1" / "checkpoints" / "best.ckpt", weights_only=True)
    checkpoint["normalize"]["mean"] += 0.1
    torch.save(checkpoint, file := tmp_path / "best.ckpt")
    shutil.copy(run / "stage1" / "config.yaml", tmp_path)
    assert torch.equal(TrainedModel(file, []).datamodule.normalize.mean, checkpoint["normalize"]["mean"])


def test_a_representation_is_refused(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "run")
    option = ["--model", "SupConRepresentation"]
    sentence = refused(capsys, "export", str(tmp_path / "run"), "--onnx", str(tmp_path / "a.onnx"), *option)
    assert "SupConRepresentation" in sentence and "no classifier" in sentence


def test_missing_package_is_named_with_the_mend(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    sentence = refused(capsys, "export", str(run), "--onnx", str(tmp_path / "a.onnx"))
    assert "onnxscript" in sentence and "pip install 'lightning_imbal[onnx]'" in sentence


class Small(nn.Module):
    def __init__(self, head=nn.Linear):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), head(8, 3)
        for buffer in filter(torch.is_floating_point, self.head.buffers()):
            buffer.uniform_(0.2, 1)  # as if the head were solved

    def forward(self, image):
        return self.head(self.norm(self.conv(image)).relu().mean(dim=(2, 3)))


COUNTS = torch.tensor([60.0, 30.0, 10.0])


# Their own networks, which are written side by side: one export takes as long as another.
WAYS = {
    TauNormalized: FlipTTA(COUNTS),
    NearestClassMean: PostHocAdjusted(COUNTS, tau=0.5),
    NormedLinear: TemperatureScaled(COUNTS, temperature=2.0),
    LearnableScale: DihedralTTA(COUNTS),
    KNearest: TemperatureScaled(COUNTS, temperature=3.0),
}


class SideBySide(Predictor):
    """The logits of several networks, each with its predictor, one after the other."""

    def __init__(self, predictors):
        super().__init__(COUNTS)
        self.each = nn.ModuleList(predictors)

    def forward(self, model, image):
        return torch.cat([predictor(part, image) for predictor, part in zip(self.each, model, strict=True)], dim=1)


@pytest.fixture(scope="module")
def side_by_side():
    """Networks with every kind of head and predictor, images, and what the file that was written of them gives."""
    model, normalize, images = nn.ModuleList(map(Small, WAYS)), Normalize(), check_module.random_images((24, 24))[:20]
    generator = torch.Generator().manual_seed(0)
    model[-1].head.solve((torch.rand(100, 8, generator=generator), torch.randint(3, (100,), generator=generator)), None)
    offset = torch.linspace(60, 0, 3 * len(WAYS))
    inference = inference_module.Inference(model, SideBySide(WAYS.values()), normalize, offset)
    content = onnx_module.to_onnx(inference, (24, 24), {})
    expected = check_module.predict(inference, images, normalize)
    assert max(check_module.check(content, images, expected, offset.numpy())) < TOLERANCE
    logits, _, answer = outputs(content, images.numpy() / np.float32(255))
    assert (answer == (logits + offset.numpy()).argmax(axis=1)).all() and (answer != logits.argmax(axis=1)).any()
    return model, normalize(images), expected[0]


@pytest.mark.parametrize(
    "place", range(len(WAYS)), ids=["tau_norm_flip", "ncm_post_hoc", "normed_temperature", "lws_dihedral", "knn"]
)
def test_heads_and_predictors_can_be_written(place, side_by_side):
    networks, images, logits = side_by_side
    model, predictor = networks[place].eval(), [*WAYS.values()][place]
    with torch.no_grad():
        adjusted, plain = (part(model, images).numpy() for part in (predictor, Plain(COUNTS)))
    assert logits[:, 3 * place : 3 * place + 3] == pytest.approx(adjusted, rel=1e-5, abs=1e-5)
    assert np.abs(adjusted - plain).max() > 0.001


class WrongInBatches:
    """A session of onnxruntime that is right of single images alone."""

    def __init__(self, content, providers):
        pass

    def run(self, outputs, inputs):
        right = np.zeros((len(inputs["image"]), 3), np.float32)
        return [right + 5e-5 * (len(right) > 1), right]


def test_the_difference_is_the_largest_of_both_batch_sizes(monkeypatch):
    monkeypatch.setattr(onnxruntime, "InferenceSession", WrongInBatches)
    images = check_module.random_images((4, 4))[:20]
    assert check_module.check(b"", images, 2 * [np.zeros((20, 3))]) == pytest.approx([5e-5, 0])


class Given:
    """A session of onnxruntime whose logits are the upper left values of the pictures."""

    def __init__(self, content, providers):
        pass

    def run(self, outputs, inputs):
        logits = inputs["image"][:, 0, 0, :3]
        return [logits, np.zeros_like(logits)]


@pytest.mark.parametrize("of", ["file", "pytorch", "both"])
def test_what_is_no_number_is_refused(of, monkeypatch):
    monkeypatch.setattr(onnxruntime, "InferenceSession", Given)
    images = torch.zeros(20, 3, 4, 4)
    expected = [np.zeros((20, 3)), np.zeros((20, 3))]
    assert check_module.check(b"", images, expected) == [0, 0]
    if of != "pytorch":
        images[7, 0, 0, 1] = torch.nan
    if of != "file":
        expected[0][7, 1] = np.nan
    with pytest.raises(UserError, match="No ONNX file was written: its logits would differ .* by up to nan"):
        check_module.check(b"", images, expected)


class ZeroPadded(nn.Module):
    """The beginning of timm's BiT networks."""

    def __init__(self):
        super().__init__()
        self.pad, self.pool = nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(3, 2)

    def forward(self, image):
        return self.pool(self.pad(image - 10))[:, :, 0, 0]


def test_zeros_around_a_picture_stay_zeros():
    inference = inference_module.Inference(ZeroPadded(), Plain(COUNTS), Normalize())
    content, image = onnx_module.to_onnx(inference, (16, 16), {}), check_module.random_images((16, 16))[:2]
    logits = outputs(content, image.numpy() / np.float32(255))[0]
    assert np.abs(logits).max() < 1e-6


class Colours(nn.Module):
    def forward(self, image):
        return image.mean(dim=(2, 3))


class Branching(Predictor):
    def forward(self, model, image):
        logits = model(image)
        return logits if logits.sum() > 0 else -logits


class OneBatch(Predictor):
    def forward(self, model, image):
        return sum(model(torch.cat([image, image.flip(-1)])).chunk(2))


@pytest.mark.parametrize(("predictor", "why"), [(Branching, "data-dependent"), (OneBatch, "fix the number of images")])
def test_a_predictor_that_cannot_be_written_is_named(predictor, why, capfd):
    inference = inference_module.Inference(Colours(), predictor(COUNTS), Normalize())
    with pytest.raises(UserError, match=f"Colours with {predictor.__name__} cannot be written as ONNX") as caught:
        onnx_module.to_onnx(inference, (16, 16), {})
    assert why in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("recipe", [Squash(32, ratio=1.5), CenterCrop(32)])
def test_steps_prepare_a_picture_as_the_recipe_does(recipe):
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    names = {"cv2": cv2, "picture": picture}
    exec(steps(recipe), names)
    assert (names["picture"] == recipe(image=picture)["image"]).all()
    assert inference_module.input_size(recipe) == names["picture"].shape[:2]


def test_steps_of_another_recipe_are_not_made_up():
    assert steps(ShiftCrop(32)) == ""


@pytest.fixture(scope="module", params=[["test_efficientnet", "false"], ["mobilenetv2_100", "local"]], ids="-".join)
def real_images(request, real_isic, tmp_path_factory):
    """The file of a network after three steps on the real ISIC 2018 images, 100 of these, and PyTorch's outputs."""
    folder, (backbone, weights) = tmp_path_factory.mktemp("isic"), request.param
    overlays = ["marrakchi_isic", "methods/ce", "variants/laptop"]
    config = [part for name in overlays for part in ("--config", f"experiments/{name}.yaml")]
    config += ["--model.backbone", backbone, "--model.pretrained", weights]
    data = ["--data.root", str(real_isic), "--data.cache", "none", "--data.num_workers", "0", "--data.batch_size", "16"]
    short = [f"--trainer.{name}" for name in ("max_epochs=1", "limit_train_batches=3", "limit_test_batches=1")]
    assert main(["fit", *config, *data, *short, *QUIET, "--run_dir", str(folder / "run")]) == 0
    assert main(["export", str(folder / "run"), "--onnx", str(folder / "model.onnx")]) == 0
    trained = TrainedModel(folder / "run" / "stage1" / "checkpoints" / "best.ckpt", [])
    pictures, _ = check_module.test_images(trained.datamodule)
    with torch.no_grad():
        logits = trained.model(trained.datamodule.normalize(pictures))
    image = pictures.numpy() / np.float32(255)
    return folder / "model.onnx", image, [logits.numpy(), logits.softmax(dim=1).numpy()]


@pytest.mark.slow  # the digits, and networks with every head, are compared in the same way above
@pytest.mark.parametrize("batch_size", [1, 16])
def test_file_gives_what_pytorch_gives_on_100_real_images(real_images, batch_size):
    file, image, expected = real_images
    assert len(image) == 100
    found = outputs(file, image, batch_size)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)
