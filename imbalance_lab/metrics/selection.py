"""What it costs to report the best of several settings.

Settings are selected by their validation score, and the test examples are others: to the score of the models that were
trained, the selection does nothing. But what is reported as a setting's score is the mean over its seeds, and a lucky
seed raises validation and test scores alike. The best of k settings is on average the luckiest of equals. If all k are
equally good, its mean luck on validation is σ_v E[max of k normal variables] / √n, and on test that times the slope of
the test scores on the validation scores between the seeds of one setting: the largest bias that a selection among k
settings can have, so the lower end of an interval moved down by it holds for any settings.
"""

from collections.abc import Sequence

import numpy as np


def expected_maximum(k: int) -> float:
    """The mean of the largest of k independent standard normal variables.

    >>> [round(expected_maximum(k), 3) for k in (1, 2, 10, 50)]
    [0.0, 0.564, 1.539, 2.249]
    """
    if k == 1:
        return 0.0
    from scipy.special import ndtr

    x = np.linspace(-9, 9, 4001)
    below = ndtr(x) ** k
    above_zero = np.trapezoid((1 - below)[x >= 0], x[x >= 0])  # E = ∫ P(max > x) dx − ∫ P(max < −x) dx over x > 0
    return float(above_zero - np.trapezoid(below[x <= 0], x[x <= 0]))


def selection_bias(val: Sequence[Sequence[float]], test: Sequence[Sequence[float]]) -> float:
    """The largest bias of the mean test score of the setting with the highest mean validation score.

    Args:
        val: the validation scores of the replicates of each of k settings, higher is better.
        test: the test scores of the same replicates.

    Returns:
        A value ≥ 0; NaN if no setting has two replicates, so that nothing is known about their luck.
    """
    pairs = [np.array([of_val, of_test]) for of_val, of_test in zip(val, test, strict=True) if len(of_val)]
    centered = [pair - pair.mean(1, keepdims=True) for pair in pairs]
    df = sum(pair.shape[1] - 1 for pair in pairs)
    if df == 0:
        return float("nan")
    (val_var, covariance), _ = sum(pair @ pair.T for pair in centered) / df
    if val_var == 0:
        return 0.0
    fewest = min(pair.shape[1] for pair in pairs)
    return max(0.0, float(covariance / np.sqrt(val_var))) * expected_maximum(len(pairs)) / float(np.sqrt(fewest))
