"""Temperature scaling (Guo et al. 2017, arXiv 1706.04599): one number that makes probabilities mean what they say."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from imbalance_lab.metrics.entrance import as_scores, as_target
from imbalance_lab.posthoc.activation import Activation, Logits, Target, negative_log_likelihood

COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(
    logits: Logits, target: Target, *, activation: Activation = "softmax", offset: NDArray[np.float64] | float = 0.0
) -> float:
    """The T in [0.05, 20] that makes softmax(z / T + offset), or its sigmoid, most likely on held-out examples.

    The likelihood has one peak: it is log-concave in 1 / T.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class numbers (N,), or 0/1 (N, C).
        activation: softmax or sigmoid.
        offset: (C,), what is known to be missing in the logits: log π_held-out − log π_seen where the held-out
            examples have other class shares than those that the logits stand for. −∞ for a class that has none.
    """
    wide, target = as_scores(logits, "logits").astype(np.float64), as_target(target)

    def cost(log_temperature: float) -> float:
        return negative_log_likelihood(wide * np.exp(-log_temperature) + offset, target, activation)

    best = minimize_scalar(cost, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(best.x))
