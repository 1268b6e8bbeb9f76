"""The F1 score of each class and its macro average, from a confusion matrix (C, C): rows are targets."""

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_confusion
from imbalance_lab.metrics.averaging import macro
from imbalance_lab.metrics.confusion import ratio
from imbalance_lab.metrics.types import Counts


def f1(confusion: Counts) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall, 2·TP / (targets + predictions), (C,).

    NaN for a class without an example; 0 for a class that has examples but is never predicted, although its precision
    is undefined.
    """
    counts = as_confusion(confusion)
    targets, predictions = counts.sum(1), counts.sum(0)
    return ratio(2 * counts.diagonal(), np.where(targets == 0, 0, targets + predictions))


def macro_f1(confusion: Counts) -> float:
    """The mean F1 over the classes that have an example.

    scikit-learn also counts, as 0, a class without examples that is predicted; torchmetrics counts all ``num_classes``.
    """
    return macro(f1(confusion).tolist())
