"""Logit-adjusted cross-entropy (Menon et al. 2021, arXiv 2007.07314, eq. 10); at τ = 1 "balanced softmax".

    ℓ(z, y) = −log softmax(z + τ log π)_y,        π_c = n_c / Σ n

The prior is part of the training loss only, so the network learns the logits of the balanced problem: predict
from z. At τ = 1 the equation is that of Ren et al. 2020 (arXiv 2007.10740).
"""

from torch import Tensor

from imbalance_lab.class_counts import class_priors
from imbalance_lab.losses.base import Loss, reweight_prior
from imbalance_lab.losses.checks import MAX_TAU, cast_like, check_scalar
from imbalance_lab.losses.reduction import Reduction
from imbalance_lab.losses.weighted_cross_entropy import class_logits, weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, require_counts, store
from imbalance_lab.validation import check_number


def logit_adjusted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    log_prior: Tensor,
    *,
    tau: float | Tensor = 1.0,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of z + τ log π: a frequent class must win by more than its prior.

    Args:
        logits: z, (N, C), floating point; half precision is computed in float32.
        target: class indices (N,), or one distribution per example (N, C); at its minimum softmax(z + τ log π) is the
            target.
        log_prior: log π, (C,); a constant added to all of it changes nothing, so log n_c serves as well.
        tau: τ ≥ 0, how much of the prior the loss takes over; 0 is cross-entropy, 1 minimizes the balanced
            error.
        label_smoothing: ε in [0, 1], the share of the target distributed over all classes.
        ignore_index: a class index that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (over the targets that are not ignored; 0 when all are).

    Returns:
        a scalar, or for "none" (N,); in the dtype of ``logits`` (see `cast_like`).

    Properties: τ = 0 and equal counts are cross-entropy; adding a constant to all logits of an example changes
    nothing; a rarer target never costs less.

    >>> import torch
    >>> logit_adjusted_cross_entropy(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([0.9, 0.1]).log())
    tensor(2.3026)
    """
    adjusted = class_logits(logits, len(log_prior)) + tau * log_prior
    loss = weighted_cross_entropy(
        adjusted,
        target,
        label_smoothing=check_number("label_smoothing", label_smoothing, minimum=0, maximum=1),
        ignore_index=ignore_index,
        reduction=reduction,
    )
    return cast_like(loss, logits)


class LogitAdjustedLoss(Loss):
    """`logit_adjusted_cross_entropy` as a module; log π is computed from the training counts and is a buffer.

    Args:
        tau: τ ≥ 0. A `torch.nn.Parameter` becomes the module's, and is trained; keep it ≥ 0, for nothing else does.
        class_counts: training examples of each class, (C,); required.

    The other arguments are `logit_adjusted_cross_entropy`'s. Call it as ``loss(logits, target)``.

    Raises:
        TypeError, ValueError: for invalid arguments, missing counts, or a class without an example.

    >>> LogitAdjustedLoss(class_counts=[90, 10])
    LogitAdjustedLoss(tau=1.0, label_smoothing=0.0, ignore_index=-100, reduction='mean')
    """

    repr_names = ("tau", "label_smoothing")

    is_mean_over_examples = True

    accepts_soft_targets = True

    tau: float | Tensor
    log_prior: Tensor

    def __init__(
        self,
        tau: float | Tensor = 1.0,
        *,
        class_counts: Counts | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        store(self, "tau", check_scalar("tau", tau, minimum=0, maximum=MAX_TAU))
        counts = require_counts("LogitAdjustedLoss", class_counts)
        self.register_buffer("log_prior", class_priors(counts).log().float())

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``logits`` for ``target``; shapes as in `logit_adjusted_cross_entropy`."""
        return logit_adjusted_cross_entropy(
            logits,
            target,
            self.log_prior,
            tau=self.tau,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """Return the class priors ∝ q_c n_c^(−τ) of the logits z, (C,), for ``sampler_prior`` q, (C,)."""
        return reweight_prior(sampler_prior, -self.tau * self.log_prior)
