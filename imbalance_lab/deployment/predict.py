"""A model applied to an input of any size, in constant memory."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.columns import Unknown
from imbalance_lab.deployment.inputs import InputStream, Part, UnknownCounter
from imbalance_lab.deployment.predictions_file import predictions_file
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.model import Model, ModelOutput
from imbalance_lab.posthoc import Threshold
from imbalance_lab.progress import Step


@dataclass(frozen=True)
class ClassRates:
    """How often a class is predicted and flagged, and how often it was flagged on validation.

    Args:
        name: of the class.
        predicted: examples of which it is the most probable class; None for multilabel.
        flagged: examples that reach its threshold; None without one.
        n: examples.
        threshold: a probability; None without one.
        on_validation: flagged examples and all examples on validation; None if that is unknown.
    """

    name: str
    predicted: int | None
    flagged: int | None
    n: int
    threshold: float | None
    on_validation: tuple[int, int] | None

    @property
    def differs(self) -> bool:
        """Whether the 95 % Wilson intervals of both flagged shares do not overlap."""
        if self.flagged is None or self.on_validation is None:
            return False
        here, there = wilson_interval(self.flagged, self.n), wilson_interval(*self.on_validation)
        return here is not None and there is not None and (here[0] > there[1] or there[0] > here[1])


@dataclass
class PredictionSummary:
    """What was predicted, all in all.

    Args:
        n: examples.
        classes: C rates.
        unknown: of each column, how often each category occurs that the model does not know.
        scored: the predictions with the labels of the input, if they were read.
    """

    n: int
    classes: list[ClassRates]
    unknown: Unknown
    scored: Predictions | None


def predict(model: Model, source: InputStream, to: Path, progress: Step | None = None) -> PredictionSummary:
    """Write what ``model`` says about every example of ``source`` to the file ``to``, whole or not at all.

    Args:
        model: evaluated.
        source: read part by part.
        to: a ``.csv`` or ``.parquet`` file, see `PredictionsFile`.
        progress: called after each part.

    Raises:
        UsageError: for an example that cannot be read, naming the place; for a file that cannot be written.
    """
    thresholds = model.evaluated_postprocessor.thresholds
    flagged = [c for c, threshold in enumerate(thresholds) if isinstance(threshold, Threshold)]
    totals = _Totals(len(model.classes))
    with predictions_file(to, flagged) as file:
        for part in source:
            logits = model.logits_of(part.inputs)
            output = model.output(logits)
            file.write(part.keys, output)
            totals.add(part, logits, output)
            if progress is not None:
                progress(*source.position)
    return totals.summary(model, thresholds)


@dataclass
class _Totals:
    """Counts over the parts."""

    num_classes: int
    n: int = 0
    unknown: UnknownCounter = field(default_factory=UnknownCounter)
    kept: list[tuple[NDArray[np.float32], Tensor]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.predicted = np.zeros(self.num_classes, np.int64)
        self.flagged = np.zeros(self.num_classes, np.int64)

    def add(self, part: Part, logits: NDArray[np.float32], output: ModelOutput) -> None:
        self.n += len(logits)
        self.flagged += output.flags.sum(0)
        if output.labels is not None:
            self.predicted += np.bincount(output.labels, minlength=self.num_classes)
        if part.targets is not None:
            self.kept.append((logits, part.targets))
        self.unknown.add(part.unknown)

    def summary(self, model: Model, thresholds: tuple[Threshold | str, ...]) -> PredictionSummary:
        rates = [
            ClassRates(
                name,
                None if model.task.is_multilabel else int(self.predicted[c]),
                int(self.flagged[c]) if isinstance(threshold, Threshold) else None,
                self.n,
                threshold.threshold if isinstance(threshold, Threshold) else None,
                _on_validation(threshold),
            )
            for c, (name, threshold) in enumerate(zip(model.classes, thresholds, strict=True))
        ]
        return PredictionSummary(self.n, rates, self.unknown.counts, self._scored(model))

    def _scored(self, model: Model) -> Predictions | None:
        if not self.kept:
            return None
        logits = np.concatenate([logits for logits, _ in self.kept])
        target = np.concatenate([target.numpy() for _, target in self.kept])
        return Predictions(model.task, np.arange(len(logits)), target, logits)


def _on_validation(threshold: Threshold | str) -> tuple[int, int] | None:
    if isinstance(threshold, str) or not threshold.n_positive + threshold.n_negative:
        return None
    return threshold.tp + threshold.fp, threshold.n_positive + threshold.n_negative
