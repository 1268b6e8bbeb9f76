import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from imbalance_lab.metrics import percentile_interval, rank, stratified_bootstrap
from imbalance_lab.metrics.bootstrap import BLOCK, resampled_weights
from imbalance_lab.metrics.influence import Strata


def example(sizes=(30, 12, 5), seed=0, decimals=1):
    rng = np.random.default_rng(seed)
    target = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    scores = rng.normal(size=(len(target), len(sizes))) + np.eye(len(sizes))[target]
    return scores.round(decimals), target


def test_every_draw_is_the_score_of_the_data_set_with_examples_repeated():
    scores, target = example()
    drawn = stratified_bootstrap(scores, target, draws=6, seed=3)
    weights = resampled_weights(Strata(target), 6, np.random.default_rng(3)).astype(int)
    for b in range(6):
        repeated = np.repeat(np.arange(len(target)), weights[:, b])
        assert np.array_equal(np.bincount(target[repeated]), np.bincount(target))
        for c in range(3):
            of_class, column = target[repeated] == c, scores[repeated, c]
            assert drawn.auroc[b, c] == pytest.approx(roc_auc_score(of_class, column), abs=1e-13)
            assert drawn.average_precision[b, c] == pytest.approx(average_precision_score(of_class, column), abs=1e-13)


def test_weights_are_drawn_evenly():
    target = np.repeat([0, 1], [3, 5])
    weights = resampled_weights(Strata(target), 4000, np.random.default_rng(0))
    assert weights[:3].sum(0) == pytest.approx(3)
    assert weights.mean(1) == pytest.approx(1, abs=0.06)
    assert weights[0].var() == pytest.approx(1 - 1 / 3, rel=0.1)  # binomial(3, 1/3)


def test_the_seed_determines_the_draws():
    scores, target = example()
    first, again, other = (stratified_bootstrap(scores, target, BLOCK + 3, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.auroc, again.auroc)
    assert not np.array_equal(first.auroc, other.auroc)
    assert first.auroc.shape == (BLOCK + 3, 3)


def test_binary_intervals_match_scipys_bootstrap():
    scores, target = example((40, 15), seed=5, decimals=6)
    positive, negative = scores[target == 1, 1], scores[target == 0, 1]
    theirs = stats.bootstrap(
        (positive, negative), lambda p, n: rank(p, n).auroc, n_resamples=3000, vectorized=False, method="percentile",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    ours = percentile_interval(stratified_bootstrap(scores, target, 3000).auroc[:, 1])
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.012)


def test_an_absent_class_is_undefined():
    scores, target = example()
    drawn = stratified_bootstrap(np.hstack([scores, scores[:, :1]]), target, draws=3)
    assert np.isnan(drawn.auroc[:, 3]).all()
    assert np.isnan(drawn.average_precision[:, 3]).all()
    assert not np.isnan(drawn.auroc[:, :3]).any()


def test_multilabel_examples_are_resampled_as_one_stratum():
    rng = np.random.default_rng(0)
    target = (rng.random((40, 2)) < [0.5, 0.04]).astype(int)
    scores = rng.normal(size=(40, 2)) + target
    drawn = stratified_bootstrap(scores, target, draws=50, seed=1)
    weights = resampled_weights(Strata(target), 50, np.random.default_rng(1)).astype(int)
    repeated = np.repeat(np.arange(40), weights[:, 0])
    assert drawn.auroc[0, 0] == pytest.approx(roc_auc_score(target[repeated, 0], scores[repeated, 0]))
    without = target[:, 1] @ weights == 0
    assert without.any()
    assert np.array_equal(np.isnan(drawn.auroc[:, 1]), without)
    assert np.array_equal(np.isnan(drawn.average_precision[:, 1]), without)


def test_zero_draws_raise():
    scores, target = example()
    with pytest.raises(ValueError, match="draws must be an integer ≥ 1, got 0"):
        stratified_bootstrap(scores, target, draws=0)
