"""The mean of a score over the folds of a cross-validation, with an error that accounts for their common examples.

The training sets of folds overlap, so that their scores are not independent, and Student's t on them is far too sure of
itself. Nadeau & Bengio (2003, "Inference for the generalization error", Machine Learning 52, eq. 7) replace the
variance S² / J of a mean over J folds by (1 / J + n_test / n_train) · S², with J − 1 degrees of freedom. Bouckaert &
Frank (2004, "Evaluating the replicability of significance tests for comparing learning algorithms") apply it to
repeated cross-validation, where J is folds × repeats. `scripts/coverage_cv.py` measures its error over real tables.
"""

from collections.abc import Sequence

import numpy as np

from imbalance_lab.metrics.array_inputs import as_values
from imbalance_lab.metrics.replicates import ReplicateMean
from imbalance_lab.validation import check_number


def resampled_mean(values: Sequence[float], test_per_train: float) -> ReplicateMean:
    """The mean over folds; its interval and p are those of the corrected resampled t test.

    Args:
        values: (J,), one a fold. To compare two settings, the differences on the same folds.
        test_per_train: examples that a fold tests for each that it trains on, 1 / (K − 1) of K folds.

    Returns:
        The mean, with an undefined error (NaN) for one fold, and if all are equal.

    >>> found = resampled_mean([0.80, 0.84, 0.82, 0.86, 0.83], test_per_train=1 / 4)
    >>> low, high = found.interval()
    >>> f"{found.mean:.3f} [{low:.3f}, {high:.3f}]"
    '0.830 [0.788, 0.872]'
    """
    array = np.array(as_values(values, "values"))
    check_number("test_per_train", test_per_train, above=0)
    if len(array) == 0 or not np.isfinite(array).all():
        raise ValueError(f"a mean over folds needs one finite value for each, got {list(values)}")
    mean, n = float(array.mean()), len(array)
    if n < 2 or np.ptp(array) <= 1e-12 * max(1.0, abs(mean)):
        return ReplicateMean(mean, float("nan"), float("nan"), n)
    error = float(np.sqrt((1 / n + test_per_train) * array.var(ddof=1)))
    return ReplicateMean(mean, error, float(n - 1), n)
