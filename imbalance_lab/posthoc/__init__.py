"""After training, on stored logits: class shares, calibration and operating points. Nothing here trains again."""

from imbalance_lab.posthoc.activation import Activation, log_odds, probability
from imbalance_lab.posthoc.calibration import Calibration, fit_bias_corrected, fit_temperature_scaling, uncalibrated
from imbalance_lab.posthoc.fit import fit_postprocessor, validate_options
from imbalance_lab.posthoc.guaranteed import MaxFPR, MinPrecision, MinRecall, examples_needed
from imbalance_lab.posthoc.heuristic import AlertBudget, MaxF1, MinCost, flag_highest
from imbalance_lab.posthoc.logit_adjustment import LogitAdjustment, choose_tau
from imbalance_lab.posthoc.postprocessor import PostProcessor
from imbalance_lab.posthoc.prior import DeploymentPrior, implied_prior
from imbalance_lab.posthoc.tau_normalization import tau_normalized
from imbalance_lab.posthoc.temperature import fit_temperature
from imbalance_lab.posthoc.threshold import Threshold, ThresholdError, ThresholdRule

__all__ = [
    "Activation",
    "AlertBudget",
    "Calibration",
    "DeploymentPrior",
    "LogitAdjustment",
    "MaxF1",
    "MaxFPR",
    "MinCost",
    "MinPrecision",
    "MinRecall",
    "PostProcessor",
    "Threshold",
    "ThresholdError",
    "ThresholdRule",
    "choose_tau",
    "examples_needed",
    "fit_bias_corrected",
    "fit_postprocessor",
    "fit_temperature",
    "fit_temperature_scaling",
    "flag_highest",
    "implied_prior",
    "log_odds",
    "probability",
    "tau_normalized",
    "uncalibrated",
    "validate_options",
]
