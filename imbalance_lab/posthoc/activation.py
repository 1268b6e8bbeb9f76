"""From logits to probabilities and log-odds: softmax for one of C classes, sigmoid for independent labels.

``logits`` are (N, C), ``target`` is class indices (N,) or 0/1 labels (N, C); a single logit of a binary classifier is
sigmoid with C = 1 and target (N, 1). The arithmetic is PyTorch's in float64; NumPy arrays give NumPy arrays.
"""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, overload

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor

from imbalance_lab import metrics
from imbalance_lab.metrics.array_inputs import as_scores, as_target
from imbalance_lab.task import Activation, Logits, Target, one_hot
from imbalance_lab.validation import check_choice, check_list, check_number

ClassPriors = tuple[float, ...]
"""The prior probability of each class, (C,). Under softmax they sum to 1; under sigmoid each label has its own."""

ArrayOrTensor = TypeVar("ArrayOrTensor", NDArray[Any], Tensor)


@overload
def probabilities(logits: Tensor, activation: Activation) -> Tensor: ...
@overload
def probabilities(logits: Logits, activation: Activation) -> NDArray[np.float64]: ...
def probabilities(logits: Logits | Tensor, activation: Activation) -> NDArray[Any] | Tensor:
    """softmax(z) or σ(z), (N, C) float64."""
    validate_activation(activation)
    wide = to_float64(logits)
    return match_type(wide.softmax(1) if activation == "softmax" else wide.sigmoid(), logits)


@overload
def log_odds(logits: Tensor, activation: Activation) -> Tensor: ...
@overload
def log_odds(logits: Logits, activation: Activation) -> NDArray[np.float32]: ...
def log_odds(logits: Logits | Tensor, activation: Activation) -> NDArray[Any] | Tensor:
    """Log p / (1 − p) of every class, (N, C) float32, which ranks like p but never saturates.

    Computed in float64 and rounded, so that whether an example reaches a threshold does not depend on its batch.
    """
    validate_activation(activation)
    wide = to_float64(logits)
    if activation == "softmax":
        wide = metrics.softmax_log_odds(wide)
    return match_type(wide.float(), logits)


def to_float64(logits: Logits | Tensor) -> Tensor:
    """Logits (N, C) as a float64 tensor; of an array, a copy, which may be read-only or have any strides.

    Raises:
        TypeError, ValueError: for other shapes, and for NaN; N may be 0.
    """
    if not isinstance(logits, Tensor):
        return torch.from_numpy(np.array(as_scores(logits, "logits", ndim=2, empty=True), np.float64, order="C"))
    if torch.compiler.is_compiling():  # a graph has no branch on values
        return logits.double()
    if logits.ndim != 2 or (not logits.is_meta and bool(logits.isnan().any())):
        as_scores(logits, "logits", ndim=2, empty=True)  # raises
    return logits.double()


def match_type(result: Tensor, like: NDArray[Any] | Tensor) -> NDArray[Any] | Tensor:
    """Return ``result`` as it is, or as an array if ``like`` is one."""
    return result if isinstance(like, Tensor) else np.asarray(result.numpy(force=True))


def prior_logit(class_priors: Sequence[float] | NDArray[np.float64], activation: Activation) -> NDArray[np.float64]:
    """The term of the logits that stands for the class priors, by Bayes, (C,).

    log π for softmax, log π / (1 − π) for sigmoid.
    """
    pi = np.asarray(class_priors, np.float64)
    with np.errstate(divide="ignore"):
        return np.log(pi) - (np.log1p(-pi) if activation == "sigmoid" else 0)


def negative_log_likelihood(logits: Logits, target: Target, activation: Activation) -> float:
    """−log p of the targets, summed over labels, averaged over examples; a logit may be −∞."""
    return cross_entropy(logits, one_hot(as_target(target), logits.shape[1]).astype(np.float64), activation)


def allow_one_error(positive: NDArray[np.bool_], activation: Activation) -> NDArray[np.float64]:
    """Target distributions as if one held-out example in all had a wrong label, with the class shares as they are.

    Where the held-out examples happen to be separable, probabilities of 0 and 1 have the largest likelihood, and the
    first error on new examples costs without limit. That none of N failed says no more than about 1 / N (Laplace's rule
    of succession; Platt 1999 smooths the targets of his calibration for the same reason). Each label is mixed with the
    shares π, ε π + (1 − ε) y, where ε makes the expected number of wrong labels 1; so it vanishes with 1 / N.

    Args:
        positive: (N, C).
        activation: under sigmoid each label is of its own, and one of all N · C is taken as wrong.
    """
    shares = positive.mean(0)
    is_wrong = 1 - (shares**2).sum() if activation == "softmax" else (2 * shares * (1 - shares)).sum()
    mixed = min(1.0, 1 / (len(positive) * is_wrong)) if is_wrong > 0 else 0.0
    allowed: NDArray[np.float64] = mixed * shares + (1 - mixed) * positive
    return allowed


def cross_entropy(logits: Logits, target: NDArray[np.float64], activation: Activation) -> float:
    """−Σ t log p of target distributions (N, C), averaged over examples; a logit may be infinite where t is 0 or 1."""
    if activation == "softmax":
        named = (target * np.where(target > 0, logits, 0)).sum(1)
        return float((logsumexp(logits, axis=1) - named).mean())
    costs = ((target, np.logaddexp(0, -logits)), (1 - target, np.logaddexp(0, logits)))
    return float(sum((share * np.where(share > 0, cost, 0)).sum(1).mean() for share, cost in costs))


def validate_activation(activation: Activation) -> None:
    """Raise ValueError unless ``activation`` is softmax or sigmoid."""
    check_choice("activation", activation, get_args(Activation))


def validate_class_priors(name: str, class_priors: object, activation: Activation) -> ClassPriors:
    """Return the class priors as floats.

    Raises:
        TypeError: if they are not a list of numbers.
        ValueError: if one is not strictly between 0 and 1, or under softmax they do not sum to 1.
    """
    if isinstance(class_priors, np.ndarray | Tensor):
        class_priors = class_priors.tolist()
    values = tuple(
        check_number(f"each entry of {name}", prior, above=0, below=1) for prior in check_list(name, class_priors)
    )
    if activation == "softmax" and abs(sum(values) - 1) > 1e-6:
        raise ValueError(f"{name} must sum to 1, got {list(values)}, which sum to {sum(values):.6g}")
    return values
