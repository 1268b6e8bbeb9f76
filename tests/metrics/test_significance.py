import numpy as np
import pytest
from scipy import stats

from imbalance_lab.metrics import (
    Comparison,
    compare_accuracy,
    compare_balanced_accuracy,
    compare_label_balanced_accuracy,
    compare_rankings,
    describe,
    holm,
    rank_one_vs_rest,
    stratified_bootstrap,
)
from imbalance_lab.metrics.intervals.auroc import one_kind_auroc_interval


def binary(score):
    return np.stack([-score, score], 1)


def two_models(sizes, shift_a, shift_b, seed=0):
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(len(sizes)), sizes)
    shared = rng.normal(size=(len(target), len(sizes)))
    return *(
        shared + rng.normal(size=shared.shape) + s * np.eye(len(sizes))[target] for s in (shift_a, shift_b)
    ), target


def tied_scores():
    """24 positives, 66 negatives, two models with ties, without a random number."""
    i = np.arange(90)
    return i * 37 % 101 / 100 + 0.25 * (i < 24), i * 53 % 89 // 3 / 30 + 0.15 * (i < 24), (i < 24).astype(int)


def test_paired_delong_matches_a_published_implementation():
    # fastDeLong of github.com/yandexdataschool/roc_comparison (Sun & Xu 2014), run on these scores: areas 0.68402778
    # and 0.67424242, variances 0.0039698773090777 and 0.0040941011667296, covariance 0.0009177553890993, p 0.90132336.
    a, b, target = tied_scores()
    found = compare_rankings(binary(a), binary(b), target).classes[1]
    error = np.sqrt(0.0039698773090777 + 0.0040941011667296 - 2 * 0.0009177553890993)
    assert found.difference == pytest.approx(0.6840277777777779 - 0.6742424242424243)
    assert found.p == pytest.approx(0.90132336, abs=1e-8)
    middle, half = found.difference, 1.959963984540054 * error
    assert found.interval == pytest.approx((middle - half, middle + half), rel=1e-9)
    assert found.n_positive == 24


def test_paired_delong_matches_the_covariance_over_all_pairs():
    a, b, target = two_models((80, 30), 1.0, 0.6)
    found = compare_rankings(a, b, target).classes[1]
    wins = [(s[target == 1, 1][:, None] > s[target == 0, 1]).astype(float) for s in (a, b)]
    difference = wins[0] - wins[1]
    variance = difference.mean(1).var(ddof=1) / 30 + difference.mean(0).var(ddof=1) / 80
    assert found.difference == pytest.approx(difference.mean())
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(difference.mean()) / np.sqrt(variance)))


def test_below_20_positives_the_test_uses_students_t():
    a, b, target = two_models((80, 19), 0.9, 0.4)
    found = compare_rankings(a, b, target).classes[1]
    wins = [(s[target == 1, 1][:, None] > s[target == 0, 1]).astype(float) for s in (a, b)]
    difference = wins[0] - wins[1]
    error = np.sqrt(difference.mean(1).var(ddof=1) / 19 + difference.mean(0).var(ddof=1) / 80)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(difference.mean()) / error, 18))


@pytest.mark.parametrize("score", ["auroc", "average_precision"])
def test_macro_matches_the_paired_bootstrap(score):
    a, b, target = two_models((300, 120, 60), 1.2, 0.9)
    found = compare_rankings(a, b, target, score).macro
    # The same seed draws the same examples for both models.
    drawn = [getattr(stratified_bootstrap(s, target, 1500, seed=7), score).mean(1) for s in (a, b)]
    low, high = found.interval
    assert (high - low) / (2 * 1.96) == pytest.approx((drawn[0] - drawn[1]).std(ddof=1), rel=0.1)
    assert low < found.difference < high
    assert found.n_positive == 60


@pytest.mark.parametrize("score", ["auroc", "average_precision"])
def test_swapping_the_models_mirrors_the_comparison(score):
    a, b, target = two_models((60, 25, 8), 1.5, 0.8)
    forth, back = compare_rankings(a, b, target, score), compare_rankings(b, a, target, score)
    for one, other in zip((forth.macro, *forth.classes), (back.macro, *back.classes), strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert one.p == pytest.approx(other.p)
        assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))


def test_identical_rankings_have_a_difference_of_exactly_zero():
    a, _, target = two_models((60, 25), 0.8, 0)
    found = compare_rankings(a, 3 * a - 1, target)
    assert found.macro[:3] == found.classes[0][:3] == (0, (0, 0), 1)


def test_two_models_that_separate_are_not_certainly_equal():
    target = np.repeat([0, 1], [30, 4])
    a, b = binary(target + np.linspace(0, 0.5, 34)), binary(target + np.linspace(0.5, 0, 34))
    found = compare_rankings(a, b, target).classes[1]
    assert (found.difference, found.p) == (0, 1)
    assert found.interval[0] < -0.1
    assert found.interval[1] > 0.1


@pytest.mark.parametrize(("n", "is_better"), [(100, True), (3, False)])
def test_a_constant_score_loses_to_separation_if_there_are_enough_examples(n, is_better):
    target = np.repeat([0, 1], n)
    found = compare_rankings(binary(target * 1.0), binary(np.zeros(2 * n)), target).classes[1]
    assert found.difference == 0.5
    assert found.is_distinguishable() == is_better
    # p is where the interval of level 1 − p ends at 0.
    at_p = compare_rankings(binary(target * 1.0), binary(np.zeros(2 * n)), target, level=1 - found.p).classes[1]
    assert at_p.interval[0] == pytest.approx(0, abs=1e-6) or found.p == pytest.approx(1e-9)


def test_near_separation_the_interval_reaches_the_ends_implied_by_the_own_intervals():
    a, b, target = two_models((200, 6), 4.0, 1.5, seed=2)
    found = compare_rankings(a, b, target).classes[1]
    (low_a, high_a), (low_b, high_b) = (one_kind_auroc_interval(rank_one_vs_rest(s, target)[1], 0.95) for s in (a, b))
    assert low_a - high_b <= found.interval[0] <= found.difference <= found.interval[1] <= high_a - low_b


@pytest.mark.parametrize("score", ["auroc", "average_precision"])
def test_the_comparison_does_not_depend_on_whether_influences_are_kept(monkeypatch, score):
    a, b, target = two_models((60, 12, 4), 3.0, 1.5)
    kept = compare_rankings(a, b, target, score)
    assert 0 < kept.macro.p < 1
    monkeypatch.setattr("imbalance_lab.metrics.intervals.macro.MAX_KEPT_INFLUENCES", 0)
    assert compare_rankings(a, b, target, score) == kept


def test_undefined_classes_are_left_out():
    a, b, target = two_models((40, 25), 1.0, 0.5)
    wider = [np.hstack([s, np.zeros((65, 1))]) for s in (a, b)]
    found, without = compare_rankings(*wider, target), compare_rankings(a, b, target)
    assert found.classes[2].interval is None
    assert np.isnan(found.classes[2].p)
    assert found.macro == without.macro
    none = compare_rankings(a[:5], b[:5], target[:5])
    assert none.macro.interval is None


def test_multilabel_targets():
    rng = np.random.default_rng(0)
    target = (rng.random((200, 3)) < [0.5, 0.3, 0.2]).astype(int)
    b = rng.normal(size=(200, 3)) + target
    found = compare_rankings(b + target, b, target)
    assert found.macro.difference > 0
    assert found.macro.p < 0.01
    assert [c.n_positive for c in found.classes] == target.sum(0).tolist()


def test_mismatched_shapes_and_unknown_scores_raise():
    a, b, target = two_models((10, 5), 1, 0)
    with pytest.raises(ValueError, match="same examples and classes"):
        compare_rankings(a[:-1], b, target)
    with pytest.raises(ValueError, match="score must be one of auroc, average_precision, got 'f1'"):
        compare_rankings(a, b, target, "f1")
    with pytest.raises(ValueError, match="same examples"):
        compare_accuracy(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(ValueError, match="same examples"):
        compare_balanced_accuracy(np.ones(3, bool), np.ones(4, bool), np.zeros(3, int))


@pytest.mark.parametrize("sizes", [(190, 60), pytest.param((60, 19, 8), marks=pytest.mark.exhaustive)])
def test_under_the_null_five_percent_are_rejected(sizes):
    # 400 tests at 5 %: 8.5 % is 3 standard errors above.
    rejected = [compare_rankings(*two_models(sizes, 0.9, 0.9, seed)).macro.p < 0.05 for seed in range(400)]
    assert np.mean(rejected) < 0.085
    assert np.mean(rejected) > 0.01


def small_data(seed):
    """Scores of two models for a few examples, sometimes separated, tied or alike, and class indices."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 15, rng.integers(2, 5))
    target, eye = np.repeat(np.arange(len(sizes)), sizes), np.eye(len(sizes))
    shared = rng.normal(size=(len(target), len(sizes))) * rng.choice([0, 1])
    a, b = (shared + rng.normal(size=shared.shape) + rng.choice([0, 1, 2, 9]) * eye[target] for _ in range(2))
    return (a.round(), b.round(), target) if seed % 3 == 0 else (a, b, target)


def every_comparison(seed, level):
    a, b, target = small_data(seed)
    labels = np.eye(a.shape[1], dtype=int)[target]
    rng = np.random.default_rng(seed)
    right_a, right_b = (rng.random(labels.shape) < rng.random() for _ in range(2))
    for score in ("auroc", "average_precision"):
        for truth in (target, labels):
            found = compare_rankings(a, b, truth, score, level)
            yield from (found.macro, *found.classes)
    yield compare_accuracy(right_a[:, 0], right_b[:, 0], level)
    yield compare_balanced_accuracy(right_a[:, 0], right_b[:, 0], target, level)
    yield compare_label_balanced_accuracy(right_a, right_b, labels, level)


@pytest.mark.exhaustive
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_p_is_below_5_percent_exactly_if_the_interval_excludes_0(level):
    distinguishable = 0
    for seed in range(60):
        for found in every_comparison(seed, level):
            if found.interval is not None:
                low, high = found.interval
                assert (found.p < 1 - level) == (low > 0 or high < 0), (seed, found)
                assert low <= found.difference <= high
                distinguishable += found.p < 1 - level
    assert distinguishable > 50


@pytest.mark.parametrize("seed", range(12))
def test_of_two_mirrored_classes_the_macro_comparison_is_that_of_the_class(seed):
    rng = np.random.default_rng(seed)
    target = np.repeat([0, 1], rng.integers(1, 40, 2))
    a, b = (binary(rng.normal(size=len(target)) + rng.choice([0, 1, 3, 9]) * target) for _ in range(2))
    found = compare_rankings(a, b, target)
    for of_class in found.classes:
        assert of_class.difference == pytest.approx(found.macro.difference)
        assert of_class.p == pytest.approx(found.macro.p, rel=1e-6, abs=1e-9)
        assert of_class.interval == pytest.approx(found.macro.interval, abs=1e-9)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 0), (7, 12), (40, 71)])
def test_mcnemar_matches_the_binomial_test_of_the_disagreements(only_a, only_b):
    a, b = (np.repeat(right, [30, only_a, only_b, 9]) for right in ([1, 1, 0, 0], [1, 0, 1, 0]))
    found = compare_accuracy(a.astype(bool), b.astype(bool))
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1
    assert found.p == pytest.approx(expected)
    assert found.difference == pytest.approx(a.mean() - b.mean())


def test_the_interval_of_accuracys_difference_by_hand():
    # Bonett & Price: (12 + 1)/102 and (8 + 1)/102, difference 4/102, error √((22/102 − (4/102)²) / 102) = 0.045817.
    a, b = np.repeat([True, True, False], [80, 12, 8]), np.repeat([True, False, True], [80, 12, 8])
    low, high = compare_accuracy(a, b).interval
    half = 1.959964 * np.sqrt((22 / 102 - (4 / 102) ** 2) / 102)
    # Clopper & Pearson: 12 of 20 disagreements, their share of 100 examples.
    shares = stats.binomtest(12, 20).proportion_ci(method="exact")
    assert low == pytest.approx(min(4 / 102 - half, (2 * shares.low - 1) * 20 / 100))
    assert high == pytest.approx(max(4 / 102 + half, (2 * shares.high - 1) * 20 / 100))
    with pytest.raises(ValueError, match="a must not be empty"):
        compare_accuracy(a[:0], b[:0])


def test_balanced_accuracy_weights_classes_equally():
    target = np.repeat([0, 1], [300, 20])
    a, b = np.repeat([True, False], [280, 40]), np.repeat([True, False], [150, 170])
    b[-20:] = np.arange(20) < 10
    found = compare_balanced_accuracy(a, b, target)
    assert found.difference == pytest.approx((280 / 300 - 150 / 300 + 0 - 0.5) / 2)
    assert found.n_positive == 20
    assert compare_accuracy(a, b).difference > 0 > found.difference


def test_holm_by_hand_and_with_an_undefined_member():
    assert holm([0.04, 0.001, 0.03, 0.5]) == pytest.approx([0.09, 0.004, 0.09, 0.5])
    adjusted = holm([0.04, float("nan"), 0.03])
    assert adjusted[0] == adjusted[2] == pytest.approx(0.06)
    assert np.isnan(adjusted[1])
    assert holm([]) == []


def test_descriptions():
    worse = Comparison(-0.012, (-0.020, -0.004), 0.0001, 60)
    assert describe(worse, "a", "b") == "b is better than a by 0.012 [0.004, 0.020] (p < 0.001)"
    # Both the adjusted p-value and the interval must exclude 0.
    assert "not distinguishable" in describe(worse, "a", "b", adjusted_p=0.06, runs=4)
    assert "not distinguishable" in describe(worse._replace(interval=(-0.02, 0.01)), "a", "b")
    assert "cannot be compared" in describe(Comparison(np.nan, None, np.nan, 0), "a", "b")
