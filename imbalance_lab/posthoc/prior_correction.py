"""Prior correction: from the class priors of training to those of the deployment.

By Bayes, the logits of p(c | x) contain log π_c. Where only the class priors differ (label shift: p(x | c) stays the
same), replacing the old log π by the new one is exact (Saerens et al. 2002; Hong et al. 2021, arXiv 2012.00321).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from imbalance_lab.posthoc.activation import ClassPriors, prior_logit, validate_activation, validate_class_priors
from imbalance_lab.posthoc.calibration import CalibrationMethod
from imbalance_lab.posthoc.threshold import ThresholdRule
from imbalance_lab.task import Activation, Logits, Target
from imbalance_lab.validation import check_list, check_number


@dataclass(frozen=True)
class PriorShift:
    """A fitted prior correction: scale · z + offset moves logits from the class priors ``train_prior`` to ``prior``.

    Args:
        method: name and parameters, for the reader.
        activation: softmax or sigmoid.
        train_prior: the class priors of the calibrated logits, (C,); None if they are unknown, with a ``scale`` only.
        offset: (C,), added to the calibrated logits.
        prior: the class priors of the result; None if it holds for no class priors.
        scale: (C,), of the calibrated logits before that; None for 1.
    """

    method: str
    activation: Activation
    train_prior: ClassPriors | None
    offset: tuple[float, ...]
    prior: ClassPriors | None
    scale: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        validate_activation(self.activation)
        for name in ("train_prior", "prior"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, validate_class_priors(name, value, self.activation))
                check_list(name, getattr(self, name), length=len(self.offset))
        if self.train_prior is None and self.scale is None:
            raise ValueError(
                "train_prior must be known, or there is nothing to correct: use calibration=bias_corrected"
            )
        object.__setattr__(self, "offset", tuple(float(each) for each in self.offset))
        if self.scale is not None:
            scale = check_list("scale", self.scale, length=len(self.offset))
            object.__setattr__(self, "scale", tuple(check_number("scale", each, above=0) for each in scale))

    def as_json(self) -> dict[str, Any]:
        """Plain values; without a scale none is named."""
        content = asdict(self)
        if self.scale is None:
            del content["scale"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in content.items()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "PriorShift":
        """Read what `as_json` returned."""
        fields = [name for name in cls.__dataclass_fields__ if name != "scale"]
        return cls(**{name: content[name] for name in fields}, scale=content.get("scale"))


class PriorCorrection(Protocol):
    """A way to fit a `PriorShift`; ``prior_correction=`` in the config chooses one by ``_target_``.

    One whose ``fit`` does not look at the examples says so by an attribute ``uses_examples`` that is False: it can be
    had without a validation split.
    """

    def validate(
        self,
        num_classes: int,
        train_prior: ClassPriors | None,
        activation: Activation,
        *,
        calibration: CalibrationMethod,
        rule: ThresholdRule,
    ) -> None:
        """Raise ValueError, before training, for what cannot be fitted, or a rule that does not fit to it."""
        ...

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> PriorShift | None:
        """Fit on held-out examples: *calibrated* logits (N, C) and their class priors; None changes nothing."""
        ...


class NoPriorCorrection:
    """Keeps the class priors of the calibrated logits."""

    uses_examples: ClassVar[bool] = False

    def validate(
        self,
        num_classes: int,
        train_prior: ClassPriors | None,
        activation: Activation,
        *,
        calibration: CalibrationMethod,
        rule: ThresholdRule,
    ) -> None:
        """Nothing to check."""

    def fit(self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation) -> None:
        """No offset."""
        return


class DeployPrior:
    """Corrects for known class priors of the deployment: z − log π_train + log π_deploy.

    Under sigmoid each label has its own prior, and log π / (1 − π) is replaced.

    Properties: ``deploy_prior`` = ``train_prior`` changes nothing; a to b and then b to c equals a to c.

    Args:
        deploy_prior: C class priors; under softmax they sum to 1.

    Raises:
        TypeError: if it is not a list.
    """

    uses_examples: ClassVar[bool] = False

    def __init__(self, deploy_prior: Sequence[float]) -> None:
        self.deploy_prior = list(check_list("deploy_prior", deploy_prior))

    def validate(
        self,
        num_classes: int,
        train_prior: ClassPriors | None,
        activation: Activation,
        *,
        calibration: CalibrationMethod,
        rule: ThresholdRule,
    ) -> None:
        """Check the class priors, and that the rule's property does not depend on them."""
        require_prior(train_prior, calibration)
        self._checked(num_classes, activation)
        holds = getattr(rule, "holds_under_prior_shift", None)
        if holds is None or not holds(num_classes):
            raise ValueError(
                f"{rule} on validation does not hold for other class priors: with deploy_prior choose "
                "operating_point=min_recall or min_cost"
            )

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> PriorShift:
        """The offset from ``train_prior``; the examples are not used."""
        return self.shift(known_prior(train_prior), activation)

    def shift(self, train_prior: ClassPriors, activation: Activation) -> PriorShift:
        """The offset from ``train_prior``, (C,)."""
        deploy_prior = self._checked(len(train_prior), activation)
        offset = prior_logit(deploy_prior, activation) - prior_logit(train_prior, activation)
        return PriorShift("deploy_prior", activation, train_prior, tuple(offset.tolist()), deploy_prior)

    def _checked(self, num_classes: int, activation: Activation) -> ClassPriors:
        values = validate_class_priors("deploy_prior", self.deploy_prior, activation)
        if len(values) != num_classes:
            raise ValueError(f"deploy_prior has {len(values)} class priors, but there are {num_classes} classes")
        return values


def require_prior(train_prior: ClassPriors | None, calibration: CalibrationMethod) -> None:
    """Raise ValueError unless the class priors of the calibrated logits will be known."""
    if train_prior is None and not calibration.estimates_prior:
        raise ValueError("the class priors of the logits are unknown after this loss: use calibration=bias_corrected")


def known_prior(train_prior: ClassPriors | None) -> ClassPriors:
    """Return ``train_prior``, or raise ValueError if it is None."""
    if train_prior is None:
        raise ValueError("a prior correction needs the class priors of the logits, got None")
    return train_prior
