"""Temperature scaling (Guo et al. 2017, arXiv 1706.04599): one number that makes probabilities mean what they say."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(logits: NDArray[np.float32], target: NDArray[np.int64]) -> float:
    """The T in [0.05, 20] that makes softmax(z / T) most likely on held-out examples.

    Args:
        logits: (N, C) of examples that were not trained on.
        target: class numbers (N,).
    """
    wide = logits.astype(np.float64)
    own = wide[np.arange(len(target)), target]

    def negative_log_likelihood(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(logsumexp(wide * scale, axis=1) - own * scale))

    best = minimize_scalar(negative_log_likelihood, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(best.x))
