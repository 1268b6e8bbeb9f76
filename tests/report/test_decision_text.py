"""Sentences on decisions, and the lines of the terminal's summary."""

import math
from dataclasses import replace

import pytest

from imbalance_lab.evaluation.decision_counts import DecisionCounts
from imbalance_lab.evaluation.operating_point import ClassDecision, OperatingPoint, ThresholdResult
from imbalance_lab.report.decision_lines import decision_lines
from imbalance_lab.report.decision_text import alarms, listed, missing_threshold_lines, percent, quoted

COUNTS = DecisionCounts(tp=70, fp=5420, n_positive=73, n_negative=8927)
FEW = "max F1 needs 20 positives on validation, the class has {}"


def point(reasons: list[str], *, is_binary: bool = False) -> OperatingPoint:
    """Classes c0, c1, … with the threshold 0.0321 where the reason is empty."""
    results = tuple(
        ThresholdResult(c, f"c{c}", 10 + c, *((None, None, None) if text else (0.0321, COUNTS, COUNTS)), reason=text)
        for c, text in enumerate(reasons)
    )
    reported = (1,) if is_binary else tuple(range(len(reasons)))
    return OperatingPoint(
        basis="thresholds",
        rule="max F1",
        temperature=None,
        prior=None,
        positive=1 if is_binary else None,
        reported=reported,
        thresholds=results,
        decisions=tuple(ClassDecision(c, f"c{c}", 10 + c, results[c].on_val, results[c].on_test) for c in reported),
        n_flagged=5490,
        n_test=9000,
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((None, "–"), (math.nan, "–"), (0, "0 %"), (1, "100 %"), (0.61, "61 %"), (0.0477, "4.8 %"), (0.0999, "10 %")),
        *((0.0004, "less than 0.1 %"), (0.9999, "more than 99 %"), (0.994, "99 %"), (0.0949, "9.5 %")),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_alarms_and_names() -> None:
    assert [alarms(x) for x in (None, 1, 5.19, 9.94, 9.96, 78.43, 12345.6)] == (
        ["–", "1.0", "5.2", "9.9", "10", "78", "12,346"]
    )
    assert quoted("") == "(no name)"
    assert len(quoted("x" * 200)) == 42
    assert listed(["a"]) == "“a”"
    assert listed(["a", "b", "c"]) == "“a”, “b” and “c”"
    assert listed(["a", "b", "c", "d"]) == "“a”, “b” and 2 more"


def test_a_reason_is_said_once_with_the_number_of_classes() -> None:
    many = point(["", *(FEW.format(n) for n in range(2, 15)), "my rule: no"])
    assert missing_threshold_lines(many) == [
        "13 of 15 classes have no threshold: max F1 needs 20 positives on validation (they have 2 to 14).",
        "“c14” has no threshold: my rule: no.",
    ]
    assert missing_threshold_lines(point([FEW.format(3)] * 4)) == [
        "All 4 classes have no threshold: max F1 needs 20 positives on validation (they have 3)."
    ]
    assert missing_threshold_lines(point(["", ""])) == []
    both = point([FEW.format(3), FEW.format(7)])
    assert missing_threshold_lines(both)[0].startswith("“c0” and “c1” have no threshold: max F1 needs 20")
    binary = replace(point([FEW.format(3), FEW.format(7)], is_binary=True))
    assert missing_threshold_lines(binary) == [
        "“c1” has no threshold: max F1 needs 20 positives on validation (it has 7)."
    ]


def test_the_summary_speaks_of_the_operating_point() -> None:
    assert decision_lines(point(["", ""], is_binary=True)) == [
        "decision           “c1” from probability 0.0321 on (max F1)",
        "recall             0.959 [0.886, 0.986]  70 of 73 found",
        "precision          0.013 [0.010, 0.016]  78 alarms for each one found",
        "flagged            61 % of all rows, 5,490 of 9,000",
    ]
    assert decision_lines(point(["", FEW.format(2), FEW.format(3)])) == [
        "at the thresholds  max F1: 1 of 3 classes have one, 2 are never flagged",
        "rare classes       found 1, missed 0, inconclusive 0, without a threshold 2",
        "flagged            61 % of all rows, as something",
    ]
    assert decision_lines(replace(point(["", ""]), basis="most probable class")) == []
