"""The macro average: the mean over the classes for which a score is defined."""

import math
from collections.abc import Sequence


def macro(values: Sequence[float]) -> float:
    """The mean over the classes for which the score is defined (not NaN); NaN if there is none."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else float("nan")
