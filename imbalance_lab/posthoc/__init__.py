"""Post-processing of stored logits, without further training: calibration, priors, thresholds, prediction sets."""

from imbalance_lab.posthoc.activation import ClassPriors, log_odds, probabilities
from imbalance_lab.posthoc.bias_corrected import BiasCorrectedScaling
from imbalance_lab.posthoc.calibration import Calibration, CalibrationMethod, NoCalibration
from imbalance_lab.posthoc.conformal import (
    ClassConditionalConformal,
    ConformalMethod,
    NoPredictionSets,
    calibration_examples_needed,
)
from imbalance_lab.posthoc.fit import (
    fit_postprocessor,
    fit_prediction_sets,
    postprocessor_without_examples,
    validate_postprocessing,
)
from imbalance_lab.posthoc.guaranteed import MaxFPR, MinPrecision, MinRecall, examples_needed
from imbalance_lab.posthoc.heuristic import AlertBudget, MaxF1, MinCost, flag_highest
from imbalance_lab.posthoc.linear_head import LinearHead
from imbalance_lab.posthoc.logit_adjustment import PostHocLogitAdjustment, choose_tau
from imbalance_lab.posthoc.postprocessor import PostProcessor
from imbalance_lab.posthoc.prediction_sets import ClassConditionalSets, ClassQuantile
from imbalance_lab.posthoc.prior import implied_prior
from imbalance_lab.posthoc.prior_correction import DeployPrior, NoPriorCorrection, PriorCorrection, PriorShift
from imbalance_lab.posthoc.tau_normalization import TauNormalization, tau_normalized
from imbalance_lab.posthoc.temperature import TemperatureScaling, fit_temperature
from imbalance_lab.posthoc.threshold import NoThresholds, Threshold, ThresholdError, ThresholdRule
from imbalance_lab.task import Activation

__all__ = [
    "Activation",
    "AlertBudget",
    "BiasCorrectedScaling",
    "Calibration",
    "CalibrationMethod",
    "ClassConditionalConformal",
    "ClassConditionalSets",
    "ClassPriors",
    "ClassQuantile",
    "ConformalMethod",
    "DeployPrior",
    "LinearHead",
    "MaxF1",
    "MaxFPR",
    "MinCost",
    "MinPrecision",
    "MinRecall",
    "NoCalibration",
    "NoPredictionSets",
    "NoPriorCorrection",
    "NoThresholds",
    "PostHocLogitAdjustment",
    "PostProcessor",
    "PriorCorrection",
    "PriorShift",
    "TauNormalization",
    "TemperatureScaling",
    "Threshold",
    "ThresholdError",
    "ThresholdRule",
    "calibration_examples_needed",
    "choose_tau",
    "examples_needed",
    "fit_postprocessor",
    "fit_prediction_sets",
    "fit_temperature",
    "flag_highest",
    "implied_prior",
    "log_odds",
    "postprocessor_without_examples",
    "probabilities",
    "tau_normalized",
    "validate_postprocessing",
]
