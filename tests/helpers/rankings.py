"""Scores with ties, for tests of curves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics import Ranking, rank_one_vs_rest


def seeded_rankings(
    classes: int = 4, n: int = 300, absent: Sequence[int] = (), seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64], Sequence[Ranking]]:
    """Scores (n, C), targets (n,) without the absent classes, and the ranking of each class."""
    rng = np.random.default_rng(seed)
    present = [c for c in range(classes) if c not in absent]
    target = rng.choice(present, n)
    scores = (rng.normal(size=(n, classes)) + np.eye(classes)[target]).round(1)
    return scores, target, rank_one_vs_rest(scores, target)
