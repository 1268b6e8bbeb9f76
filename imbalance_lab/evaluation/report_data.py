"""Everything that the report of a run shows, complete and typed: page, tables and figures only select and format.

Nothing is left out here for want of room; what a page or a figure does not show is its own decision, and it says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from imbalance_lab.evaluation.curve_bands import CurveBand, curve_bands
from imbalance_lab.evaluation.distributions import (
    ReliabilityCurve,
    ScoreHistogram,
    reliability_curves,
    score_histograms,
)
from imbalance_lab.evaluation.epoch_history import EpochHistory, read_history
from imbalance_lab.evaluation.evaluation import ClassScores, Evaluation, defined
from imbalance_lab.evaluation.mistakes import Mistake
from imbalance_lab.evaluation.rare_classes import RareClasses, find_rare_classes
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.set_coverage import SetCoverage
from imbalance_lab.posthoc import PostProcessor, Threshold


@dataclass(frozen=True)
class ThresholdResult:
    """What one class's threshold does on test; ``on_test`` is the reason where it has no threshold."""

    class_index: int
    on_test: Threshold | str

    @property
    def missed(self) -> int | None:
        """Positives that are not flagged; None without a threshold."""
        return None if isinstance(self.on_test, str) else self.on_test.n_positive - self.on_test.tp

    @property
    def alarms_per_true_positive(self) -> float | None:
        """How many examples are flagged for each true positive; None without one."""
        if isinstance(self.on_test, str) or not self.on_test.tp:
            return None
        return (self.on_test.tp + self.on_test.fp) / self.on_test.tp


@dataclass(frozen=True)
class OperatingPoint:
    """How probabilities are adjusted and thresholds chosen, and what each class's threshold does on test.

    Args:
        rule: the rule that chose the thresholds; None if no class has one.
        temperature: of the calibration; None without one.
        prior: (C,) class priors that the probabilities are adjusted to; None without an adjustment.
        thresholds: (C,) results.
    """

    rule: str | None
    temperature: float | None
    prior: tuple[float, ...] | None
    thresholds: tuple[ThresholdResult, ...]

    @classmethod
    def from_postprocessor(cls, postprocessor: PostProcessor, on_test: Sequence[Threshold | str]) -> "OperatingPoint":
        """From the fitted post-processing, and its thresholds with their counts on test."""
        rule = next((each.rule for each in postprocessor.thresholds if isinstance(each, Threshold)), None)
        is_adjusted = postprocessor.prior_correction is not None and postprocessor.prior is not None
        return cls(
            rule=rule,
            temperature=postprocessor.calibration.as_json().get("temperature"),
            prior=tuple(map(float, postprocessor.prior or ())) if is_adjusted else None,
            thresholds=tuple(ThresholdResult(c, threshold) for c, threshold in enumerate(on_test)),
        )


@dataclass(frozen=True)
class RunRecord:
    """What is known about a run beside its predictions.

    Args:
        name: of its directory.
        metadata: see `RunDirectory.metadata`; ``command``, ``seed``, ``checkpoint`` and ``versions`` are shown.
        epochs: the scores of the epochs.
        mistakes: the worst ones on the rarest classes.
        started: when training began, ISO 8601.
        seconds: how long it took, or has taken until now.
        config: its configuration as YAML.
    """

    name: str
    metadata: Mapping[str, Any]
    epochs: EpochHistory | None = None
    mistakes: tuple[Mistake, ...] = ()
    started: str | None = None
    seconds: float | None = None
    config: str | None = None

    @classmethod
    def read(cls, run: RunDirectory, metadata: Mapping[str, Any], mistakes: Sequence[Mistake]) -> "RunRecord":
        """Add what else training left in the directory; absent files are left out of the report.

        Raises:
            UsageError: for a damaged file.
        """
        status = run.read_status()
        started = status.get("started")
        seconds = status.get("seconds")
        if started and not seconds:
            seconds = (datetime.now().astimezone() - datetime.fromisoformat(started)).total_seconds()
        return cls(
            name=run.path.name,
            metadata=metadata,
            epochs=read_history(run, metadata.get("epoch")),
            mistakes=tuple(mistakes),
            started=started,
            seconds=seconds,
            config=run.read_config_text(),
        )


@dataclass(frozen=True)
class ReportData:
    """All data of one run's report.

    Args:
        run: what is known beside the predictions.
        val, test, test_adjusted: the evaluations; the last is None without an adjustment of the class priors.
        rare_classes: whether they are found, on test.
        reliability: of the predicted class (not for multilabel) and of every class, on test.
        histograms: of every class, on test.
        operating_point: what the thresholds do.
        prediction_sets: what they do, on test; None without.
        bands: of the curves of every reported class that has them, on test.
    """

    run: RunRecord
    val: Evaluation
    test: Evaluation
    test_adjusted: Evaluation | None
    rare_classes: RareClasses
    reliability: tuple[ReliabilityCurve, ...]
    histograms: tuple[ScoreHistogram, ...]
    operating_point: OperatingPoint
    prediction_sets: SetCoverage | None = None
    bands: tuple[CurveBand, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the C classes."""
        return self.test.predictions.classes

    @property
    def counts(self) -> dict[str, list[int]]:
        """Examples of each class by split."""
        train = [each.train_count for each in self.test.classes]
        val, test = ([each.n_positive for each in split.classes] for split in (self.val, self.test))
        return {"train": train, "val": val, "test": test}

    @property
    def rarest_ranked(self) -> list[int]:
        """The reported classes with ROC and PR curves on test, the rarest in training first."""
        reported = self.test.predictions.task.reported_classes
        order = np.argsort(self.test.train_counts, kind="stable").tolist()
        return [c for c in order if c in reported and self.test.rankings[c].is_defined]

    def lift(self, scores: ClassScores) -> float | None:
        """Average precision over the class's prevalence on test; None where undefined."""
        value = defined(scores.average_precision.value)
        return None if value is None or not scores.n_positive else value * self.n_test / scores.n_positive

    @property
    def n_test(self) -> int:
        """Test examples."""
        return len(self.test.predictions.target)


def compute_report_data(
    run: RunRecord,
    val: Evaluation,
    test: Evaluation,
    test_adjusted: Evaluation | None,
    postprocessor: PostProcessor,
    on_test: Sequence[Threshold | str],
    prediction_sets: SetCoverage | None = None,
) -> ReportData:
    """Compute the data of a run's report from its evaluations; no file is read.

    Args:
        run: what is known beside the predictions.
        val, test, test_adjusted: the evaluations of the stored predictions.
        postprocessor: the operating point.
        on_test: (C,) its thresholds with their counts on test.
        prediction_sets: what they do on test; None without.
    """
    predictions = test.predictions
    positive = predictions.task.one_hot(predictions.target)
    probabilities = postprocessor.probabilities(predictions.logits)
    return ReportData(
        run=run,
        val=val,
        test=test,
        test_adjusted=test_adjusted,
        rare_classes=find_rare_classes(test),
        reliability=reliability_curves(probabilities, positive, is_multilabel=predictions.task.is_multilabel),
        histograms=score_histograms(postprocessor.log_odds(predictions.logits), positive, postprocessor),
        operating_point=OperatingPoint.from_postprocessor(postprocessor, on_test),
        prediction_sets=prediction_sets,
        bands=curve_bands(test.rankings, predictions.task.reported_classes),
    )
