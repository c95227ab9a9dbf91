"""Images of one's own get their protocol where nothing that is given says how to train."""

import pytest

from lightning_imbal.cli.parts.own_data import with_protocol

DATA = ["--data", "FolderData", "--data.root", "my_images"]
METHOD = ["--config", "experiments/methods/ecl.yaml"]


def test_it_is_laid_below_a_method(told):
    for args in ([*DATA], [*DATA, *METHOD], [*METHOD, *DATA]):
        first, *others = with_protocol(args)
        assert first.endswith("own_folder.yaml") and others == args
    assert "No model is given: that of" in told.text and "No protocol is given: that of" in told.text


@pytest.mark.parametrize("args", [["--model", "ECL"], ["--config", "experiments/own_folder.yaml", *METHOD]])
def test_it_is_not_laid_where_a_model_is_typed_or_a_protocol_given(args):
    assert with_protocol([*DATA, *args]) == [*DATA, *args]


def test_other_data_have_no_protocol_of_their_own():
    assert with_protocol(["--data", "ISIC2018", *METHOD]) == ["--data", "ISIC2018", *METHOD]
