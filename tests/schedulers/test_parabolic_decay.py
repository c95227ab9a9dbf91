"""The parabola of BBN against its equation."""

import pytest

from lightning_imbal.schedulers import parabolic_decay


class TestParabolicDecay:
    def test_by_hand(self):
        assert [parabolic_decay(epoch, 4) for epoch in range(4)] == [1, 0.9375, 0.75, 0.4375]

    @pytest.mark.parametrize("max_epochs", [0, -1])
    def test_number_of_epochs_has_to_be_known(self, max_epochs):
        with pytest.raises(ValueError, match=f"max_epochs is {max_epochs}: set trainer.max_epochs"):
            parabolic_decay(0, max_epochs)
