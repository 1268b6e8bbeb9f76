"""What a person can rely on, in at most four sentences that claim no more than the intervals do."""

from collections.abc import Sequence

from imbalance_lab.evaluation.baselines import BaselineReport
from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.operating_point import ClassDecision, OperatingPoint
from imbalance_lab.evaluation.rare_classes import RareClasses
from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.report.baseline_texts import baseline_sentences
from imbalance_lab.report.decision_text import (
    MAX_NAMED,
    alarms,
    count_found,
    listed,
    missing_threshold_lines,
    percent,
    quoted,
)
from imbalance_lab.report.terminal import interval

HARDLY, COMMON = 2.0, 0.25
"""A precision of less than so many times the prevalence is called low, unless positives are common."""

CONFIDENCE = "(recall above or below ½ with 95 % confidence)"


def selection_sentence(data: ReportData) -> str:
    """That nothing was selected, for a run without a validation split; empty for any other."""
    if data.val is not None:
        return ""
    return "Model of the last epoch: without a validation split nothing was selected, calibrated or thresholded."


def verdict(
    test: Evaluation, rare: RareClasses, point: OperatingPoint, baselines: BaselineReport | None = None
) -> list[str]:
    """At most three sentences on test: what the decisions of the report find, how badly at worst, and the ranking.

    With baselines a fourth: whether the model is better than they are.

    A class is found if its recall is above ½ with 95 % confidence, missed if below. In a multilabel task, and where
    thresholds decide, a class that is flagged in every example would count as found: so they say what is flagged too.
    """
    if point.binary is not None:
        return [*_binary(test, point.binary, point), *baseline_sentences(baselines)]
    named = rare.worst or rare.lowest_recall
    worst = [_worst(named, is_missed=bool(rare.worst))] if named and rare.n > 1 else []
    return [_findings(rare, point), *worst, _ranking(test, rare, point), *baseline_sentences(baselines)]


def _binary(test: Evaluation, decision: ClassDecision, point: OperatingPoint) -> list[str]:
    """What is found and flagged, whether that is of use, and what the ranking can do."""
    counts, name = decision.on_test, decision.name
    scores = test.classes[decision.class_index]
    ranking = f"The ranking's AUROC is {interval(scores.auroc)}"
    ends = scores.auroc.interval
    if ends is not None and ends[0] <= 0.5:
        ranking += ", not shown to be better than chance (0.5)"
    if counts is None or not counts.n_positive:
        return [f"Whether {quoted(name)} is found is unknown: there is no test example of it.", f"{ranking}."]
    first = _flagging(name, counts)
    if not point.is_by_thresholds:
        reason = missing_threshold_lines(point)[0].removesuffix(".")
        first = f"{reason}; by the more probable class, the model {first[0].lower()}{first[1:]}"
    return [first, _use(counts), f"{ranking}."]


def _flagging(name: str, counts: DecisionCounts) -> str:
    flagged = f"{percent(counts.flagged_share)} of all rows are flagged"
    if not counts.tp:
        flagged = flagged if counts.flagged else "nothing is flagged"
        return f"Finds none of {counts.n_positive:,} {quoted(name)} (recall {interval(counts.recall)}); {flagged}."
    each = alarms(counts.alarms_per_true_positive)
    return f"Finds {count_found(name, counts)} with {each} alarms for each one found; {flagged}."


def _use(counts: DecisionCounts) -> str:
    """Whether acting on the flags is better than chance, and how sure that is."""
    if not counts.flagged:
        return "Decisions that flag nothing are of no use."
    ends = counts.recall.interval
    unsure = ends is not None and ends[0] <= 0.5 <= ends[1]
    doubt = "whether more than half are found is inconclusive" if unsure else ""
    if counts.has_few_positives:
        doubt = f"with {counts.n_positive} positives in test, " + (doubt or "these numbers are uncertain")
    text, share = f"Precision is {interval(counts.precision)}", percent(counts.prevalence)
    if not counts.is_above_chance:
        text += f", not shown to be better than flagging at random ({share})"
    elif counts.prevalence >= COMMON:
        text += f" at a prevalence of {share}"
    elif counts.enrichment < HARDLY:
        text += f", only {counts.enrichment:.1f} times the prevalence of {share}: hardly better than flagging at random"
    else:
        text += f", {counts.enrichment:.1f} times the prevalence of {share}"
    return f"{text}; {doubt}." if doubt else f"{text}."


def _findings(rare: RareClasses, point: OperatingPoint) -> str:
    """Which of the rare classes are found; of a single one with its recall."""
    by = f"at the thresholds for {point.rule}, " if point.is_by_thresholds else ""
    n, found = rare.n, len(rare.found)
    whom = rare.criterion if n != 1 else rare.criterion.replace("classes", "class", 1)
    if rare.undecided and len(rare.undecided) == n:
        has = f"none of the {n} {whom} has" if n > 1 else f"{_only(rare.undecided)} does not have"
        have = f"{len(point.with_threshold)} of all {len(point.reported)} classes have"
        text = f"{by}{has} a threshold, and so nothing is flagged as such; {have} one."
    elif not rare.tested:
        text = f"whether the {whom} {_is(n)} found is unknown: there is no test example."
    elif n == 1:
        text = f"{by}{_single(rare)}"
    elif found == n:
        text = f"{by}{'both' if n == 2 else f'all {n}'} {whom} are found (recall above ½ with 95 % confidence)."
    else:
        counts = [(rare.missed, "missed"), (rare.inconclusive, "inconclusive")]
        counts += [(rare.undecided, "without a threshold"), (rare.untested, "without a test example")]
        rest = "".join(f", {len(some)} {what}" for some, what in counts if some)
        text = f"{by}{found or 'none'} of {n} {whom} {_is(found or 1)} found{rest} {CONFIDENCE}."
    return f"{text[0].upper()}{text[1:]}"


def _single(rare: RareClasses) -> str:
    """On a single rare class."""
    kind = "rarest class" if rare.criterion == "rarest classes" else f"only one of the {rare.criterion}"
    whom = f"the {kind}, {_with_recall(rare.tested[0])},"
    if rare.inconclusive:
        return f"whether {whom} is found is inconclusive: recall may be above or below ½."
    state, side = ("found", "above") if rare.found else ("missed", "below")
    return f"{whom} is {state}: recall is {side} ½ with 95 % confidence."


def _only(classes: Sequence[ClassDecision]) -> str:
    return f"the rarest class, {quoted(classes[0].name)},"


def _worst(worst: Sequence[ClassDecision], *, is_missed: bool) -> str:
    """The three with the lowest recall, or of found ones the lowest; of equal ones, one recall for all."""
    shown = worst[:MAX_NAMED] if is_missed else worst[:1]
    if len(shown) == 1:
        return f"The {'worst is' if is_missed else 'lowest recall is that of'} {_with_recall(shown[0])}."
    recalls = {each.on_test.recall for each in shown if each.on_test}
    if len(recalls) == 1:
        return f"The worst are {_and([quoted(each.name) for each in shown])} (recall {interval(recalls.pop())} each)."
    return f"The worst are {_and([_with_recall(each) for each in shown])}."


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _with_recall(decision: ClassDecision) -> str:
    counts = decision.on_test
    return quoted(decision.name) + ("" if counts is None else f" (recall {interval(counts.recall)})")


def _ranking(test: Evaluation, rare: RareClasses, point: OperatingPoint) -> str:
    """The last sentence: what else was noticed, and the macro AUROC."""
    parts = []
    if point.is_by_thresholds:
        parts.append(f"{percent(point.flagged_share)} of all rows are flagged as something")
    if (test.predictions.task.is_multilabel or point.is_by_thresholds) and rare.lowest_precision is not None:
        lowest = rare.lowest_precision
        precision = "" if lowest.on_test is None else interval(lowest.on_test.precision)
        parts.append(f"the lowest precision is that of {quoted(lowest.name)}, {precision}")
    if rare.missed_common:
        names = [each.name for each in rare.missed_common]
        whom = listed(names) if len(names) <= MAX_NAMED else f"{len(names)} classes"
        parts.append(f"{whom} {_is(len(names))} not rare, but missed")
    parts.append(f"macro AUROC is {interval(test.macro_auroc)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _is(n: int) -> str:
    return "is" if n == 1 else "are"
