"""Whether the parts of a post-processing fit together."""

from collections.abc import Sequence

import numpy as np

from imbalance_lab.posthoc.calibration import Calibration
from imbalance_lab.posthoc.prediction_sets import ClassConditionalSets
from imbalance_lab.posthoc.prior_correction import PriorShift
from imbalance_lab.posthoc.threshold import Threshold


def check_consistency(
    classes: Sequence[str],
    calibration: Calibration,
    prior_correction: PriorShift | None,
    thresholds: Sequence[Threshold | str],
    sets: ClassConditionalSets | None,
) -> None:
    """Check numbers of classes, class priors and activations; arguments as for `PostProcessor`.

    Raises:
        ValueError: naming what does not fit.
    """
    if not len(classes) == len(thresholds) == len(calibration.bias):
        raise ValueError(
            f"got {len(classes)} classes, {len(thresholds)} thresholds and {len(calibration.bias)} biases: "
            "the numbers must be equal"
        )
    if sets is not None and len(sets.quantiles) != len(classes):
        raise ValueError(f"prediction_sets has quantiles of {len(sets.quantiles)} classes, not of {len(classes)}")
    if prior_correction is None:
        return
    calibrated, corrected = calibration.prior, prior_correction.train_prior
    is_unknown = calibrated is None and corrected is None  # a scale needs no class priors
    if not is_unknown and (
        calibrated is None or corrected is None or not np.allclose(calibrated, corrected, rtol=1e-6, atol=0)
    ):
        raise ValueError(
            f"the calibrated logits have the class priors {calibrated}, but the prior correction starts from "
            f"{corrected}: that would correct twice, or not at all"
        )
    if prior_correction.activation != calibration.activation:
        raise ValueError(
            f"the calibration is for {calibration.activation}, but the prior correction is for "
            f"{prior_correction.activation}"
        )
