"""The focal loss of one example in 50 digits, straight from its formula; no outcome of ours goes into it."""

from collections.abc import Sequence

import mpmath
from mpmath import mpf


def softmax_focal(logits: Sequence[float], target: int, gamma: float) -> tuple[float, list[float]]:
    """(1 − p)^γ (−log p) for p = softmax(logits)[target], and its gradient with respect to the logits."""
    with mpmath.workdps(50):
        exponentials = [mpmath.exp(mpf(z)) for z in logits]
        total = mpmath.fsum(exponentials)
        p = exponentials[target] / total
        miss = mpmath.fsum(e for c, e in enumerate(exponentials) if c != target) / total
        loss = miss**gamma * -mpmath.log(p)
        by_p = -gamma * miss ** (gamma - 1) * -mpmath.log(p) - miss**gamma / p
        gradient = [by_p * p * (miss if c == target else -e / total) for c, e in enumerate(exponentials)]
        return float(loss), [float(g) for g in gradient]


def sigmoid_focal(logit: float, positive: bool, gamma: float) -> tuple[float, float]:
    """(1 − p)^γ (−log p) for p = σ(logit) of a positive and σ(−logit) of a negative, and its derivative."""
    loss, (_, derivative) = softmax_focal([0.0, logit], int(positive), gamma)
    return loss, derivative
