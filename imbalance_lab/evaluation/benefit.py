"""Whether acting on a binary model is worth it: its decision curve, its gains, and the calibration they rest on."""

from dataclasses import dataclass
from typing import Any

from imbalance_lab.evaluation.calibration_summary import CalibrationSummary, calibration_summary
from imbalance_lab.evaluation.decision_curve import DecisionCurve, decision_curve
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.gains import Gains, gains
from imbalance_lab.posthoc import PostProcessor, Threshold


@dataclass(frozen=True)
class Benefit:
    """What the positive class of a binary task gains from the model, on test.

    Args:
        decision_curve: of the calibrated probabilities.
        gains: of the ranking.
        calibration: of the calibrated probabilities.
    """

    decision_curve: DecisionCurve
    gains: Gains
    calibration: CalibrationSummary

    def as_json(self) -> dict[str, Any]:
        """Plain values for `metrics.json`; the curves are in the tables."""
        return {
            "net_benefit_useful_thresholds": [list(ends) for ends in self.decision_curve.useful],
            "enrichment": [each.as_json() for each in self.gains.enrichments],
            "calibration": self.calibration.as_json(),
        }


def compute_benefit(test: Evaluation, postprocessor: PostProcessor) -> Benefit | None:
    """The benefit on test; None unless the task is binary and both classes have an example."""
    predictions = test.predictions
    c = predictions.task.positive
    if c is None or not test.rankings[c].is_defined:
        return None
    p, positive = postprocessor.probabilities(predictions.logits)[:, c], predictions.target == c
    threshold = postprocessor.thresholds[c]
    chosen = threshold.threshold if isinstance(threshold, Threshold) else None
    curve = decision_curve(c, p, positive, chosen)
    return Benefit(curve, gains(c, test.rankings[c]), calibration_summary(p, positive))
