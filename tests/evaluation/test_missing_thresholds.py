"""Reasons for missing thresholds, as the rules themselves say them, each once."""

import numpy as np
import pytest

from imbalance_lab.evaluation.missing_thresholds import MissingThresholds, group_reasons
from imbalance_lab.posthoc import AlertBudget, MaxF1, MaxFPR, MinPrecision, MinRecall, ThresholdError


def reason(rule: object, n_positive: int, n: int = 200) -> str:
    """What a rule says of a class with so many positives among ``n`` examples, all with different scores."""
    positive = np.zeros(n, bool)
    positive[: 2 * n_positive : 2] = True
    with pytest.raises(ThresholdError) as refused:
        rule(np.arange(n, dtype=np.float32), positive)  # type: ignore[operator]
    return str(refused.value)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (MaxF1(), MissingThresholds("max F1 needs 20 positives on validation", (0, 1, 2), 1, 19)),
        (
            MinRecall(0.9),
            MissingThresholds("recall ≥ 0.9 with 95% confidence needs 29 positives on validation", (0, 1, 2), 1, 19),
        ),
        (
            MaxFPR(0.01),
            MissingThresholds("FPR ≤ 0.01 with 95% confidence needs 299 negatives on validation", (0, 1, 2), 181, 199),
        ),
        (
            AlertBudget(1),
            MissingThresholds("at most 1 of 1000 flagged needs 1000 examples on validation", (0, 1, 2), 200, 200),
        ),
    ],
)
def test_classes_with_different_numbers_have_one_reason(rule: object, expected: MissingThresholds) -> None:
    assert group_reasons((c, reason(rule, n)) for c, n in enumerate((7, 1, 19))) == (expected,)


def test_an_unreachable_precision_is_one_reason_too() -> None:
    expected = MissingThresholds("precision ≥ 0.9 with 95% confidence: no threshold reaches it", (0, 1))
    assert group_reasons((c, reason(MinPrecision(0.9), n)) for c, n in enumerate((40, 70))) == (expected,)


def test_other_reasons_stay_apart_the_most_frequent_first() -> None:
    text = reason(MaxF1(), 3)
    first, second = group_reasons([(4, "my rule: no"), (5, text), (6, text)])
    assert (first.classes, first.fewest, first.most) == ((5, 6), 3, 3)
    assert second == MissingThresholds("my rule: no", (4,))
    assert group_reasons([]) == ()
