"""The cards at the top of `report.html`, the decision of a binary task, and the thresholds of other tasks."""

from typing import Any

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.operating_point import ClassDecision, OperatingPoint, ThresholdResult
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.report.decision_text import alarms, missing_threshold_lines, percent, quoted

Card = dict[str, Any]


def headline(data: ReportData) -> list[Card]:
    """The cards, all on test: what the decisions of the report do, then what the ranking can do."""
    binary = data.operating_point.binary
    if binary is None:
        return [*_point_cards(data), *_macro_cards(data)]
    counts = binary.on_test
    return [*([] if counts is None else _binary_cards(counts)), *_class_cards(data, binary, counts)]


def decision(point: OperatingPoint) -> dict[str, Any] | None:
    """The decision of a binary task in counts and rates, on test and validation; None for other tasks."""
    binary = point.binary
    if binary is None or binary.on_test is None:
        return None
    splits = {"test": binary.on_test.as_json()}
    if binary.on_val is not None:
        splits["validation"] = binary.on_val.as_json()
    threshold = point.thresholds[binary.class_index].threshold
    return {
        "name": binary.name,
        "threshold": threshold,
        "note": " ".join(_decision_sentences(point, binary, threshold)),
        "splits": splits,
    }


def thresholds(point: OperatingPoint) -> dict[str, Any] | None:
    """The thresholds of all classes that have one, the rarest first; None for a binary task, which has one."""
    if point.binary is not None:
        return None
    note = f"Thresholds by {point.rule}, chosen on validation." if point.rule else "No threshold could be chosen."
    return {
        "note": " ".join([note, *_adjustments(point), "Counts are on test; the rarest classes come first."]),
        "missing": missing_threshold_lines(point),
        "rows": [_row(each) for each in point.with_threshold],
    }


def _row(result: ThresholdResult) -> dict[str, Any]:
    counts = {} if result.on_test is None else result.on_test.as_json()
    few = result.on_test is not None and result.on_test.has_few_positives
    return {"class": result.class_index, "threshold": result.threshold, "few_positives": few, **counts}


def _decision_sentences(point: OperatingPoint, binary: ClassDecision, threshold: float | None) -> list[str]:
    name = quoted(binary.name)
    if threshold is None:
        return [*missing_threshold_lines(point), f"{name} is predicted where it is the more probable class."]
    rule = f"{name} is flagged from probability {threshold:.4g} on: {point.rule}, chosen on validation."
    return [rule, *_adjustments(point)]


def _adjustments(point: OperatingPoint) -> list[str]:
    """What the probabilities have been adjusted to."""
    sentences = [] if point.temperature is None else [f"Calibration: temperature {point.temperature:.3g}."]
    if point.prior is not None and len(point.prior) <= 10:
        shares = ", ".join(f"{share:.3g}" for share in point.prior)
        sentences.append(f"Probabilities are for the class priors {shares}.")
    elif point.prior is not None:
        sentences.append(f"Probabilities are for other class priors, {min(point.prior):.3g} to {max(point.prior):.3g}.")
    return sentences


def _binary_cards(counts: DecisionCounts) -> list[Card]:
    return [
        _scored("recall", counts.recall, f"{counts.tp:,} of {counts.n_positive:,} found"),
        _scored("precision", counts.precision, f"prevalence {percent(counts.prevalence)}"),
        _card("alarms per found", alarms(counts.alarms_per_true_positive), f"{counts.fp:,} false alarms"),
        _card("flagged per 1,000", _per_1000(counts.flagged_share), f"{counts.flagged:,} of {counts.n:,}"),
    ]


def _class_cards(data: ReportData, binary: ClassDecision, counts: DecisionCounts | None) -> list[Card]:
    scores = data.test.classes[binary.class_index]
    lift = data.lift(scores)
    cards = [
        _scored("AUROC", scores.auroc),
        _scored("average precision", scores.average_precision, "" if lift is None else f"{lift:.1f} × prevalence"),
    ]
    if counts is not None:
        cards.append(_scored("balanced accuracy", counts.balanced_accuracy))
    return cards


def _point_cards(data: ReportData) -> list[Card]:
    """What the chosen thresholds of several classes do; none where they do not decide."""
    point, rare = data.operating_point, data.rare_classes
    if not point.is_by_thresholds:
        return []
    lacking = len(point.reported) - len(point.with_threshold)
    which = "the rarest third" if rare.criterion == "rarest classes" else rare.criterion.removeprefix("classes ")
    return [
        _card("rare classes found", f"{len(rare.found)} of {rare.n}", which),
        _card(
            "with a threshold",
            f"{len(point.with_threshold)} of {len(point.reported)}",
            f"{lacking} are never flagged" if lacking else "",
        ),
        _card("flagged per 1,000", _per_1000(point.flagged_share), "as any class"),
    ]


def _macro_cards(data: ReportData) -> list[Card]:
    test, task = data.test, data.test.predictions.task
    decided = "at probability ½" if task.is_multilabel else "by the most probable class"
    by = decided if data.operating_point.is_by_thresholds else ""
    over = f"over {test.n_defined} of {len(test.classes)} classes" if test.n_defined < len(test.classes) else ""
    accuracy = "subset accuracy (every label correct)" if task.is_multilabel else "accuracy"
    cards = [
        _scored("macro AUROC", test.macro_auroc, over),
        _scored("macro average precision", test.macro_average_precision),
        _scored("balanced accuracy", test.balanced_accuracy, by),
        _scored(accuracy, test.accuracy, by),
    ]
    if data.test_adjusted is not None:
        adjusted = data.test_adjusted.balanced_accuracy
        cards.append(_scored("balanced accuracy at the requested class priors", adjusted))
    return cards


def _scored(name: str, score: Score, note: str = "") -> Card:
    value = defined(score.value)
    ends = None if score.interval is None else list(score.interval)
    return {"name": name, "value": "–" if value is None else f"{value:.3f}", "ci95": ends, "note": note}


def _card(name: str, value: str, note: str) -> Card:
    return {"name": name, "value": value, "ci95": None, "note": note}


def _per_1000(share: float | None) -> str:
    value = None if share is None else defined(1000 * share)
    return "–" if value is None else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
