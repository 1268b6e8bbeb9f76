import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from torchmetrics.functional.classification import (
    binary_precision_at_fixed_recall,
    binary_recall_at_fixed_precision,
)

from imbalance_lab.metrics import Ranking, precision_at, precision_at_recall, rank, recall_at_precision

partial_auroc = Ranking.partial_auroc

levels = st.integers(0, 8).map(lambda level: level / 8)  # coarse, so that ties are common; exact in float32
positives, negatives = st.lists(levels, min_size=1, max_size=12), st.lists(levels, min_size=1, max_size=12)
shares = st.sampled_from([0.05, 0.1, 0.25, 1 / 3, 0.5, 0.8, 0.9, 1.0])


def both(positive, negative):
    scores = np.array([*positive, *negative])
    return scores, np.array([1] * len(positive) + [0] * len(negative))


def ranked(positive, negative):
    return rank(np.array(positive, dtype=float), np.array(negative, dtype=float))


@given(positives, negatives, shares)
def test_best_under_a_constraint_matches_brute_force(positive, negative, share):
    thresholds = [
        (sum(s >= t for s in positive), sum(s >= t for s in negative)) for t in {*positive, *negative}
    ]  # except flagging nothing
    recalls = [tp / len(positive) for tp, fp in thresholds if tp / (tp + fp) >= share]
    precisions = [tp / (tp + fp) for tp, fp in thresholds if tp / len(positive) >= share]
    ranking = ranked(positive, negative)
    assert recall_at_precision(ranking, share) == max(recalls, default=0)
    assert precision_at_recall(ranking, share) == max(precisions)


# No threshold has exactly such a share: torchmetrics compares float32 with float64 and misses 9 of 10 at 0.9.
@pytest.mark.parametrize("share", [0.11, 0.31, 0.61, 0.91])
def test_best_under_a_constraint_matches_torchmetrics(share):
    rng = np.random.default_rng(3)
    positive, negative = rng.beta(4, 2, 40), rng.beta(2, 3, 300)
    scores, target = (torch.tensor(each) for each in both(positive, negative))
    ranking = rank(positive, negative)
    theirs, _ = binary_recall_at_fixed_precision(scores, target, min_precision=share)
    assert recall_at_precision(ranking, share) == pytest.approx(float(theirs))
    theirs, _ = binary_precision_at_fixed_recall(scores, target, min_recall=share)
    assert precision_at_recall(ranking, share) == pytest.approx(float(theirs))


def test_a_decimal_constraint_includes_the_equal_fraction():
    four_of_five = ranked([9, 8, 7, 6, 1], [5, 4, 3])
    assert precision_at_recall(four_of_five, 0.8) == 1
    assert recall_at_precision(ranked([9, 8, 7, 5], [6]), 0.8) == 1


@given(positives, negatives, st.sampled_from([0.03, 0.1, 0.25, 0.5, 0.99, 1.0]))
def test_partial_auroc_matches_scikit_learn(positive, negative, max_fpr):
    scores, target = both(positive, negative)
    theirs = sklearn.roc_auc_score(target, scores, max_fpr=max_fpr)
    assert partial_auroc(ranked(positive, negative), max_fpr) == pytest.approx(theirs, abs=1e-12)


@given(positives, negatives)
def test_partial_auroc_of_all_is_auroc(positive, negative):
    ranking = ranked(positive, negative)
    assert partial_auroc(ranking, 1.0) == pytest.approx(ranking.auroc, abs=1e-12)


def test_partial_auroc_of_chance_and_perfection():
    assert partial_auroc(ranked([0.5], [0.5]), 0.1) == pytest.approx(0.5)
    assert partial_auroc(ranked([1, 2], [0, -1]), 0.1) == 1
    assert partial_auroc(ranked([0, 1], [2, 3]), 0.1) < 0.5


@given(positives, negatives, st.integers(1, 24), st.integers(0, 2**31))
def test_precision_at_k_is_the_mean_over_orders_of_ties(positive, negative, k, seed):
    scores, target = both(positive, negative)
    ours = precision_at(ranked(positive, negative), k)
    if k > len(scores):
        assert np.isnan(ours)
        return
    # Each example's chance to be among the k: 1 above the k-th score, its tie's share of the places left at it.
    last = np.sort(scores)[::-1][k - 1]
    chance = np.where(scores > last, 1.0, 0.0)
    chance[scores == last] = (k - chance.sum()) / (scores == last).sum()
    assert ours == pytest.approx(chance @ target / k)


def test_without_positives_every_score_is_nan():
    none = ranked([], [0.3, 0.4])
    assert np.isnan([recall_at_precision(none, 0.5), precision_at_recall(none, 0.5)]).all()
    assert np.isnan([partial_auroc(none, 0.5), precision_at(none, 1)]).all()
    assert np.isnan(partial_auroc(ranked([0.3], []), 0.5))


def test_recall_is_zero_if_no_threshold_is_precise_enough():
    assert recall_at_precision(ranked([0.1, 0.2], [0.8, 0.9]), 0.6) == 0


@pytest.mark.parametrize("score", [recall_at_precision, precision_at_recall, partial_auroc])
@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan"), True])
def test_a_share_out_of_range_raises(score, share):
    with pytest.raises((TypeError, ValueError), match=r"must be a (finite )?number"):
        score(ranked([1], [0]), share)


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_an_invalid_k_raises(k):
    with pytest.raises((TypeError, ValueError), match="k must be an integer ≥ 1"):
        precision_at(ranked([1], [0]), k)
