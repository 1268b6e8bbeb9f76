"""Everything that the report of a run shows, complete and typed: page, tables and figures only select and format.

Nothing is left out here for want of room; what a page or a figure does not show is its own decision, and it says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from imbalance_lab.evaluation.baselines import BaselineReport, compare_with_baselines
from imbalance_lab.evaluation.benefit import Benefit, compute_benefit
from imbalance_lab.evaluation.calibration_summary import ProbabilityScores, probability_scores
from imbalance_lab.evaluation.curve_bands import CurveBand, curve_bands
from imbalance_lab.evaluation.distributions import (
    ReliabilityCurve,
    ScoreHistogram,
    reliability_curves,
    score_histograms,
)
from imbalance_lab.evaluation.epoch_history import EpochHistory, read_history
from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.mistakes import Mistake
from imbalance_lab.evaluation.operating_point import OperatingPoint, compute_operating_point
from imbalance_lab.evaluation.rare_classes import RareClasses, find_rare_classes
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_title import RunTitle
from imbalance_lab.evaluation.sample_images import ClassSamples, read_samples
from imbalance_lab.evaluation.scores import ClassScores, defined
from imbalance_lab.evaluation.set_coverage import SetCoverage, score_sets
from imbalance_lab.evaluation.shot_groups import ShotGroupScores, score_shot_groups
from imbalance_lab.evaluation.slices import SliceReport
from imbalance_lab.evaluation.stages import StageReport
from imbalance_lab.evaluation.stored_baselines import StoredBaselines
from imbalance_lab.posthoc import PostProcessor, Threshold


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
        title: what the run is, by its configuration; None if that is not known.
        samples: training images as the net sees them; empty for other inputs, and for runs of earlier releases.
    """

    name: str
    metadata: Mapping[str, Any]
    epochs: EpochHistory | None = None
    mistakes: tuple[Mistake, ...] = ()
    started: str | None = None
    seconds: float | None = None
    config: str | None = None
    title: RunTitle | None = None
    samples: tuple[ClassSamples, ...] = ()

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
            name=run.path.absolute().name,
            metadata=metadata,
            epochs=read_history(run, metadata.get("epoch")),
            mistakes=tuple(mistakes),
            started=started,
            seconds=seconds,
            config=run.read_config_text(),
            title=RunTitle.read(run),
            samples=tuple(read_samples(run.samples)),
        )


@dataclass(frozen=True)
class ReportData:
    """All data of one run's report.

    Args:
        run: what is known beside the predictions.
        val, test, test_adjusted: the evaluations; the first is None without a validation split, the last without an
            adjustment of the class priors.
        thresholds_on_test: (C,) the thresholds with their counts on test.
        rare_classes: whether they are found, on test, by the decisions of the operating point.
        reliability: of the predicted class (not for multilabel) and of every class, on test.
        histograms: of every class, on test.
        operating_point: which decisions count, and what they and the thresholds do.
        prediction_sets: what they do, on test; None without.
        slices: the scores by the columns that the user named, on test; None without.
        probability_scores: before and after post-processing, on test.
        raw_reliability: as ``reliability``, of the probabilities before post-processing; empty if that changes nothing.
        benefit: of a binary task.
        shot_groups: means over the classes with many, medium and few training examples, on test.
        bands: of the curves of every reported class that has them, on test.
        baselines: the run beside the baselines that were trained on the same table, on test; None without.
        stages: of a training in two stages, both of them; None for any other.
    """

    run: RunRecord
    val: Evaluation | None
    test: Evaluation
    test_adjusted: Evaluation | None
    thresholds_on_test: tuple[Threshold | str, ...]
    rare_classes: RareClasses
    reliability: tuple[ReliabilityCurve, ...]
    histograms: tuple[ScoreHistogram, ...]
    operating_point: OperatingPoint
    prediction_sets: SetCoverage | None = None
    slices: SliceReport | None = None
    probability_scores: ProbabilityScores | None = None
    raw_reliability: tuple[ReliabilityCurve, ...] = ()
    benefit: Benefit | None = None
    shot_groups: tuple[ShotGroupScores, ...] = ()
    bands: tuple[CurveBand, ...] = ()
    baselines: BaselineReport | None = None
    stages: StageReport | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the C classes."""
        return self.test.predictions.classes

    @property
    def counts(self) -> dict[str, list[int]]:
        """Examples of each class by split."""
        counts = {"train": [each.train_count for each in self.test.classes]}
        for split, evaluation in (("val", self.val), ("test", self.test)):
            if evaluation is not None:
                counts[split] = [each.n_positive for each in evaluation.classes]
        return counts

    @property
    def rarest_ranked(self) -> list[int]:
        """The reported classes with ROC and PR curves on test, the rarest in training first."""
        order = sorted(self.test.predictions.task.reported_classes, key=lambda c: self.test.train_counts[c])
        return [c for c in order if self.test.rankings[c].is_defined]

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
    val: Evaluation | None,
    test: Evaluation,
    postprocessor: PostProcessor,
    *,
    slices: SliceReport | None = None,
    is_rule_chosen: bool = False,
    baselines: tuple[StoredBaselines, Sequence[PostProcessor]] | None = None,
    stages: StageReport | None = None,
) -> ReportData:
    """Compute the data of a run's report from its evaluations; no file is read.

    Args:
        run: what is known about the run beside its predictions.
        val, test: the evaluations of the stored predictions; ``val`` is None without a validation split.
        postprocessor: fitted on the validation predictions.
        slices: the scores of slices of test; None without.
        is_rule_chosen: whether the user chose the rule of the thresholds.
        baselines: the stored ones, and the post-processing of each; None without.
        stages: of a training in two stages.
    """
    predictions = test.predictions
    on_test = postprocessor.evaluate_on(predictions.logits, predictions.target)
    point = compute_operating_point(val, test, postprocessor, on_test, is_rule_chosen=is_rule_chosen)
    positive = predictions.task.one_hot(predictions.target)
    processed = replace(test, predictions=adjusted(predictions, postprocessor))
    curves = partial(reliability_curves, positive=positive, is_multilabel=predictions.task.is_multilabel)
    is_changed = not np.array_equal(processed.probability, test.probability)
    return ReportData(
        run=run,
        val=val,
        test=test,
        test_adjusted=None if postprocessor.prior_correction is None else processed,
        thresholds_on_test=on_test,
        rare_classes=find_rare_classes(point),
        reliability=curves(processed.probability),
        raw_reliability=curves(test.probability) if is_changed else (),
        histograms=score_histograms(postprocessor.log_odds(predictions.logits), positive, postprocessor),
        operating_point=point,
        prediction_sets=score_sets(postprocessor, predictions),
        slices=slices,
        probability_scores=probability_scores(test, processed),
        benefit=compute_benefit(test, postprocessor),
        shot_groups=score_shot_groups(test),
        bands=curve_bands(test.rankings, predictions.task.reported_classes),
        baselines=None if baselines is None else compare_with_baselines(test, processed, *baselines),
        stages=stages,
    )
