import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from imbalance_lab.metrics import rank
from imbalance_lab.posthoc import max_f1

levels = st.integers(-4, 4).map(lambda level: level * 0.4)


def scores_at(threshold, positive, negative):
    """F1, recall and precision of flagging what scores at least ``threshold``."""
    tp, fp = sum(s >= threshold for s in positive), sum(s >= threshold for s in negative)
    return 2 * tp / (tp + fp + len(positive)), tp / len(positive), tp / (tp + fp)


@given(st.lists(levels, min_size=1, max_size=15), st.lists(levels, max_size=15))
def test_no_other_threshold_has_a_higher_f1(positive, negative):
    point = max_f1(rank(np.array(positive), np.array(negative)))
    every = {threshold: scores_at(threshold, positive, negative) for threshold in {*positive, *negative}}
    best = max(f1 for f1, _, _ in every.values())
    chosen = min(every, key=lambda threshold: abs(expit(threshold) - point.threshold))
    assert point.threshold == pytest.approx(expit(chosen), abs=1e-12)
    assert (point.f1, point.recall, point.precision) == pytest.approx(every[chosen])
    assert point.f1 == pytest.approx(best)
    assert point.n_positive == len(positive)


def test_by_hand():
    # At 0.6: 2 of 3 positives, 1 false; F1 = 4/6. At 0.9: F1 = 2/4. At 0.2: 3 positives, 4 false; F1 = 6/10.
    positive, negative = logit([0.9, 0.6, 0.2]), logit([0.7, 0.5, 0.4, 0.3, 0.1])
    point = max_f1(rank(positive, negative))
    assert point == pytest.approx((0.6, 4 / 6, 2 / 3, 2 / 3, 3))


def test_of_equal_cuts_the_highest_is_taken():
    # 1 of 2 positives and nothing else, or both with 2 false: F1 is 2/3 either way.
    point = max_f1(rank(logit(np.array([0.9, 0.3])), logit(np.array([0.6, 0.5]))))
    assert point.threshold == pytest.approx(0.9)
    assert point.precision == 1


def test_without_positives_there_is_no_cut():
    assert max_f1(rank(np.zeros(0), np.ones(3))) is None


def test_without_negatives_everything_is_flagged():
    assert max_f1(rank(logit(np.array([0.2, 0.7])), np.zeros(0))) == pytest.approx((0.2, 1, 1, 1, 2))
