"""What is answered, given probabilities: rules that are fitted on validation images, after training and without it."""

from lightning_imbal.decisions.abstain import Abstain
from lightning_imbal.decisions.argmax import Argmax
from lightning_imbal.decisions.base import Rule
from lightning_imbal.decisions.costs import ExpectedCost
from lightning_imbal.decisions.offsets import Offsets
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.decisions.sensitivity import Sensitivity
from lightning_imbal.decisions.specificity import Specificity

__all__ = ["Abstain", "Argmax", "ExpectedCost", "Offsets", "PriorAdjusted", "Rule", "Sensitivity", "Specificity"]
