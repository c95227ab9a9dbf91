"""A method is its file alone: what it is called is the first words of that file."""

from pathlib import Path

import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import display_name
from lightning_imbal.tables.methods import protocol_of, rows_of

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
# Folders of finished runs are named after them: a name that changes parts a comparison from its runs.
METHODS = {
    "balanced_mixup": "Balanced-MixUp",
    "bbn": "BBN",
    "bcl": "BCL",
    "bwce": "BWCE",
    "cb_focal": "CB-Focal",
    "cb_focal_crw": "CB-Focal -> cRW",
    "ce": "CE",
    "ce_crs": "CE -> cRS",
    "ce_crt": "CE -> cRT",
    "ce_crw": "CE -> cRW",
    "ce_drw": "CE-DRW",
    "ce_lws": "CE -> LWS",
    "ce_ncm": "CE -> NCM",
    "ce_oversampled": "ce_oversampled",
    "ce_resample": "CE + resample",
    "ce_tau_norm": "ce_tau_norm",
    "center_crw": "CE+CT -> cRW",
    "contrast": "CE+SC",
    "contrast_crw": "CE+SC -> cRW",
    "contrast_only_crw": "SC -> cRW",
    "coral": "CORAL",
    "corn": "CORN",
    "cost_sensitive": "Cost-sensitive",
    "cutmix": "CutMix",
    "cutmix_crw": "CutMix -> cRW",
    "drs": "DRS",
    "ecl": "ECL",
    "focal": "Focal",
    "focal_crw": "Focal -> cRW",
    "hybrid_sc": "Hybrid-SC",
    "label_smoothing": "Label smoothing",
    "ldam": "LDAM",
    "ldam_crw": "LDAM -> cRW",
    "ldam_drw": "LDAM-DRW",
    "logit_adjust": "Logit adjustment",
    "mixup": "Mixup",
    "mixup_crw": "Mixup -> cRW",
    "mwnl": "MWNL",
    "ohem": "OHEM",
    "perturbed": "CE, perturbed input",
    "progressive": "Progressive sampling",
    "remix": "Remix",
    "rs": "RS",
    "rw": "RW",
    "scl": "SCL",
    "scl_two_stage": "SCL, two stages",
    "sord": "SORD",
    "sqrt_sampling": "Sqrt-sampling",
    "supcon": "CL",
    "supcon_resample": "CL + resample",
    "triplet_crw": "CE+TP -> cRW",
    "tsc": "TSC",
}
HEADS = {
    "crs": "cRS",
    "crt": "cRT",
    "crw": "cRW",
    "lws": "LWS",
    "ncm": "NCM",
    "oversampled": "oversampled",
    "tau_norm": "tau-norm",
}


@pytest.mark.parametrize("kind, names", [("methods", METHODS), ("heads", HEADS)])
def test_names_stay(kind, names):
    assert {name: display_name(EXPERIMENTS / kind / f"{name}.yaml") for name in names} == names


def test_every_file_names_itself_and_no_two_are_equal():
    files = [file for kind in ("methods", "heads") for file in EXPERIMENTS.glob(f"{kind}/*.yaml")]
    names = [display_name(file) for file in files]
    assert len(set(names)) == len(names) >= len(METHODS) + len(HEADS)
    assert all(file.read_text().startswith(f"# {name}: ") for file, name in zip(files, names, strict=True))


@pytest.mark.parametrize(
    "text, name",
    [
        ("# Ours, twice: a new loss. Row 1: all.\nmodel:\n  class_path: Classifier\n", "Ours, twice"),
        ("# A loss of our own.\nmodel: {class_path: Classifier}\n", "mine"),
        ("model: {class_path: Classifier}\n", "mine"),
        ("\n# Ours: a new loss.\n", "mine"),
        ("", "mine"),
    ],
)
def test_first_words_or_the_name_of_the_file(tmp_path, text, name):
    (tmp_path / "mine.yaml").write_text(text)
    assert display_name(tmp_path / "mine.yaml") == name


def write(folder, **texts):
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


def test_new_method_needs_its_file_alone(tmp_path):
    ce, ours = "# CE: old.\nmodel: {}\n", "# Ours: new.\nmodel: {}\n"
    folder = write(tmp_path, methods__ours=ours, methods__ce=ce, heads__x="# cX: a head.\n")
    rows = rows_of(["ours", "x"], folder)
    assert {method: name for method, (name, _) in rows.items()} == {"ours": "Ours", "x": "CE -> cX"}
    assert rows["ours"][1].configs == [str(folder / "methods" / "ours.yaml")]


def test_two_methods_of_one_name_are_refused(tmp_path):
    folder = write(tmp_path, methods__ours="# CE: new.\nmodel: {}\n", methods__ce="# CE: old.\nmodel: {}\n")
    assert rows_of(["ours"], folder)["ours"][0] == "CE"
    with pytest.raises(UserError, match=r"ce.yaml and .*ours.yaml are both called 'CE': change the first words"):
        rows_of(["ce", "ours"], folder)


def test_head_and_the_method_that_it_stands_for_are_one_row():
    rows = rows_of(["crw", "ce_crw"], EXPERIMENTS)
    assert rows["crw"] == rows["ce_crw"]


def test_protocol_is_the_one_that_names_the_data(tmp_path):
    of = "data: {{class_path: {}}}\n".format
    folder = write(tmp_path, own_a="model: {}\n", own_b=of("my.Biopsies"), own_c=of("B"), own_folder=of("FolderData"))
    names = ["my.Biopsies", "Biopsies", "lightning_imbal.data.B", "FolderData", "ISIC2018"]
    expected = ["own_b.yaml", "own_b.yaml", "own_c.yaml", "own_folder.yaml", "own_folder.yaml"]
    assert [protocol_of(name, folder).name for name in names] == expected
