"""Calibration: from logits to probabilities that match observed frequencies, and the class priors they hold for."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples, as_scores
from imbalance_lab.posthoc.activation import (
    ArrayOrTensor,
    ClassPriors,
    validate_activation,
    validate_class_priors,
)
from imbalance_lab.task import Activation, Logits, Target
from imbalance_lab.validation import check_number


def scale_logits(logits: ArrayOrTensor, temperature: Any, bias: ArrayOrTensor) -> ArrayOrTensor:
    """Z / T + bias, (N, C)."""
    scaled: ArrayOrTensor = logits / temperature + bias
    return scaled


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration: softmax(z / temperature + bias), or its sigmoid, holds for the class priors ``prior``.

    Args:
        activation: softmax or sigmoid.
        temperature: T > 0. With equal biases it changes no predicted label under softmax.
        bias: (C,).
        prior: the class priors; None if unknown, as after a loss with margins. Unknown priors cannot be corrected.

    Raises:
        TypeError, ValueError: for arguments that do not fit.
    """

    activation: Activation
    temperature: float
    bias: tuple[float, ...]
    prior: ClassPriors | None

    def __post_init__(self) -> None:
        validate_activation(self.activation)
        check_number("temperature", self.temperature, above=0)
        object.__setattr__(self, "bias", tuple(float(b) for b in self.bias))
        if self.prior is not None:
            object.__setattr__(self, "prior", validate_class_priors("prior", self.prior, self.activation))
            if len(self.prior) != len(self.bias):
                raise ValueError(f"prior has {len(self.prior)} class priors, but bias has {len(self.bias)} classes")

    def __call__(self, logits: Logits) -> NDArray[np.float64]:
        """Calibrated logits z / T + bias, (N, C) float64."""
        logits = as_scores(logits, "logits", empty=True)
        validate_logits(logits, len(self.bias))
        return scale_logits(logits.astype(np.float64), self.temperature, np.asarray(self.bias))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        prior = None if self.prior is None else list(self.prior)
        return {**asdict(self), "bias": list(self.bias), "prior": prior}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Calibration":
        """Read what `as_json` returned."""
        prior = content["prior"]
        return cls(
            content["activation"],
            content["temperature"],
            tuple(content["bias"]),
            None if prior is None else tuple(prior),
        )


class CalibrationMethod(Protocol):
    """A way to fit a `Calibration`; ``calibration=`` in the config chooses one by ``_target_``."""

    @property
    def estimates_prior(self) -> bool:
        """Whether the fitted calibration has a known ``prior`` even if ``train_prior`` is unknown."""
        ...

    def validate(self, num_classes: int, train_prior: ClassPriors | None, activation: Activation) -> None:
        """Raise ValueError, before training, for what cannot be fitted afterwards."""
        ...

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> Calibration:
        """Fit on held-out examples: logits (N, C), target (N,) or 0/1 (N, C)."""
        ...


class NoCalibration:
    """Leaves the logits unchanged."""

    estimates_prior: ClassVar[bool] = False

    def validate(self, num_classes: int, train_prior: ClassPriors | None, activation: Activation) -> None:
        """Any task will do."""
        validate_activation(activation)

    def fit(
        self, logits: Logits, target: Target, train_prior: ClassPriors | None, activation: Activation
    ) -> Calibration:
        """Temperature 1, bias 0, for the class priors ``train_prior``."""
        logits, _ = as_examples(logits, target, "logits", finite=True)
        return Calibration(activation, 1.0, (0.0,) * logits.shape[1], train_prior)


def validate_logits(logits: Any, num_classes: int) -> None:
    """Raise ValueError unless ``logits``, an array or a tensor, are (N, C)."""
    if logits.ndim != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"logits must have shape (N, {num_classes}), got {tuple(logits.shape)}")
