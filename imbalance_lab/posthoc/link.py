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

Link = Literal["softmax", "sigmoid"]
Logits = NDArray[np.floating[Any]]
Target = NDArray[np.int64]
Shares = tuple[float, ...]
"""Of each class, how often it occurs; of one of C classes they sum to 1."""


def probability(logits: Logits, link: Link) -> NDArray[np.float64]:
    """softmax(z) or σ(z), (N, C)."""
    wide = as_scores(logits, "logits").astype(np.float64)
    return np.asarray(softmax(wide, axis=1) if link == "softmax" else expit(wide))


def log_odds(logits: Logits, link: Link) -> NDArray[np.float32]:
    """Log p / (1 − p) of every class, (N, C), which ranks like p but never saturates.

    Computed in float64 and rounded, so that whether an example reaches a threshold does not depend on its batch.
    """
    wide = as_scores(logits, "logits").astype(np.float64)
    if link == "softmax":
        wide = metrics.log_odds(torch.from_numpy(wide)).numpy()
    return wide.astype(np.float32)


def share_logit(shares: Sequence[float] | NDArray[np.float64], link: Link) -> NDArray[np.float64]:
    """What a class's share adds to its logit, by Bayes: log π for softmax, log π / (1 − π) for sigmoid, (C,)."""
    pi = np.asarray(shares, np.float64)
    with np.errstate(divide="ignore"):
        return np.log(pi) - (np.log1p(-pi) if link == "sigmoid" else 0)


def happened(target: Target, num_classes: int) -> NDArray[np.bool_]:
    """Which class each example is of, (N, C)."""
    target = as_target(target)
    return np.asarray(target == 1 if target.ndim == 2 else target[:, None] == np.arange(num_classes))


def negative_log_likelihood(logits: Logits, target: Target, link: Link) -> float:
    """−log p of what happened, summed over the labels, mean over the examples; a logit may be −∞."""
    if link == "softmax":
        target = as_target(target)
        own = logits[np.arange(len(target)), target]
        return float(np.mean(logsumexp(logits, axis=1) - own))
    signed = np.where(happened(target, logits.shape[1]), -logits, logits)
    return float(np.logaddexp(0, signed).sum(1).mean())


def checked_link(link: Link) -> Link:
    """Return ``link``, or refuse what is none."""
    if link not in get_args(Link):
        raise ValueError(f"link must be softmax or sigmoid, got {link!r}")
    return link


def checked_shares(name: str, shares: Sequence[float], link: Link) -> Shares:
    """Return the shares as floats, or refuse those that no population has, or that leave a class out."""
    values = tuple(float(share) for share in shares)
    if not all(0 < share < 1 for share in values):
        raise ValueError(f"{name} must be shares between 0 and 1, one a class, got {list(values)}")
    if link == "softmax" and abs(sum(values) - 1) > 1e-6:
        raise ValueError(f"{name} must sum to 1, got {list(values)}, which sum to {sum(values):.6g}")
    return values
