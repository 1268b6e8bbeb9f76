"""The lines of the terminal's summary that speak of the operating point."""

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.operating_point import ClassDecision, OperatingPoint
from imbalance_lab.evaluation.rare_classes import find_rare_classes
from imbalance_lab.report.decision_text import alarms, percent, quoted
from imbalance_lab.report.terminal import interval


def decision_lines(point: OperatingPoint) -> list[str]:
    """What the thresholds find and flag on test, a line each; none where thresholds do not decide.

    Their labels are as wide as those of the other lines of the summary.
    """
    if not point.is_by_thresholds:
        return []
    if point.binary is not None and point.binary.on_test is not None:
        return _binary_lines(point, point.binary, point.binary.on_test)
    rare = find_rare_classes(point)
    n_lacking = len(point.reported) - len(point.with_threshold)
    found = f"found {len(rare.found)}, missed {len(rare.missed)}, inconclusive {len(rare.inconclusive)}"
    if rare.undecided:
        found += f", without a threshold {len(rare.undecided)}"
    return [
        f"at the thresholds  {point.rule}: {len(point.with_threshold)} of {len(point.reported)} classes have one"
        + (f", {n_lacking} are never flagged" if n_lacking else ""),
        f"rare classes       {found}",
        f"flagged            {percent(point.flagged_share)} of all rows, as something",
    ]


def _binary_lines(point: OperatingPoint, decision: ClassDecision, counts: DecisionCounts) -> list[str]:
    threshold = point.thresholds[decision.class_index].threshold
    at = "–" if threshold is None else f"{threshold:.4g}"
    flag = "*" if counts.has_few_positives else ""
    each = alarms(counts.alarms_per_true_positive)
    return [
        f"decision           {quoted(decision.name)} from probability {at} on ({point.rule})",
        f"recall             {interval(counts.recall)}{flag}  {counts.tp:,} of {counts.n_positive:,} found",
        f"precision          {interval(counts.precision)}{flag}  {each} alarms for each one found",
        f"flagged            {percent(counts.flagged_share)} of all rows, {counts.flagged:,} of {counts.n:,}",
    ]
