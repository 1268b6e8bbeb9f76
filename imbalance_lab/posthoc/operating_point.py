"""Where to cut: thresholds on a class's probability, chosen on validation examples."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from imbalance_lab.metrics import Ranking


class OperatingPoint(NamedTuple):
    """Flag an example as the class when its score is at least ``threshold``."""

    threshold: float
    f1: float
    recall: float
    precision: float
    n_positive: int


def max_f1(ranking: Ranking) -> OperatingPoint | None:
    """The cut with the highest F1; None for a class without positives.

    Args:
        ranking: of the class's log-odds. The threshold is told as a probability.
    """
    if ranking.n_positive == 0:
        return None
    f1 = 2 * ranking.tp / (ranking.tp + ranking.fp + ranking.n_positive)
    best = int(np.argmax(f1))
    tp, fp = int(ranking.tp[best]), int(ranking.fp[best])
    return OperatingPoint(
        threshold=float(expit(np.float64(ranking.threshold[best]))),
        f1=float(f1[best]),
        recall=tp / ranking.n_positive,
        precision=tp / (tp + fp),
        n_positive=ranking.n_positive,
    )
