"""What every head does: shapes, and its own state."""

import pytest
import torch
from head_oracles import CLASSES, DIM, Classifier, random_feature

from lightning_imbal.heads import (
    ClosedFormHead,
    CoralHead,
    CornHead,
    LearnableScale,
    NearestClassMean,
    NormedLinear,
    TauNormalized,
)

every_head = pytest.mark.parametrize(
    "factory", [NormedLinear, LearnableScale, NearestClassMean, TauNormalized, CoralHead, CornHead]
)


@every_head
def test_head_maps_features_to_logits(factory):
    head = factory(DIM, CLASSES)
    assert head(random_feature()).shape == (8, CLASSES)


@every_head
def test_head_loads_its_own_state(factory):
    torch.manual_seed(0)
    trained, fresh = factory(DIM, CLASSES), factory(DIM, CLASSES)
    with torch.no_grad():
        for value in trained.state_dict().values():
            value.uniform_(0.5, 1.5)
    Classifier(fresh).load_state_dict(Classifier(trained).state_dict())
    torch.testing.assert_close(fresh(random_feature()), trained(random_feature()), rtol=0, atol=0)
    assert not torch.equal(fresh(random_feature()), factory(DIM, CLASSES)(random_feature()))


def test_closed_form_head_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        ClosedFormHead()
