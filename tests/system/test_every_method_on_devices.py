"""Every method predicts the same after an epoch on 1, 2 and 4 devices, where no BatchNorm sees them apart."""

import pytest
from on_devices import METHODS, differences

GROUPS = 16  # of methods, each trained by the same processes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("devices")


@pytest.mark.slow  # each kind of gathering has a quick test of its own
@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("devices", [2, 4])
def test_predictions_are_those_of_one_device(group, devices, folder):
    found = differences(METHODS[group::GROUPS], devices, folder, batch_norm=False)
    assert len(found) >= 3 and not {method: far for method, far in found.items() if far > 2e-6}
