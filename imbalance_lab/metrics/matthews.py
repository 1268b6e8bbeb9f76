"""Matthews' correlation coefficient, from a confusion matrix (C, C): rows are targets."""

import numpy as np

from imbalance_lab.metrics.array_inputs import as_confusion
from imbalance_lab.metrics.types import Counts


def matthews_corrcoef(confusion: Counts) -> float:
    """Matthews' correlation of targets and predictions in [−1, 1], for any number of classes (Gorodkin 2004, R_K).

    NaN if all targets or all predictions are of one class, as the correlation with a constant is undefined;
    scikit-learn returns 0.
    """
    counts = as_confusion(confusion)
    targets, predictions = counts.sum(1).astype(float), counts.sum(0).astype(float)
    n, correct = targets.sum(), float(counts.trace())
    variances = (n**2 - targets @ targets) * (n**2 - predictions @ predictions)
    return float((n * correct - targets @ predictions) / np.sqrt(variances)) if variances > 0 else float("nan")
