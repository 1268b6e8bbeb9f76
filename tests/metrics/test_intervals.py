from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom, binomtest, chi2, norm, t

from imbalance_lab.metrics import (
    auroc_interval,
    average_precision_interval,
    balanced_accuracy_interval,
    macro,
    macro_auroc_interval,
    rank,
    rank_one_vs_rest,
    wilson_interval,
)
from imbalance_lab.metrics.intervals import mean_interval

LEVELS = (0.5, 0.8, 0.95, 0.999)


def ranking_of(n_positive, n_negative, gap, seed=0):
    rng = np.random.default_rng(seed)
    return rank(rng.normal(gap, 1, n_positive), rng.normal(0, 1, n_negative))


def hanley_mcneil(area, n_positive, n_negative):
    """Newcombe's method 5: the variance of Hanley & McNeil 1982 with both sizes replaced by their mean."""
    more = (n_positive + n_negative) / 2 - 1
    spread = 1 + more * (1 - area) / (2 - area) + more * area / (1 + area)
    return area * (1 - area) * spread / (n_positive * n_negative)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from(LEVELS))
def test_wilson_matches_scipy(successes, trials, level):
    successes = min(successes, trials)
    theirs = binomtest(successes, trials).proportion_ci(level, method="wilson")
    assert wilson_interval(successes, trials, level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_nothing_is_undefined():
    assert wilson_interval(0, 0) is None


def test_wilson_as_newcombe_1998_prints_it():
    # Table I, method 3: 81 of 263, 15 of 148, 0 of 20 and 1 of 29.
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, trials), ends in published.items():
        assert wilson_interval(successes, trials) == pytest.approx(ends, abs=5e-5)


def logit_t(ranking, level):
    """DeLong's error on the logit scale with Student's t, by hand."""
    area, df = ranking.auroc, min(ranking.n_positive, ranking.n_negative) - 1
    half = t.ppf((1 + level) / 2, df) * np.sqrt(ranking.auroc_variance) / (area * (1 - area))
    return expit(logit(area) - half), expit(logit(area) + half)


@pytest.mark.parametrize(("n_positive", "n_negative", "gap"), [(5, 200, 1.5), (30, 300, 2.5), (200, 4, 0.5), (3, 3, 0)])
@pytest.mark.parametrize("level", LEVELS)
def test_near_separation_aurocs_interval_is_wilsons_of_an_effective_number(n_positive, n_negative, gap, level):
    ranking = ranking_of(n_positive, n_negative, gap)
    area, rarer = ranking.auroc, min(n_positive, n_negative)
    x = rarer * min(area, 1 - area)
    assert 0 < x < 5
    n = min(area * (1 - area) / ranking.auroc_variance, 1.25 * (rarer - 1 + 6 * x))
    # Each end is z errors of a proportion with that value away, unless the Poisson limit is nearer to 0 or 1.
    misses = chi2.ppf(1 - level, 2 * x) / 2 / rarer
    limits = (misses if area < 0.5 else 1, 1 - misses if area > 0.5 else 0)
    for end, limit in zip(auroc_interval(ranking, level), limits, strict=True):
        by_wilson = norm.ppf((1 + level) / 2) * np.sqrt(end * (1 - end) / n)
        assert abs(end - area) == pytest.approx(by_wilson, rel=1e-6) or (
            end == pytest.approx(limit) and abs(end - area) > by_wilson
        )


def of_two_kinds(n, n_wrong, n_others, rarer_is_positive):
    """n examples of one class, of which so many are ranked wrongly by all of the other class and the rest rightly."""
    own = np.where(np.arange(n) < n_wrong, -1.0, 1.0)
    return rank(own, np.zeros(n_others)) if rarer_is_positive else rank(np.zeros(n_others), -own)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 10, 15, 30, 60, 100])
@pytest.mark.parametrize("rarer_is_positive", [True, False])
def test_two_kinds_of_examples_are_covered_whatever_their_shares(n, rarer_is_positive):
    # Exact: the number of examples of the kind that is ranked wrongly is binomial, and AUROC is 1 − its share.
    ends = np.array([auroc_interval(of_two_kinds(n, k, 500, rarer_is_positive)) for k in range(n + 1)])
    share = np.linspace(0.001, 0.999, 999)[:, None]
    covers = (ends[:, 0] <= 1 - share) & (1 - share <= ends[:, 1])
    coverage = (binom.pmf(np.arange(n + 1), n, share) * covers).sum(1)
    assert coverage.min() >= 0.91
    assert coverage.mean() >= 0.94


@pytest.mark.parametrize("level", LEVELS)
def test_with_many_positives_auroc_is_delong_on_the_logit_scale(level):
    ranking = ranking_of(100, 1000, 1)
    assert auroc_interval(ranking, level) == pytest.approx(logit_t(ranking, level))


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_the_level_must_lie_in_the_unit_range(level):
    with pytest.raises(ValueError, match=r"level must be a finite number in \(0, 1\), got"):
        auroc_interval(ranking_of(5, 20, 1), level)


def test_successes_must_not_exceed_trials():
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(10, 9)


def test_full_separation_is_not_certainty():
    low, high = auroc_interval(rank(np.array([2.0, 3.0, 4.0]), np.arange(-50.0, 1)))
    assert high == 1
    assert 0.3 < low < 0.9
    low_of_more, _ = auroc_interval(rank(np.arange(2.0, 42), np.arange(-50.0, 1)))
    assert low < low_of_more < 1
    worst = auroc_interval(rank(np.array([-60.0, -61, -62]), np.arange(-50.0, 1)))
    assert worst == pytest.approx((0, 1 - low))


def test_a_constant_score_has_a_symmetric_interval():
    low, high = auroc_interval(rank(np.zeros(40), np.zeros(60)))
    assert low + high == pytest.approx(1)
    assert 0.05 < high - low < 0.5


@pytest.mark.parametrize("interval", [auroc_interval, average_precision_interval])
@pytest.mark.parametrize(("n_positive", "n_negative"), [(0, 5), (5, 0)])
def test_undefined_scores_have_no_interval(interval, n_positive, n_negative):
    assert interval(rank(np.arange(n_positive) * 1.0, np.arange(n_negative) * 1.0)) is None


@given(st.integers(1, 40), st.integers(1, 40), st.floats(-3, 3), st.integers(0, 9), st.booleans())
def test_every_interval_lies_in_the_unit_range_holds_its_estimate_and_grows_with_the_level(p, q, gap, seed, coarse):
    rng = np.random.default_rng(seed)
    positive, negative = rng.normal(gap, 1, p), rng.normal(0, 1, q)
    ranking = rank(positive.round(), negative.round()) if coarse else rank(positive, negative)
    for interval, value in ((auroc_interval, ranking.auroc), (average_precision_interval, ranking.average_precision)):
        nested = [interval(ranking, level) for level in LEVELS]
        for low, high in nested:
            assert 0 <= low <= value + 1e-12
            assert value - 1e-12 <= high <= 1
        for (low, high), (wider_low, wider_high) in pairwise(nested):
            assert wider_low <= low + 1e-12
            assert high <= wider_high + 1e-12


def test_average_precision_near_its_ends_is_wilsons_share_of_the_positives():
    perfect = rank(np.array([2.0, 3.0, 4.0, 5.0]), np.zeros(30))
    assert average_precision_interval(perfect) == pytest.approx(wilson_interval(4, 4))


def stratified_bootstrap(scores, target, draws, seed):
    """The macro AUROC of samples that keep the class sizes, from all pairs."""
    rng = np.random.default_rng(seed)
    classes = range(scores.shape[1])
    members = [np.flatnonzero(target == c) for c in classes]
    means = []
    for _ in range(draws):
        drawn = np.concatenate([rng.choice(own, len(own)) for own in members])
        means.append(macro([ranking.auroc for ranking in rank_one_vs_rest(scores[drawn], target[drawn])]))
    return np.array(means)


def test_macro_auroc_matches_the_stratified_bootstrap():
    rng = np.random.default_rng(0)
    target = np.repeat(np.arange(3), [400, 150, 50])
    # One latent quality moves all of an example's scores: the three errors depend on one another.
    scores = rng.normal(size=(600, 3)) + rng.normal(size=(600, 1)) + 1.2 * np.eye(3)[target]
    rankings = rank_one_vs_rest(scores, target)
    means = stratified_bootstrap(scores, target, draws=800, seed=1)
    low, high = macro_auroc_interval(rankings, scores, target, level=0.9)
    assert logit([low, high]).mean() == pytest.approx(logit(macro([r.auroc for r in rankings])))
    assert high - low == pytest.approx(2 * norm.ppf(0.95) * means.std(ddof=1), rel=0.1)
    np.testing.assert_allclose([low, high], np.quantile(means, [0.05, 0.95]), atol=0.006)


@pytest.mark.parametrize("gap", [0, 1, 3, 50])
@pytest.mark.parametrize("sizes", [(300, 60), (40, 40), (50, 7), (3, 2), (9, 1)])
def test_macro_auroc_of_two_mirrored_classes_is_that_of_one(sizes, gap):
    rng = np.random.default_rng(4)
    target = np.repeat([0, 1], sizes)
    score = rng.normal(size=sum(sizes)) + gap * target
    for values in (score, score.round()):
        scores = np.stack([-values, values], 1)
        rankings = rank_one_vs_rest(scores, target)
        assert macro_auroc_interval(rankings, scores, target) == pytest.approx(auroc_interval(rankings[1]), abs=1e-9)


def test_macro_auroc_leaves_out_an_absent_class():
    rng = np.random.default_rng(5)
    target = np.repeat([0, 2], [80, 40])
    scores = rng.normal(size=(120, 3)) + np.eye(3)[target]
    rankings = rank_one_vs_rest(scores, target)
    low, high = macro_auroc_interval(rankings, scores, target)
    assert low < macro([ranking.auroc for ranking in rankings]) < high
    only = np.zeros(5, np.int64)
    assert macro_auroc_interval(rank_one_vs_rest(scores[:5], only), scores[:5], only) is None


def test_macro_auroc_of_full_separation_is_not_certainty():
    target = np.repeat([0, 1, 2], 8)
    scores = np.eye(3)[target]
    low, high = macro_auroc_interval(rank_one_vs_rest(scores, target), scores, target)
    assert high == 1
    assert 0.5 < low < 0.99


def test_the_interval_of_a_mean_by_hand():
    low, high = mean_interval([0.5, 0.9], [(0.2, 0.6), (0.5, 1.0)])
    assert low == pytest.approx(0.7 - np.sqrt(0.3**2 + 0.4**2) / 2)
    assert high == pytest.approx(0.7 + np.sqrt(0.1**2 + 0.1**2) / 2)
    assert mean_interval([0.3], [(0.1, 0.4)]) == pytest.approx((0.1, 0.4))
    assert mean_interval([0.3, float("nan")], [(0.1, 0.4), None]) == pytest.approx((0.1, 0.4))
    assert mean_interval([1.0, 1.0], [(0.6, 1.0), (0.6, 1.0)])[1] == 1
    assert mean_interval([float("nan")], [None]) is None


def test_balanced_accuracy_uses_the_present_classes():
    confusion = np.array([[9, 1, 0], [0, 0, 0], [2, 0, 2]])
    low, high = balanced_accuracy_interval(confusion)
    inner = mean_interval([0.9, 0.5], [wilson_interval(9, 10), wilson_interval(2, 4)])
    assert low <= inner[0] < 0.7 < inner[1] <= high, "few hits or misses: at least as wide as Wilson's ends imply"
    assert balanced_accuracy_interval(np.zeros((2, 2), int)) is None
    # A perfect classifier of few examples has an upper end of 1.
    low, high = balanced_accuracy_interval(np.diag([4, 4]))
    assert high == 1
    assert low == pytest.approx(1 - (1 - wilson_interval(4, 4)[0]) / np.sqrt(2))


@pytest.mark.parametrize("confusion", [np.array([[9, 1], [2, 2]]), np.diag([3, 5])])
def test_balanced_accuracys_interval_grows_with_the_level(confusion):
    nested = [balanced_accuracy_interval(confusion, level) for level in LEVELS]
    lows, highs = zip(*nested, strict=True)
    assert list(lows) == sorted(lows, reverse=True)
    assert list(highs) == sorted(highs)
