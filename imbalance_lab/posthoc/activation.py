"""How logits become probabilities: softmax where an example is one of C classes, sigmoid where labels may coincide.

Throughout, ``logits`` are (N, C), and ``target`` is class numbers (N,) or 0/1 (N, C); a single logit of a binary
classifier is sigmoid with C = 1 and target (N, 1). All arithmetic is in float64.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, softmax

from imbalance_lab import metrics
from imbalance_lab.metrics.entrance import as_scores, as_target

Activation = Literal["softmax", "sigmoid"]
Logits = NDArray[np.floating[Any]]
Target = NDArray[np.int64]
ClassPriors = tuple[float, ...]
"""Of each class, how often it occurs; of one of C classes they sum to 1."""


def probability(logits: Logits, activation: Activation) -> NDArray[np.float64]:
    """softmax(z) or σ(z), (N, C)."""
    wide = as_scores(logits, "logits").astype(np.float64)
    return np.asarray(softmax(wide, axis=1) if activation == "softmax" else expit(wide))


def log_odds(logits: Logits, activation: Activation) -> NDArray[np.float32]:
    """Log p / (1 − p) of every class, (N, C), which ranks like p but never saturates.

    Computed in float64 and rounded, so that whether an example reaches a threshold does not depend on its batch.
    """
    wide = as_scores(logits, "logits").astype(np.float64)
    if activation == "softmax":
        wide = metrics.log_odds(torch.from_numpy(wide)).numpy()
    return wide.astype(np.float32)


def prior_logit(class_priors: Sequence[float] | NDArray[np.float64], activation: Activation) -> NDArray[np.float64]:
    """What a class's share adds to its logit, by Bayes: log π for softmax, log π / (1 − π) for sigmoid, (C,)."""
    pi = np.asarray(class_priors, np.float64)
    with np.errstate(divide="ignore"):
        return np.log(pi) - (np.log1p(-pi) if activation == "sigmoid" else 0)


def one_hot(target: Target, num_classes: int) -> NDArray[np.bool_]:
    """Which class each example is of, (N, C)."""
    target = as_target(target)
    return np.asarray(target == 1 if target.ndim == 2 else target[:, None] == np.arange(num_classes))


def negative_log_likelihood(logits: Logits, target: Target, activation: Activation) -> float:
    """−log p of what happened, summed over the labels, mean over the examples; a logit may be −∞."""
    if activation == "softmax":
        target = as_target(target)
        own = logits[np.arange(len(target)), target]
        return float(np.mean(logsumexp(logits, axis=1) - own))
    signed = np.where(one_hot(target, logits.shape[1]), -logits, logits)
    return float(np.logaddexp(0, signed).sum(1).mean())


def validate_activation(activation: Activation) -> Activation:
    """Return ``activation``, or refuse what is none."""
    if activation not in get_args(Activation):
        raise ValueError(f"link must be softmax or sigmoid, got {activation!r}")
    return activation


def validate_class_priors(name: str, class_priors: Sequence[float], activation: Activation) -> ClassPriors:
    """Return the shares as floats, or refuse those that no population has, or that leave a class out."""
    values = tuple(float(share) for share in class_priors)
    if not all(0 < share < 1 for share in values):
        raise ValueError(f"{name} must be shares between 0 and 1, one a class, got {list(values)}")
    if activation == "softmax" and abs(sum(values) - 1) > 1e-6:
        raise ValueError(f"{name} must sum to 1, got {list(values)}, which sum to {sum(values):.6g}")
    return values
