"""How the logits of one model are read: calibrated, moved to other class shares, and cut. What `predict` needs.

The order is fixed and each step stands once, on the raw logits, so that nothing is corrected twice:

    z  →  z / T + bias  →  + offset (deployment prior, or logit adjustment)  →  probabilities, decisions, flags
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.posthoc.activation import Activation, ClassPriors, Logits, Target, log_odds, one_hot, probability
from imbalance_lab.posthoc.calibration import Calibration
from imbalance_lab.posthoc.logit_adjustment import LogitAdjustment
from imbalance_lab.posthoc.prior import DeploymentPrior
from imbalance_lab.posthoc.threshold import Scores, Threshold

Adjustment = DeploymentPrior | LogitAdjustment


@dataclass(frozen=True)
class PostProcessor:
    """A calibration, an adjustment that starts from the shares it stands for, and a cut for each class.

    Args:
        classes: C names.
        calibration: of the raw logits.
        adjustment: to other class shares, or None.
        thresholds: for each class a `Threshold` of its adjusted log-odds, or in words why there is none.
    """

    classes: tuple[str, ...]
    calibration: Calibration
    adjustment: Adjustment | None
    thresholds: tuple[Threshold | str, ...]

    def __post_init__(self) -> None:
        if not len(self.classes) == len(self.thresholds) == len(self.calibration.bias):
            raise ValueError(
                f"{len(self.classes)} classes, {len(self.thresholds)} cuts and {len(self.calibration.bias)} biases do not fit"
            )
        if self.adjustment is not None:
            stands_for, starts_from = self.calibration.prior, self.adjustment.train_prior
            if stands_for is None or not np.allclose(stands_for, starts_from, rtol=1e-6, atol=0):
                raise ValueError(
                    f"the calibrated logits stand for the class shares {stands_for}, but the adjustment starts from "
                    f"{starts_from}: that would correct twice, or not at all"
                )
            if self.adjustment.activation != self.calibration.activation:
                raise ValueError(f"the calibration is for {self.calibration.activation}, the adjustment is not")

    @property
    def activation(self) -> Activation:
        """Softmax or sigmoid."""
        return self.calibration.activation

    @property
    def prior(self) -> ClassPriors | None:
        """The class shares for which `probability` holds; None if not known."""
        return self.calibration.prior if self.adjustment is None else self.adjustment.prior

    def adjusted(self, logits: Logits) -> NDArray[np.float64]:
        """Raw logits (N, C) → adjusted ones, to score or decide by; they must not be adjusted again."""
        calibrated = self.calibration(logits)
        return calibrated if self.adjustment is None else calibrated + self.adjustment.offset

    def probability(self, logits: Logits) -> NDArray[np.float64]:
        """Raw logits (N, C) → probabilities (N, C)."""
        return probability(self.adjusted(logits), self.activation)

    def log_odds(self, logits: Logits) -> NDArray[np.float32]:
        """Raw logits (N, C) → the log-odds (N, C) that the cuts are for."""
        return log_odds(self.adjusted(logits), self.activation)

    def decision(self, logits: Logits) -> NDArray[np.int64]:
        """Raw logits (N, C) → the most probable class (N,); the cuts have no part in it."""
        if self.activation != "softmax":
            raise ValueError("labels are flagged each by itself, there is no one class to decide: use flags")
        return np.asarray(self.adjusted(logits).argmax(1))

    def flags(self, logits: Logits) -> NDArray[np.bool_]:
        """Raw logits (N, C) → which classes are flagged (N, C); one without a cut never is."""
        columns = zip(self.log_odds(logits).T, self.thresholds, strict=True)
        return np.stack([_flags(threshold, scores) for scores, threshold in columns], 1)

    def evaluate_on(self, logits: Logits, target: Target) -> tuple[Threshold | str, ...]:
        """The cuts with their counts on other examples: raw logits (N, C), target (N,) or 0/1 (N, C)."""
        scores, positive = self.log_odds(logits), one_hot(target, len(self.classes))
        return tuple(
            threshold.on(scores[:, c], positive[:, c]) if isinstance(threshold, Threshold) else threshold
            for c, threshold in enumerate(self.thresholds)
        )

    def as_json(self) -> dict[str, Any]:
        """What `operating_point.json` holds."""
        adjustment = self.adjustment
        kind = "deployment_prior" if isinstance(adjustment, DeploymentPrior) else "logit_adjustment"
        return {
            "calibration": self.calibration.as_json(),
            "adjustment": None if adjustment is None else {kind: adjustment.as_json()},
            "prior": None if self.prior is None else list(self.prior),
            "classes": [
                {
                    "name": name,
                    **(
                        threshold.as_json()
                        if isinstance(threshold, Threshold)
                        else {"threshold": None, "refused": threshold}
                    ),
                }
                for name, threshold in zip(self.classes, self.thresholds, strict=True)
            ],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "PostProcessor":
        """Read what `as_json` gave."""
        adjustment: Adjustment | None = None
        match content["adjustment"]:
            case {"deployment_prior": stored}:
                adjustment = DeploymentPrior.from_json(stored)
            case {"logit_adjustment": stored}:
                adjustment = LogitAdjustment.from_json(stored)
        return cls(
            classes=tuple(each["name"] for each in content["classes"]),
            calibration=Calibration.from_json(content["calibration"]),
            adjustment=adjustment,
            thresholds=tuple(
                each["refused"] if "refused" in each else Threshold.from_json(each) for each in content["classes"]
            ),
        )


def _flags(threshold: Threshold | str, scores: Scores) -> NDArray[np.bool_]:
    return threshold.flags(scores) if isinstance(threshold, Threshold) else np.zeros(len(scores), bool)
