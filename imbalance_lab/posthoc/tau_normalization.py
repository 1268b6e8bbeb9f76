"""τ-normalization (Kang et al. 2020, arXiv 1910.09217, section 4.1): equalize the norms of the classes' weights."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.posthoc.activation import ClassPriors
from imbalance_lab.posthoc.calibration import Calibration, CalibrationMethod
from imbalance_lab.posthoc.linear_head import LinearHead
from imbalance_lab.posthoc.logit_adjustment import TAUS, Criterion, score_labels, validate_criterion
from imbalance_lab.posthoc.prior_correction import PriorShift
from imbalance_lab.posthoc.threshold import ThresholdRule
from imbalance_lab.task import Activation, Logits, Target
from imbalance_lab.validation import check_number


def tau_normalized(weight: Tensor, tau: float) -> Tensor:
    """w_c / ‖w_c‖^τ: a linear head learns larger weight norms for classes with many examples.

    Use it without the head's bias, as the paper does: logits are features · w. For stored logits z of a head with bias
    b this equals (z − b) / ‖w‖^τ, so that τ (the paper tries 0 to 2) can be chosen on validation without the net.

    Args:
        weight: (C, F) of a linear head.
        tau: ≥ 0; 0 changes nothing, 1 gives all rows the norm 1.

    Raises:
        TypeError, ValueError: if ``tau`` is not a number ≥ 0.

    Properties: scaling a row by s scales the result by s^(1 − τ); a row of zeros stays zero.

    >>> import torch
    >>> tau_normalized(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), tau=1)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    check_number("tau", tau, minimum=0)
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight must be a tensor (C, F), got {type(weight).__name__}: convert it with torch.as_tensor")
    if weight.ndim != 2 or bool(weight.isnan().any()):
        raise ValueError(f"weight must have shape (C, F) and no NaN, got shape {tuple(weight.shape)}: pass head.weight")
    norm = weight.norm(dim=1, keepdim=True)
    divisor: Tensor = norm.where(norm > 0, 1).pow(tau)
    return weight / divisor


class TauNormalization:
    """τ-normalization of the head behind stored logits: (z_c − b_c) · (g / ‖w_c‖)^τ, g the geometric mean of the norms.

    The factor g^τ, the same for all classes, changes no predicted label; it keeps the size of the logits, so that the
    probabilities stay about as calibrated as they were. They hold for no class priors. The head is multiplied by
    nothing: the correction is a part of the post-processing, and travels with it.

    Args:
        tau: a number ≥ 0, or the `Criterion` that chooses it of 0, 0.1, …, 2 on validation.

    Raises:
        TypeError, ValueError: if it is neither.

    Properties: predicted labels are those of a head with the weights `tau_normalized`, and without a bias; scaling
    all weights and biases of the head changes no predicted label.
    """

    def __init__(self, tau: float | Criterion = "balanced_accuracy") -> None:
        if isinstance(tau, str):
            validate_criterion(tau)
        else:
            check_number("tau", tau, minimum=0)
        self.tau = tau

    @property
    def uses_examples(self) -> bool:
        """Whether τ is chosen on validation."""
        return isinstance(self.tau, str)

    def validate(
        self,
        num_classes: int,
        train_prior: ClassPriors | None,
        activation: Activation,
        *,
        calibration: CalibrationMethod,
        rule: ThresholdRule,
    ) -> None:
        """Check that logits compete, that no bias is fitted again, and that the rule does not need probabilities."""
        if activation != "softmax":
            raise ValueError("tau_normalization compares classes, but under sigmoid each logit stands for itself")
        if calibration.estimates_prior:
            raise ValueError(
                "calibration=bias_corrected fits a bias for each class, which tau_normalization leaves out: "
                "use calibration=temperature"
            )
        needs_probabilities = getattr(rule, "needs_probabilities", None)
        if needs_probabilities is not None and needs_probabilities():
            raise ValueError(f"{rule} needs probabilities: use deploy_prior instead of tau_normalization")

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> PriorShift:
        """Not without the head: see `fit_head`.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "tau_normalization needs the weights of a linear head: choose prior_correction=logit_adjustment"
        )

    def fit_head(self, logits: Logits, target: Target, calibration: Calibration, head: LinearHead) -> PriorShift:
        """The scale and offset for τ, which is chosen on these examples if ``tau`` is a criterion.

        Args:
            logits: raw, (N, C), of examples that were not trained on; none are needed for a number ``tau``.
            target: class indices (N,).
            calibration: that comes before; without a bias.
            head: the head that the logits are of.
        """
        bias = np.asarray(head.bias)
        if isinstance(self.tau, str):
            logits, target = as_examples(logits, target, "logits", finite=True)
            factors = [_factor(head, tau) for tau in TAUS]
            scores = [
                score_labels((logits - bias) * each, target, calibration.activation, self.tau) for each in factors
            ]
            if np.isnan(scores).all():
                raise ValueError(f"{self.tau} is undefined on these {len(target)} examples for every tau")
            tau = TAUS[int(np.nanargmax(scores))]
        else:
            tau = self.tau
        factor = _factor(head, tau)
        offset = -bias / calibration.temperature * factor
        method = f"tau_normalization, tau={tau:g}"
        return PriorShift(
            method, calibration.activation, calibration.prior, tuple(offset.tolist()), None, tuple(factor.tolist())
        )


def _factor(head: LinearHead, tau: float) -> NDArray[np.float64]:
    """(g / ‖w_c‖)^τ, (C,); 1 for a class whose weights are 0."""
    norm = np.asarray(head.norm)
    positive = norm > 0
    mean = np.exp(np.log(norm[positive]).mean()) if positive.any() else 1.0
    factor: NDArray[np.float64] = (mean / np.where(positive, norm, mean)) ** tau
    return factor
