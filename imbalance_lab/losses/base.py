"""What a loss says about itself beyond its value; the package's docstring describes the protocol."""

from inspect import signature
from typing import Any, Literal

import torch
from torch import Tensor, nn

from imbalance_lab.losses.reduction import Reduction, check_reduction
from imbalance_lab.validation import check_integer

Activation = Literal["softmax", "sigmoid"]


class Loss(nn.Module):
    """The defaults of the loss protocol, and one way to print a loss.

    A loss need not inherit from it: whatever is missing from another module counts as the default here.
    """

    activation: Activation = "softmax"
    """How logits become probabilities after training with this loss."""

    is_mean_over_examples: bool = False
    """Whether the value, with its reduction to a mean, is a mean of terms of one example each, weighted by the targets
    alone, and a call changes nothing. Nets that are trained side by side then share one call; otherwise each has a copy
    of the loss."""

    accepts_soft_targets: bool = False
    """Whether a target may be a distribution over the classes, or shares of labels, (N, C), as mixup makes them."""

    repr_names: tuple[str, ...] = ()
    """The attributes that ``print(loss)`` shows, besides ``ignore_index`` and ``reduction``."""

    def __init__(self, *, ignore_index: int = -100, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.ignore_index = check_integer("ignore_index", ignore_index)
        self.reduction: Any = check_reduction(reduction)  # some losses have further reductions

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """Return the class priors that the logits stand for after training, or None where they are not known.

        Args:
            sampler_prior: the share of each class among the examples that are drawn, (C,), float64, with sum 1.

        Returns:
            priors (C,) with sum 1, or None.
        """
        return None

    def extra_repr(self) -> str:
        """Return the arguments, for ``print(loss)``."""
        names = (*self.repr_names, "ignore_index", "reduction")
        taken = (*self.repr_names, *signature(type(self)).parameters)
        values = ((name, getattr(self, name)) for name in names if name in taken)
        return ", ".join(f"{name}={v.detach().tolist() if isinstance(v, Tensor) else v!r}" for name, v in values)


def reweight_prior(prior: Tensor, log_weight: Tensor | None) -> Tensor | None:
    """π_c ∝ q_c ω_c, the class priors that logits stand for after training with weights ω on examples drawn with q.

    Where Σ_c ω_c q_c p(x | c) (−log softmax(z)_c) is least, softmax(z)_c ∝ ω_c q_c p(x | c), the posterior of π.
    Adding τ log n to the logits inside the loss has the effect of ω = n^(−τ).

    Args:
        prior: q, (C,).
        log_weight: log ω, (C,), or None for ω = 1.

    Returns:
        (C,), float64, with sum 1; None where a class weighs 0, because its logit then means nothing.

    >>> reweight_prior(torch.tensor([0.9, 0.1]), torch.tensor([1.0, 3.0]).log())
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    if log_weight is None:
        return prior
    log_weight = log_weight.detach().to(prior.device, torch.float64)
    return (prior.double().log() + log_weight).softmax(0) if bool(log_weight.isfinite().all()) else None
