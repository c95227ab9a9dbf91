"""Which options rows differ in, by the settings of their runs."""

import pandas as pd
import pytest

from lightning_imbal.stats import sweeps as module
from lightning_imbal.stats.results import Results
from lightning_imbal.tables.spec import Spec


@pytest.fixture
def swept(monkeypatch):
    """The curves of each option, given the settings of rows."""
    monkeypatch.setattr(module, "settings", lambda run: run)

    def curves(**rows):
        runs = {"skin": {row: [settings] for row, settings in rows.items()}}
        spec = Spec(title="", columns=[], rows={}, metrics={})
        found = module.sweeps(Results(spec, [], pd.DataFrame(), pd.DataFrame(), [], runs=runs))
        return {sweep.option: sweep.curves for sweep in found}

    return curves


def test_a_curve_has_several_values(swept):
    rows = {"a": {"q": 0.5, "loss": "CE"}, "b": {"q": 0.0, "loss": "CE"}, "c": {"q": 0.0, "loss": "Focal"}}
    assert swept(**rows) == {"q": {"": [(0.0, "b"), (0.5, "a")]}}
    assert swept(**rows, d={"q": 0.0, "loss": "Focal"}) == {"q": {"": [(0.0, "b"), (0.5, "a")]}}
    assert list(swept(**rows, d={"q": 1.0, "loss": "Focal"})["q"]) == ["loss=CE", "loss=Focal"]


def test_what_is_no_number_is_no_sweep(swept):
    assert swept(a={"flip": True, "loss": "CE"}, b={"flip": False, "loss": "CE"}, c={"loss": "Focal"}) == {}
