"""After training, on stored logits: class shares, calibration and operating points. Nothing here trains again."""

from imbalance_lab.posthoc.calibration import Calibration, fit_bias_corrected, fit_temperature_scaling, uncalibrated
from imbalance_lab.posthoc.cut import Cut, NoCutError, Rule
from imbalance_lab.posthoc.fit import check_options, fit_readout
from imbalance_lab.posthoc.link import Link, log_odds, probability
from imbalance_lab.posthoc.logit_adjustment import LogitAdjustment, choose_tau
from imbalance_lab.posthoc.prior import DeploymentPrior, prior_seen
from imbalance_lab.posthoc.promises import FprAtMost, PrecisionAtLeast, RecallAtLeast, examples_needed
from imbalance_lab.posthoc.readout import Readout
from imbalance_lab.posthoc.rules import AlertBudget, Cost, MaxF1, flag_highest
from imbalance_lab.posthoc.tau_normalisation import tau_normalised
from imbalance_lab.posthoc.temperature import fit_temperature

__all__ = [
    "AlertBudget",
    "Calibration",
    "Cost",
    "Cut",
    "DeploymentPrior",
    "FprAtMost",
    "Link",
    "LogitAdjustment",
    "MaxF1",
    "NoCutError",
    "PrecisionAtLeast",
    "Readout",
    "RecallAtLeast",
    "Rule",
    "check_options",
    "choose_tau",
    "examples_needed",
    "fit_bias_corrected",
    "fit_readout",
    "fit_temperature",
    "fit_temperature_scaling",
    "flag_highest",
    "log_odds",
    "prior_seen",
    "probability",
    "tau_normalised",
    "uncalibrated",
]
