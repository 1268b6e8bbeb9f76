"""The array types that the modules of this package share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""Numbers of examples, such as a confusion matrix (C, C)."""

Scores = NDArray[np.floating[Any]]
"""Scores (N,) of one class or (N, C) of all classes, higher meaning more of that class."""

Mask = NDArray[np.bool_]
"""True or false for each example (N,), or for each example and label (N, C)."""

Interval = tuple[float, float]
"""The lower and the upper end of a confidence interval."""
