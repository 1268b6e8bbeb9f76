import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbalance_lab.metrics import rank
from imbalance_lab.metrics.influence import (
    Strata,
    auroc_influence,
    average_precision_influence,
    average_precision_variance,
    satterthwaite,
)

tied = st.lists(st.integers(-3, 4).map(lambda level: level * 0.3), min_size=2, max_size=15)


def weighted_scores(scores, positive, weights):
    """AUROC and average precision of weighted examples, from their definitions."""
    p, n = positive, ~positive
    wins = (np.sign(scores[p][:, None] - scores[n]) + 1) / 2
    auroc = weights[p] @ wins @ weights[n] / (weights[p].sum() * weights[n].sum())
    reached = scores[:, None] >= scores[p]
    tp, fp = weights[p] @ reached[p], weights[n] @ reached[n]
    return auroc, weights[p] @ (tp / (tp + fp)) / weights[p].sum()


@given(tied, tied)
def test_influence_is_the_derivative_by_an_examples_weight(positive_scores, negative_scores):
    scores = np.array(positive_scores + negative_scores)
    positive = np.arange(len(scores)) < len(positive_scores)
    ranking = rank(scores[positive], scores[~positive])
    found = [influence(ranking, scores, positive) for influence in (auroc_influence, average_precision_influence)]
    step = 1e-5
    for i in range(len(scores)):
        # One example gains what all others of its kind lose, so that the class's size is held fixed.
        kind = positive == positive[i]
        by_weight = np.where(np.arange(len(scores)) == i, 1.0, 0) - kind / kind.sum()
        up, down = (np.array(weighted_scores(scores, positive, 1 + s * by_weight)) for s in (step, -step))
        assert [each[i] for each in found] == pytest.approx((up - down) / (2 * step), abs=1e-7)


@given(tied, tied)
def test_variances_match_delong_and_the_influences(positive_scores, negative_scores):
    scores = np.array(positive_scores + negative_scores)
    positive = np.arange(len(scores)) < len(positive_scores)
    ranking, strata = rank(scores[positive], scores[~positive]), Strata(positive.astype(int))
    of_auroc = strata.variance(auroc_influence(ranking, scores, positive))
    assert of_auroc == pytest.approx(ranking.auroc_variance, abs=1e-14)
    of_ap = strata.variance(average_precision_influence(ranking, scores, positive))
    assert of_ap == pytest.approx(average_precision_variance(ranking), abs=1e-14)


def test_variance_of_average_precision_needs_two_positives_and_two_negatives():
    assert np.isnan(average_precision_variance(rank(np.array([1.0]), np.arange(5.0))))


def test_strata_are_the_classes_or_all_examples_if_multilabel():
    influence = np.array([0.0, 2.0, 5.0, 5.0, 8.0])
    by_class = Strata(np.array([3, 3, 1, 1, 7]))
    assert by_class.variance(influence) == pytest.approx(2 * np.var([0, 2], ddof=1))
    everyone = Strata(np.zeros((5, 3), int))
    assert everyone.variance(influence) == pytest.approx(5 * influence.var(ddof=1))


def test_satterthwaite_of_one_sample_and_of_equal_samples():
    assert satterthwaite(np.array([0.0, 0.3]), np.array([50, 8])) == pytest.approx(7)
    assert satterthwaite(np.array([0.3, 0.3]), np.array([8, 8])) == pytest.approx(14)
    assert satterthwaite(np.zeros(2), np.array([8, 8])) == np.inf
