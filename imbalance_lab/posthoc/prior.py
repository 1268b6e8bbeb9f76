"""Class shares: those that training presented, and moving logits from them to those of the deployment.

By Bayes, the logits of p(c | x) contain log π_c. Where only the shares differ (label shift: each class looks the same),
taking out the old log π and putting in the new is exact (Saerens et al. 2002; Hong et al. 2021, arXiv 2012.00321).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.class_counts import validate_counts
from imbalance_lab.posthoc.activation import (
    Activation,
    ClassPriors,
    prior_logit,
    validate_activation,
    validate_class_priors,
)


def implied_prior(
    counts: Sequence[float],
    sampler_power: float = 1.0,
    loss_tau: float = 0.0,
    weight: Sequence[float] | None = None,
) -> ClassPriors:
    """The class shares that a net's logits stand for after training, so that nothing is corrected twice; (C,).

    A sampler that draws class c with q_c ∝ n_c^power shows the net p(x, c) = q_c p(x | c), and a loss weighs that by
    ω_c. Where cross-entropy of z + τ log π (π ∝ n) is least, softmax(z + τ log π)_c ∝ ω_c q_c p(x | c), hence

        softmax(z)_c ∝ p(x | c) · ω_c n_c^(power − τ):

    softmax(z) is the posterior for shares ∝ ω_c n_c^(power − τ). Exact for cross-entropy with weights, samplers and
    logit adjustment, in the limit of a perfect fit. Focal and poly loss only approach it: their least is no posterior.
    Margins and scales of logits (LDAM, the Δ of vector scaling, Seesaw) are no shares: fit a bias
    (`fit_bias_corrected`), which needs no prior from training.

    Args:
        counts: n, training examples of each class.
        sampler_power: 1 shuffled, ½ square-root, 0 class-balanced.
        loss_tau: τ of `LogitAdjustedLoss` or `VectorScalingLoss` (its ι), 0 for all others.
        weight: ω, the loss's weight of each class, or None for 1.

    >>> implied_prior([900, 100])
    (0.9, 0.1)
    >>> implied_prior([900, 100], sampler_power=0.5)
    (0.75, 0.25)
    >>> implied_prior([900, 100], loss_tau=1)
    (0.5, 0.5)
    """
    n = validate_counts(counts).numpy()
    omega = np.ones(len(n)) if weight is None else np.asarray(weight, np.float64)
    if omega.shape != n.shape or not (omega > 0).all():
        raise ValueError(f"weight must be one number > 0 a class, for {len(n)} classes, got {omega.tolist()}")
    share = omega * n ** (sampler_power - loss_tau)
    return tuple((share / share.sum()).tolist())


@dataclass(frozen=True)
class DeploymentPrior:
    """Moves logits that stand for the shares ``train_prior`` to the shares ``deploy_prior``: z − log π_seen + log π_deploy.

    (For sigmoid the shares are each label's own, and log π / (1 − π) is moved.)

    Laws: ``deploy_prior`` = ``train_prior`` changes nothing; from a to b and from b to c is from a to c.
    """

    activation: Activation
    train_prior: ClassPriors
    deploy_prior: ClassPriors

    def __post_init__(self) -> None:
        validate_activation(self.activation)
        object.__setattr__(self, "train_prior", validate_class_priors("train_prior", self.train_prior, self.activation))
        object.__setattr__(
            self, "deploy_prior", validate_class_priors("deploy_prior", self.deploy_prior, self.activation)
        )
        if len(self.deploy_prior) != len(self.train_prior):
            raise ValueError(
                f"deploy_prior has {len(self.deploy_prior)} shares, but there are {len(self.train_prior)} classes"
            )

    @property
    def offset(self) -> NDArray[np.float64]:
        """What is added to the logits, (C,)."""
        return prior_logit(self.deploy_prior, self.activation) - prior_logit(self.train_prior, self.activation)

    @property
    def prior(self) -> ClassPriors:
        """The shares that the probabilities stand for afterwards."""
        return self.deploy_prior

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "train_prior": list(self.train_prior), "deploy_prior": list(self.deploy_prior)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DeploymentPrior":
        """Read what `as_json` gave."""
        return cls(content["activation"], tuple(content["train_prior"]), tuple(content["deploy_prior"]))
