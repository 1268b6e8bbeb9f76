"""The baselines in words: whether the model beats them, no stronger than the paired intervals allow."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from imbalance_lab.evaluation.baselines import BaselineReport, ComparedBaseline
from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.text import visible

PEERS = ("logistic_regression", "gradient_boosting")
"""The baselines that a sentence speaks of: to be better than the class shares is no news."""

State = Literal["worse", "equal", "better"]
ORDER: tuple[State, ...] = ("worse", "equal", "better")


def baseline_sentences(report: BaselineReport | None) -> list[str]:
    """One sentence: which baselines the model beats, which not, by AUROC; and by average precision where that differs.

    Empty without baselines, and where their comparison is undefined.
    """
    if report is None:
        return []
    peers = [each for each in report.baselines if each.key in PEERS]
    peers = [each for each in peers if each.differences["auroc"].comparison.interval is not None]
    if not peers:
        return []
    text = f"By AUROC, the model {_clauses(peers, 'auroc')}"
    others = [each for each in peers if _state(each, "average_precision") != _state(each, "auroc")]
    others = [each for each in others if each.differences["average_precision"].comparison.interval is not None]
    if others:
        text += f"; by average precision, it {_clauses(others, 'average_precision')}"
    return [f"{text}."]


def left_out_lines(report: BaselineReport | None) -> list[str]:
    """Which baselines could not be trained, and why; a line each."""
    if report is None:
        return []
    return [visible(f"no {name}: {reason.removesuffix('.')}") for name, reason in report.left_out.items()]


def signed(value: float) -> str:
    """A number with its sign, three digits."""
    return f"{value:+.3f}".replace("-", "−")


def signed_interval(compared: Compared) -> str:
    """A difference with its interval, signed."""
    difference, ends, *_ = compared.comparison
    return "–" if ends is None else f"{signed(difference)} [{signed(ends[0])}, {signed(ends[1])}]"


def _clauses(baselines: Sequence[ComparedBaseline], score: str) -> str:
    """What is not beaten first: "is not distinguishable from … and beats …"."""
    ordered = sorted(baselines, key=lambda each: ORDER.index(_state(each, score)))
    parts = []
    for state, group in groupby(ordered, lambda each: _state(each, score)):
        verb = {"worse": "is worse than", "equal": "is not distinguishable from", "better": "beats"}[state]
        whom = [f"{each.name} ({_size(each.differences[score], state)})" for each in group]
        parts.append(f"{verb} {' and '.join(whom)}")
    return ", and ".join(parts)


def _state(baseline: ComparedBaseline, score: str) -> State:
    compared = baseline.differences[score]
    if not compared.is_distinguishable:
        return "equal"
    return "better" if compared.comparison.difference > 0 else "worse"


def _size(compared: Compared, state: State) -> str:
    difference, ends, *_ = compared.comparison
    assert ends is not None
    if state == "equal":
        return signed_interval(compared)
    low, high = ends if difference > 0 else (-ends[1], -ends[0])
    return f"by {abs(difference):.3f} [{low:.3f}, {high:.3f}]"
