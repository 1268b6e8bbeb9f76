"""Post-processing of a model's logits: calibration, prior correction and thresholds, as a module behind the net.

The order is fixed and each step is applied once, to the raw logits, so that nothing is corrected twice:

    z  →  z / T + bias  →  · prior scale + prior offset  →  probabilities, predicted labels, flags, prediction sets

Only τ-normalization has a scale.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imbalance_lab.metrics.array_inputs import as_examples, as_scores
from imbalance_lab.posthoc import activation as functional
from imbalance_lab.posthoc.activation import ClassPriors, match_type, to_float64
from imbalance_lab.posthoc.calibration import Calibration, scale_logits, validate_logits
from imbalance_lab.posthoc.consistency import check_consistency
from imbalance_lab.posthoc.prediction_sets import ClassConditionalSets
from imbalance_lab.posthoc.prior_correction import PriorShift
from imbalance_lab.posthoc.threshold import Threshold, is_flagged
from imbalance_lab.task import Activation, Logits, Target, one_hot


class PostProcessor(nn.Module):
    """A calibration, a prior correction that starts from its class priors, and a threshold for each class.

    ``forward`` takes tensors. The other methods take tensors or NumPy arrays, always raw logits (N, C), and return the
    same kind; both are computed by the same float64 operations. Flags compare float32 log-odds, so that they do not
    depend on the batch. (float64 needs a device that has it: CPU or CUDA.)

    The arguments describe what was fitted; the buffers below follow from them, keep their dtypes under ``.half()``, and
    are saved with the description, so that ``load_state_dict`` restores all of it.

    Args:
        classes: C names.
        calibration: of the raw logits.
        prior_correction: of the calibrated logits, or None.
        thresholds: for each class a `Threshold` on its log-odds, or the reason why it has none.
        prediction_sets: quantiles of the classes, fitted on a calibration split; None for a model without sets.

    Raises:
        ValueError: if these do not fit together.
    """

    temperature: Tensor  # () float64
    bias: Tensor  # (C,) float64
    prior_offset: Tensor  # (C,) float64
    prior_scale: Tensor | None  # (C,) float64; None for 1
    log_odds_thresholds: Tensor  # (C,) float32, +inf for a class without a threshold
    set_log_odds: Tensor | None  # (C,) float32, the quantiles; None without prediction sets
    set_offset: Tensor | None  # (C,) float64, the prior offset that they were fitted with

    def __init__(
        self,
        classes: Sequence[str],
        calibration: Calibration,
        prior_correction: PriorShift | None,
        thresholds: Sequence[Threshold | str],
        prediction_sets: ClassConditionalSets | None = None,
    ) -> None:
        super().__init__()
        check_consistency(classes, calibration, prior_correction, thresholds, prediction_sets)
        self.classes = tuple(classes)
        self.calibration = calibration
        self.prior_correction = prior_correction
        self.thresholds = tuple(thresholds)
        self.prediction_sets = prediction_sets
        offset = (0.0,) * len(self.classes) if prior_correction is None else prior_correction.offset
        log_odds = [each.log_odds if isinstance(each, Threshold) else math.inf for each in thresholds]
        self.register_buffer("temperature", torch.tensor(calibration.temperature, dtype=torch.float64))
        self.register_buffer("bias", torch.tensor(calibration.bias, dtype=torch.float64))
        self.register_buffer("prior_offset", torch.tensor(offset, dtype=torch.float64))
        scale = None if prior_correction is None else prior_correction.scale
        self.register_buffer("prior_scale", None if scale is None else torch.tensor(scale, dtype=torch.float64))
        self.register_buffer("log_odds_thresholds", torch.tensor(log_odds, dtype=torch.float64).float())
        sets = (None, None) if prediction_sets is None else (prediction_sets.log_odds, prediction_sets.offset)
        self.register_buffer("set_log_odds", None if sets[0] is None else torch.tensor(sets[0], dtype=torch.float32))
        self.register_buffer("set_offset", None if sets[1] is None else torch.tensor(sets[1], dtype=torch.float64))

    @property
    def activation(self) -> Activation:
        """Softmax or sigmoid."""
        return self.calibration.activation

    @property
    def prior(self) -> ClassPriors | None:
        """The class priors that `probabilities` hold for; None if unknown."""
        return self.calibration.prior if self.prior_correction is None else self.prior_correction.prior

    def forward(self, logits: Tensor) -> Tensor:
        """Raw logits (N, C) → adjusted logits (N, C) float64, which must not be adjusted again."""
        validate_logits(logits, len(self.classes))
        scaled = scale_logits(logits.double(), self.temperature, self.bias)
        return (scaled if self.prior_scale is None else scaled * self.prior_scale) + self.prior_offset

    @overload
    def adjusted(self, logits: Tensor) -> Tensor: ...
    @overload
    def adjusted(self, logits: Logits) -> NDArray[np.float64]: ...
    def adjusted(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """`forward`, for arrays too."""
        return match_type(self._adjust(logits), logits)

    @overload
    def probabilities(self, logits: Tensor) -> Tensor: ...
    @overload
    def probabilities(self, logits: Logits) -> NDArray[np.float64]: ...
    def probabilities(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """Probabilities (N, C) float64."""
        return match_type(functional.probabilities(self._adjust(logits), self.activation), logits)

    @overload
    def log_odds(self, logits: Tensor) -> Tensor: ...
    @overload
    def log_odds(self, logits: Logits) -> NDArray[np.float32]: ...
    def log_odds(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """The log-odds (N, C) float32 that the thresholds are compared with."""
        return match_type(functional.log_odds(self._adjust(logits), self.activation), logits)

    @overload
    def predict_labels(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict_labels(self, logits: Logits) -> NDArray[np.int64]: ...
    def predict_labels(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """The most probable class (N,), without the thresholds.

        Raises:
            ValueError: under sigmoid, where labels are independent.
        """
        if self.activation != "softmax":
            raise ValueError("under sigmoid labels are independent, there is no most probable class: use flags")
        return match_type(self._adjust(logits).argmax(1), logits)

    @overload
    def flags(self, logits: Tensor) -> Tensor: ...
    @overload
    def flags(self, logits: Logits) -> NDArray[np.bool_]: ...
    def flags(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """Whether each class reaches its threshold, (N, C) bool; a class without one is never flagged."""
        log_odds = functional.log_odds(self._adjust(logits), self.activation)
        return match_type(is_flagged(log_odds, self.log_odds_thresholds), logits)

    @overload
    def sets(self, logits: Tensor) -> Tensor: ...
    @overload
    def sets(self, logits: Logits) -> NDArray[np.bool_]: ...
    def sets(self, logits: Logits | Tensor) -> NDArray[Any] | Tensor:
        """Which classes are in the prediction set of each example, (N, C) bool; see `ClassConditionalSets`.

        Raises:
            ValueError: if there are no prediction sets.
        """
        if self.set_log_odds is None or self.set_offset is None:
            raise ValueError("no prediction sets were fitted: evaluate the run with conformal=class_conditional")
        scaled = scale_logits(self._wide(logits), self.temperature, self.bias)
        log_odds = functional.log_odds(scaled + self.set_offset, self.activation)
        return match_type(log_odds >= self.set_log_odds, logits)

    def with_thresholds(self, thresholds: Sequence[Threshold | str]) -> "PostProcessor":
        """The same with other thresholds, (C,)."""
        return PostProcessor(self.classes, self.calibration, self.prior_correction, thresholds, self.prediction_sets)

    def evaluate_on(self, logits: Logits, target: Target) -> tuple[Threshold | str, ...]:
        """The thresholds with their counts on other examples: raw logits (N, C), target (N,) or 0/1 (N, C)."""
        logits, target = as_examples(logits, target, "logits")
        scores, positive = self.log_odds(logits), one_hot(target, len(self.classes))
        return tuple(
            threshold.on(scores[:, c], positive[:, c]) if isinstance(threshold, Threshold) else threshold
            for c, threshold in enumerate(self.thresholds)
        )

    def as_json(self) -> dict[str, Any]:
        """The content of `operating_point.json`."""
        sets = self.prediction_sets
        return {
            "calibration": self.calibration.as_json(),
            "prior_correction": None if self.prior_correction is None else self.prior_correction.as_json(),
            "prior": None if self.prior is None else list(self.prior),
            "classes": [
                {"name": name, **_threshold_as_json(threshold)}
                for name, threshold in zip(self.classes, self.thresholds, strict=True)
            ],
            **({} if sets is None else {"prediction_sets": sets.as_json(self.classes)}),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "PostProcessor":
        """Read what `as_json` returned."""
        correction, sets = content["prior_correction"], content.get("prediction_sets")
        return cls(
            classes=[each["name"] for each in content["classes"]],
            calibration=Calibration.from_json(content["calibration"]),
            prior_correction=None if correction is None else PriorShift.from_json(correction),
            thresholds=[
                each["refused"] if "refused" in each else Threshold.from_json(each) for each in content["classes"]
            ],
            prediction_sets=None if sets is None else ClassConditionalSets.from_json(sets),
        )

    def get_extra_state(self) -> dict[str, Any]:
        """What the buffers do not hold (class names, activation, class priors, counts), as plain data."""
        return self.as_json()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned; the buffers are loaded by themselves."""
        stored = PostProcessor.from_json(state)
        self.classes, self.calibration = stored.classes, stored.calibration
        self.prior_correction, self.thresholds = stored.prior_correction, stored.thresholds
        self.prediction_sets = stored.prediction_sets

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *options: Any) -> None:
        """Have the buffers of a scale and of sets if the stored post-processing has them, and only then."""
        for name in ("prior_scale", "set_log_odds", "set_offset"):
            stored = state_dict.get(prefix + name)
            setattr(self, name, None if stored is None else torch.empty_like(stored, device=self.bias.device))
        super()._load_from_state_dict(state_dict, prefix, *options)

    def _adjust(self, logits: Logits | Tensor) -> Tensor:
        tensor: Tensor = self(self._wide(logits))
        return tensor

    def _wide(self, logits: Logits | Tensor) -> Tensor:
        """Raw logits (N, C) as a float64 tensor on this module's device, or on their own."""
        logits = logits if isinstance(logits, Tensor) else as_scores(logits, "logits", empty=True)
        validate_logits(logits, len(self.classes))
        wide = to_float64(logits)
        return wide if isinstance(logits, Tensor) else wide.to(self.bias.device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "PostProcessor":
        """Move between devices only: decisions must not change because a net is used in half precision."""

        def move(buffer: Tensor) -> Tensor:
            moved = fn(buffer)
            return moved if moved.dtype == buffer.dtype else buffer.to(moved.device)

        super()._apply(move, recurse)  # type: ignore[no-untyped-call]
        return self


def _threshold_as_json(threshold: Threshold | str) -> dict[str, Any]:
    return threshold.as_json() if isinstance(threshold, Threshold) else {"threshold": None, "refused": threshold}
