"""What mixers draw in a training: anew by seed, epoch and batch, the same where these are, on every device."""

import pytest
import torch
from small_runs import make_trainer
from torch.utils.data import DataLoader

from lightning_imbal.mixers import BalancedMixUp, CutMix, Mixer, MixUp, Remix
from lightning_imbal.modules import Classifier

KINDS = ["share of MixUp", "share of CutMix", "share of Remix", "share of BalancedMixUp"]
KINDS += ["partner of MixUp", "partner of CutMix", "partner of Remix", "box of CutMix"]


class EveryMixer(Mixer):
    """Lets every mixer mix each batch, and writes down what it has drawn."""

    def __init__(self, class_counts):
        super().__init__(class_counts)
        always = CutMix(class_counts, probability=1.0)
        self.mixers = torch.nn.ModuleList(
            [MixUp(class_counts), always, Remix(class_counts), BalancedMixUp(class_counts)]
        )
        self.drawn, self.steps = {}, []
        for mixer in self.mixers:
            mixer.draw_lam = self.written(f"share of {type(mixer).__name__}", mixer.draw_lam)
        always.draw_center = self.written("box of CutMix", always.draw_center)

    def written(self, name, draw):
        def draw_and_write(*args):
            self.drawn[name] = draw(*args)
            return self.drawn[name]

        return draw_and_write

    def forward(self, batch, other=None):
        self.drawn = {}
        for mixer in self.mixers:
            mix = mixer(batch, batch if mixer.needs_pairs else None)
            self.drawn[f"partner of {type(mixer).__name__}"] = mix[1][1][0].tolist()
        self.steps.append(self.drawn)
        return mix


def drawn(folder, seed=0, rank=0, first_epoch=0, before=0):
    """What is drawn in each (epoch, batch) of two epochs of two batches, whose images are always the same."""
    names = list("abcdefghij")
    model = Classifier(class_counts=[9] * 10, class_names=names, backbone="test_resnet", mixer=EveryMixer)
    batch = {"image": torch.rand(10, 3, 32, 32), "label": torch.arange(10)}
    trainer = make_trainer(folder, 2, enable_checkpointing=False)
    trainer.strategy.global_rank = rank
    trainer.fit_loop.epoch_progress.current.processed = first_epoch
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PL_GLOBAL_SEED", str(seed))
        torch.rand(before)
        trainer.fit(model, DataLoader([batch] * 2, batch_size=None))
    steps = [(epoch, batch) for epoch in range(first_epoch, 2) for batch in range(2)]
    return dict(zip(steps, model.mixer.steps, strict=True))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("first"))


def test_the_same_seed_epoch_and_batch_draw_the_same(first, tmp_path):
    assert set(KINDS) <= set(first[0, 0])
    assert drawn(tmp_path, before=3) == first
    assert drawn(tmp_path, rank=1) == first
    resumed = drawn(tmp_path, first_epoch=1)
    assert resumed == {step: first[step] for step in [(1, 0), (1, 1)]}


def test_another_seed_epoch_or_batch_draws_otherwise(first, tmp_path):
    others = {"epoch": first[1, 0], "batch": first[0, 1]}
    others |= {"seed": drawn(tmp_path, seed=1)[0, 0]}
    same = [(what, kind) for what, draws in others.items() for kind in KINDS if draws[kind] == first[0, 0][kind]]
    assert not same
