"""Cross-entropy, plain, weighted by class, or smoothed: the baseline for all other losses."""

from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.class_counts import Weighting
from imbalance_lab.losses.base import reweight_prior
from imbalance_lab.losses.checks import cast_like, in_full_precision
from imbalance_lab.losses.reduction import Reduction, check_reduction
from imbalance_lab.losses.weighted_cross_entropy import weighted_cross_entropy
from imbalance_lab.losses.weights import Counts, check_weight_list, store
from imbalance_lab.validation import check_integer, check_number


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """`torch.nn.CrossEntropyLoss` whose class weights may be computed from the training counts.

    It differs from torch's in five ways: half precision is computed in float32, the mean over nothing is 0, in
    training on several processes the mean is that of the whole batch (see `reduce`), and weights with smoothing or
    distributions weigh the example, w̄ Σ_c s_c (−log p_c) with w̄ = w_y (or Σ_c t_c w_c) and s the smoothed target,
    so that the minimum stays at p = s (see `weighted_cross_entropy`), whose mean is then Σ loss / Σ w̄.

    Args:
        weight: None, C weights, or "inverse", "sqrt_inverse", "effective": from ``class_counts``, with Σ w = C.
        class_counts: training examples of each class, (C,).
        label_smoothing: ε in [0, 1], the share of the target distributed over all classes.
        ignore_index: a target value that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean" (Σ loss / Σ w_y, or for distributions / Σ w̄).

    Raises:
        TypeError, ValueError: for invalid arguments, when the loss is built.

    >>> CrossEntropyLoss("inverse", class_counts=[90, 10]).weight
    tensor([0.2000, 1.8000])
    """

    is_mean_over_examples = True

    accepts_soft_targets = True

    def __init__(
        self,
        weight: Sequence[float] | Tensor | Weighting | None = None,
        *,
        class_counts: Counts | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            ignore_index=check_integer("ignore_index", ignore_index),
            label_smoothing=check_number("label_smoothing", label_smoothing, minimum=0, maximum=1),
            reduction=check_reduction(reduction),
        )
        store(self, "weight", None if weight is None else check_weight_list(weight, class_counts))

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (N, C, …) for class indices (N, …) or probabilities (N, C, …)."""
        loss = weighted_cross_entropy(
            in_full_precision(input),
            target,
            self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,  # type: ignore[arg-type]  # torch declares it as str
        )
        return cast_like(loss, input)

    def implied_prior(self, sampler_prior: Tensor) -> Tensor | None:
        """Return the class priors ∝ q_c w_c of the logits, (C,), for ``sampler_prior`` q, (C,); None if a w_c is 0."""
        return reweight_prior(sampler_prior, None if self.weight is None else self.weight.log())
