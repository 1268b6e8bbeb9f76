"""The baselines in words: whether the model beats them, no stronger than the paired intervals allow."""

from collections.abc import Sequence
from dataclasses import replace
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
    by_auroc, by_precision = (_defined(peers, name) for name in ("auroc", "average_precision"))
    if not by_auroc:
        return []
    text = f"By AUROC, the model {standing(by_auroc)}"
    states = {name: state(compared) for name, compared in by_auroc}
    others = [
        (name, compared) for name, compared in by_precision if states.get(name, state(compared)) != state(compared)
    ]
    return [f"{text}; by average precision, it {standing(others)}." if others else f"{text}."]


def standing(compared: Sequence[tuple[str, Compared]], *, lower: bool = False) -> str:
    """How a model stands to others, what it does not beat first: "is not distinguishable from … and beats …".

    Args:
        compared: the name of each other model, and the model's score minus that one's.
        lower: whether lower scores are better.
    """

    def of(each: tuple[str, Compared]) -> int:
        return ORDER.index(state(each[1], lower=lower))

    parts = []
    for place, group in groupby(sorted(compared, key=of), of):
        verb = {"worse": "is worse than", "equal": "is not distinguishable from", "better": "beats"}[ORDER[place]]
        parts.append(f"{verb} {' and '.join(f'{name} ({_size(each, ORDER[place])})' for name, each in group)}")
    return ", and ".join(parts)


def state(compared: Compared, *, lower: bool = False) -> State:
    """Whether the first of two models is better, by a difference that is distinguishable."""
    if not compared.is_distinguishable:
        return "equal"
    return "better" if (compared.comparison.difference < 0) == lower else "worse"


def flipped(compared: Compared) -> Compared:
    """The same comparison with the two models exchanged."""
    of, ends = compared.comparison, compared.comparison.interval
    swapped = None if ends is None else (-ends[1], -ends[0])
    return replace(compared, comparison=of._replace(difference=-of.difference, interval=swapped))


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


def _defined(baselines: Sequence[ComparedBaseline], score: str) -> list[tuple[str, Compared]]:
    """The differences by a score that can be tested, by the name of the baseline."""
    found = [(each.name, each.differences[score]) for each in baselines]
    return [(name, compared) for name, compared in found if compared.comparison.interval is not None]


def _size(compared: Compared, of_state: State) -> str:
    difference, ends, *_ = compared.comparison
    assert ends is not None
    if of_state == "equal":
        return signed_interval(compared)
    low, high = ends if difference > 0 else (-ends[1], -ends[0])
    return f"by {abs(difference):.3f} [{low:.3f}, {high:.3f}]"
