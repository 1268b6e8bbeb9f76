"""The decisions that a report speaks of: by which thresholds or probabilities, what they find, what they flag.

This is the one place that says which decisions these are:

- of a binary task, the threshold of the positive class;
- of another task, the thresholds of the rule that the user chose;
- else the most probable class, or for labels probability ½; also for a binary task whose positive has no threshold.

Thresholds are chosen on validation and counted on test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from imbalance_lab.class_counts import SHOT_LIMITS, ShotLimits
from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.missing_thresholds import MissingThresholds, group_reasons
from imbalance_lab.posthoc import PostProcessor, Threshold

Basis = Literal["thresholds", "most probable class", "probability ½"]


@dataclass(frozen=True)
class ClassDecision:
    """What the decisions of the report do for one class; of a class without a threshold, nothing (None).

    Without a validation split, ``on_val`` is None too.

    Args:
        class_index, name, train_count: the class, and its training examples.
        on_val, on_test: the counts.
    """

    class_index: int
    name: str
    train_count: int
    on_val: DecisionCounts | None
    on_test: DecisionCounts | None


@dataclass(frozen=True)
class ThresholdResult:
    """The threshold of one class, and what it does.

    Args:
        class_index, name, train_count: the class, and its training examples.
        threshold: a probability; None without one.
        on_val, on_test: the counts; None without one.
        reason: why there is none; empty with one.
    """

    class_index: int
    name: str
    train_count: int
    threshold: float | None
    on_val: DecisionCounts | None
    on_test: DecisionCounts | None
    reason: str = ""


@dataclass(frozen=True)
class OperatingPoint:
    """How probabilities are adjusted and thresholds chosen, which decisions count, and what they do.

    Args:
        basis: what decides.
        rule: the rule that chose the thresholds; None if no reported class has one.
        temperature: of the calibration; None without one.
        prior: (C,) class priors that the probabilities are adjusted to; None without an adjustment.
        positive: index of the positive class of a binary task; None for the other kinds.
        reported: the classes of `Task.reported_classes`.
        thresholds: (C,) results.
        decisions: what the decisions do for each reported class.
        n_flagged: test examples that the thresholds flag as any of the reported classes.
        n_test: test examples.
        limits: of the groups of classes with many, medium and few training examples.
    """

    basis: Basis
    rule: str | None
    temperature: float | None
    prior: tuple[float, ...] | None
    positive: int | None
    reported: tuple[int, ...]
    thresholds: tuple[ThresholdResult, ...]
    decisions: tuple[ClassDecision, ...]
    n_flagged: int
    n_test: int
    limits: ShotLimits = SHOT_LIMITS

    @property
    def is_by_thresholds(self) -> bool:
        """Whether thresholds decide."""
        return self.basis == "thresholds"

    @property
    def flagged_share(self) -> float | None:
        """Test examples that the thresholds flag as anything, among all; None without a test example."""
        return self.n_flagged / self.n_test if self.n_test else None

    @cached_property
    def with_threshold(self) -> tuple[ThresholdResult, ...]:
        """Of the reported classes those with a threshold, the rarest in training first."""
        having = [each for each in self._reported if each.threshold is not None]
        return tuple(sorted(having, key=lambda each: each.train_count))

    @cached_property
    def missing(self) -> tuple[MissingThresholds, ...]:
        """Of the reported classes those without one, by reason."""
        return group_reasons((each.class_index, each.reason) for each in self._reported if each.threshold is None)

    @property
    def binary(self) -> ClassDecision | None:
        """The decision on the positive class of a binary task; None for the other kinds."""
        return None if self.positive is None else self.decisions[0]

    @property
    def _reported(self) -> list[ThresholdResult]:
        return [self.thresholds[c] for c in self.reported]

    def as_json(self) -> dict[str, Any]:
        """Which decisions the report speaks of, plain values for `metrics.json`."""
        return {"by": self.basis, "rule": self.rule if self.is_by_thresholds else None}


def compute_operating_point(
    val: Evaluation | None,
    test: Evaluation,
    postprocessor: PostProcessor,
    on_test: Sequence[Threshold | str],
    *,
    is_rule_chosen: bool,
) -> OperatingPoint:
    """Compute what the thresholds and the decisions of the report do.

    Args:
        val, test: the evaluations of the stored predictions; ``val`` is None without a validation split.
        postprocessor: fitted on the validation predictions.
        on_test: (C,) its thresholds with their counts on test.
        is_rule_chosen: whether the user chose the rule of the thresholds; else it is only the default.
    """
    task, reported = test.predictions.task, test.predictions.task.reported_classes
    thresholds = tuple(
        _result(c, test, *pair) for c, pair in enumerate(zip(postprocessor.thresholds, on_test, strict=True))
    )
    rules = [each.rule for c in reported if isinstance(each := postprocessor.thresholds[c], Threshold)]
    basis: Basis = "probability ½" if task.is_multilabel else "most probable class"
    if rules and (task.kind == "binary" or is_rule_chosen):
        basis = "thresholds"
    is_adjusted = postprocessor.prior_correction is not None and postprocessor.prior is not None
    return OperatingPoint(
        basis=basis,
        rule=rules[0] if rules else None,
        temperature=postprocessor.calibration.as_json().get("temperature"),
        prior=tuple(map(float, postprocessor.prior or ())) if is_adjusted else None,
        positive=task.positive,
        reported=reported,
        thresholds=thresholds,
        decisions=tuple(_decision(thresholds[c], basis, val, test) for c in reported),
        n_flagged=int(postprocessor.flags(test.predictions.logits)[:, list(reported)].any(1).sum()),
        n_test=len(test.predictions.target),
        limits=test.limits,
    )


def _result(c: int, test: Evaluation, chosen: Threshold | str, tested: Threshold | str) -> ThresholdResult:
    name, count = test.predictions.classes[c], test.train_counts[c]
    if isinstance(chosen, str) or isinstance(tested, str):
        return ThresholdResult(c, name, count, None, None, None, str(chosen))
    return ThresholdResult(c, name, count, tested.threshold, DecisionCounts.at(chosen), DecisionCounts.at(tested))


def _decision(result: ThresholdResult, basis: Basis, val: Evaluation | None, test: Evaluation) -> ClassDecision:
    on_val, on_test = result.on_val, result.on_test
    if basis != "thresholds":
        on_test = _predicted(result.class_index, test)
        on_val = None if val is None else _predicted(result.class_index, val)
    return ClassDecision(result.class_index, result.name, result.train_count, on_val, on_test)


def _predicted(c: int, split: Evaluation) -> DecisionCounts:
    """The counts of the predicted labels."""
    made = split.decisions
    tp, predicted, positives = (int(each[c]) for each in (made.true_positives, made.predicted, made.targets))
    return DecisionCounts(tp, predicted - tp, positives, len(split.predictions.target) - positives)
