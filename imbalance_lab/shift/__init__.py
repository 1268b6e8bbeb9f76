"""Label shift: the class shares of an unlabelled sample, tests for shift, and what stored thresholds will do there."""

from imbalance_lab.shift.bbse import estimate_prior_bbse
from imbalance_lab.shift.em import estimate_prior_em
from imbalance_lab.shift.estimate import PriorEstimate
from imbalance_lab.shift.expected_rates import ExpectedRates, expected_rates
from imbalance_lab.shift.other_shift import other_shift_test
from imbalance_lab.shift.prior_shift import prior_shift_test
from imbalance_lab.shift.proposed_thresholds import propose_thresholds
from imbalance_lab.shift.shift_test import ShiftPart, ShiftTest

__all__ = [
    "ExpectedRates",
    "PriorEstimate",
    "ShiftPart",
    "ShiftTest",
    "estimate_prior_bbse",
    "estimate_prior_em",
    "expected_rates",
    "other_shift_test",
    "prior_shift_test",
    "propose_thresholds",
]
