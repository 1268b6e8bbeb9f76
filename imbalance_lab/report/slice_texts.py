"""The slices in sentences: which are worse than the rest, and what could not have been found."""

from imbalance_lab.evaluation.slices import SliceReport, SliceResult
from imbalance_lab.report.terminal import interval, number
from imbalance_lab.text import shorten_middle

MAX_NAMED, MAX_NAME = 3, 40


def slice_verdict(report: SliceReport) -> list[str]:
    """At most four sentences: the slices that are worse and better than the rest, or that none is, and what is open."""
    worse, better = report.found("worse"), report.found("better")
    sentences = [f"Worse than the rest: {_named(report, worse)}."] if worse else []
    if better:
        sentences.append(f"Better than the rest: {_named(report, better)}.")
    if not worse and not better and report.n_tests:
        sentences.append("No slice differs from the rest in recall.")
    if not worse and (middle := report.median_detectable()) is not None:
        sentences.append(_would_be_found(middle))
    too_few, n = len(report.found("too few positives")), sum(len(each.results) for each in report.classes)
    if too_few:
        which = "No slice has enough" if too_few == n else f"{too_few} of {n} slices have too few"
        sentences.append(f"{which} positives to say anything.")
    return sentences


def slice_note(report: SliceReport) -> str:
    """How the numbers are made."""
    at = "the threshold" if all(each.at_threshold for each in report.classes) else "the threshold, if there is one,"
    tests = "test" if report.n_tests == 1 else "tests"
    return (
        f"Positives of test that are found at {at} of the class. The intervals of a class are exact and simultaneous: "
        "all true recalls lie in them with at least 95 % confidence. Line: the recall of all examples; diamond: the "
        "slice's, drawn towards it as far as differences may be chance. Marked is what Fisher's exact test against all "
        f"other examples finds, with Holm's p for {report.n_tests:,} {tests}. Numbers with many values are cut at the "
        "quartiles of the test examples."
    )


def slice_lines(report: SliceReport | None) -> list[str]:
    """For the terminal: a line for each slice that is worse than the rest, at most three; none without slices."""
    worse = [] if report is None else report.found("worse")
    if report is None or not worse:
        return []
    lines = [f"worse than the rest: {_described(report, each)}" for each in worse[:MAX_NAMED]]
    return [*lines, *_more(len(worse))]


def slice_value_name(result: SliceResult) -> str:
    """The value as a reader sees it; a missing and an empty one are told apart."""
    return "(missing)" if result.kind == "missing" else result.value or "(empty)"


def _named(report: SliceReport, results: list[SliceResult]) -> str:
    return "; ".join([*(_described(report, each) for each in results[:MAX_NAMED]), *_more(len(results))])


def _more(n: int) -> list[str]:
    return [f"and {n - MAX_NAMED} more"] if n > MAX_NAMED else []


def _described(report: SliceReport, result: SliceResult) -> str:
    """``hospital = B (recall 0.52 [0.38, 0.66] against 0.85 elsewhere, p = 0.001 after Holm)``."""
    column, value = (shorten_middle(each, MAX_NAME) for each in (result.column, slice_value_name(result)))
    of = f"{shorten_middle(_class_name(report, result), MAX_NAME)}, " if len(report.classes) > 1 else ""
    p = result.adjusted_p or 0.0
    evidence = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    recall = f"recall {interval(result.recall)} against {number(result.rest_recall)} elsewhere"
    return f"{of}{column} = {value} ({recall}, {evidence} after Holm)"


def _class_name(report: SliceReport, result: SliceResult) -> str:
    return report.class_names[result.class_index] or "(no name)"


def _would_be_found(middle: SliceResult) -> str:
    if middle.detectable_recall is None:
        return "In half of the slices not even a recall of 0 would have been found with 80 % probability."
    return (
        f"In half of the slices a recall of {middle.detectable_recall:.2f}, against {middle.rest_recall:.2f} "
        "elsewhere, would have been found with 80 % probability."
    )
