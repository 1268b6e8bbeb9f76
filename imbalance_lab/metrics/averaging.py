"""The macro average: the mean over the classes for which a score is defined."""

import math
from collections.abc import Sequence

from imbalance_lab.metrics.array_inputs import as_values


def macro(values: Sequence[float]) -> float:
    """The mean over the classes for which the score is defined (not NaN); NaN if there is none."""
    defined = [value for value in as_values(values, "values") if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else float("nan")
