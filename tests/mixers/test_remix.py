"""Remix against a slow oracle, its limits and its edge cases."""

import pytest
import torch
from mixer_oracles import COUNTS, blend_oracle, random_batch, with_lam, with_partner

from lightning_imbal.mixers import MixUp, Remix


def remix_oracle(n_i: float, n_j: float, lam: float, kappa: float, tau: float) -> float:
    if n_i / n_j >= kappa and lam < tau:
        return 0.0
    if n_i / n_j <= 1 / kappa and 1 - lam < tau:
        return 1.0
    return lam


class TestRemix:
    # n_i / n_j is 3, 1/3, 3, 1, 2, 6 and 1/6: the first three are just at kappa.
    PAIRS = [(0, 1), (1, 0), (2, 3), (1, 1), (0, 2), (0, 3), (3, 0)]

    @pytest.mark.parametrize("lam", [0.0, 0.2, 0.4999, 0.5, 0.5001, 0.8, 1.0])
    @pytest.mark.parametrize("kappa, tau", [(3.0, 0.5), (3.0, 0.2), (2.0, 0.8), (6.5, 0.5), (3.0, 0.0), (1.0, 1.0)])
    def test_against_the_conditions(self, lam: float, kappa: float, tau: float, monkeypatch):
        batch = random_batch(14)
        batch["label"] = torch.tensor([label for pair in self.PAIRS for label in pair])
        partner = with_partner(monkeypatch, [i ^ 1 for i in range(14)])
        mixed, pairs = with_lam(Remix(COUNTS, kappa=kappa, tau=tau), lam)(batch)
        for i, j in enumerate(partner):
            n_i, n_j = (COUNTS[batch["label"][k]].item() for k in (i, j))
            expected = remix_oracle(n_i, n_j, lam, kappa, tau)
            assert pairs[0][1][i].item() == pytest.approx(expected, abs=1e-15)
            assert pairs[1][1][i].item() == pytest.approx(1 - expected, abs=1e-15)
            torch.testing.assert_close(mixed[i], blend_oracle(batch["image"][i], batch["image"][j], lam))

    @pytest.mark.parametrize(
        "lam, weights",
        [(0.4, [0.0, 0.4]), (0.5, [0.5, 0.5]), (0.6, [0.6, 1.0])],
        ids=["rarer partner takes the label", "at tau nobody does", "rarer image keeps the label"],
    )
    def test_by_hand(self, lam: float, weights: list[float], monkeypatch):
        # Class 0 has six times the images of class 3.
        with_partner(monkeypatch, [1, 0])
        batch = random_batch(2) | {"label": torch.tensor([0, 3])}
        _, [(_, weight), _] = with_lam(Remix(COUNTS), lam)(batch)
        assert weight.tolist() == pytest.approx(weights, abs=1e-15)

    def test_equal_counts_give_mixup(self):
        results = []
        for mixer in (MixUp(COUNTS, alpha=1.0), Remix(torch.full((4,), 5))):
            torch.manual_seed(0)
            mixed, pairs = mixer(random_batch())
            results.append(torch.cat([mixed.flatten(), pairs[0][1], pairs[1][0]]))
        assert torch.equal(*results)

    def test_refused_arguments(self):
        with pytest.raises(ValueError, match="kappa must be at least 1, but is 0.5"):
            Remix(COUNTS, kappa=0.5)
        for tau in (-0.1, 1.1):
            with pytest.raises(ValueError, match=f"tau must be in 0..1, but is {tau}"):
                Remix(COUNTS, tau=tau)
