import json

import numpy as np
import pytest

from imbalance_lab.shift import estimate_prior_bbse, estimate_prior_em, other_shift_test, prior_shift_test
from imbalance_lab.shift.feature_design import feature_design
from imbalance_lab.shift.other_shift import _remainder_difference, split_in_halves
from imbalance_lab.shift.shift_test import mean_difference
from tests.shift.populations import features, logits, samples, targets


@pytest.fixture(scope="module")
def reference():
    """Features (1000, 5) and targets of three classes."""
    target = targets((600, 300, 100))
    return features(target, np.random.default_rng(1)), target


def other(reference, new, **options):
    x, target = reference
    estimate = estimate_prior_em(logits(x, 3), target, logits(new, 3))
    return other_shift_test(x, target, new, estimate, **options)


@pytest.fixture(scope="module")
def prior_shifted():
    return features(targets((100, 300, 600)), np.random.default_rng(2))


def test_without_shift_the_p_values_of_the_prior_test_are_uniform():
    rng = np.random.default_rng(0)
    positives = rng.binomial([200, 300], 0.05, (250, 2))
    p = np.array(
        [
            prior_shift_test(*samples((200 - a, a), (300 - b, b), seed), seed=seed).p_value
            for seed, (a, b) in enumerate(positives)
        ]
    )
    assert 0.43 < p.mean() < 0.6
    assert 0.02 <= (p <= 0.1).mean() <= 0.18
    assert (p <= 0.005).mean() <= 0.02


def test_a_changed_share_is_found_and_its_class_named():
    found = prior_shift_test(*samples((600, 300, 100), (600, 200, 200)))
    assert found.alarm
    assert found.parts[0].index == 2
    assert found.parts[0].difference > 0
    assert found.p_value == 1 / 2000  # none of 1999 permutations reaches it


def test_prior_test_takes_labels():
    z, target, new = samples((900, 100), (500, 500))
    labels = np.stack([target, 1 - target], 1)
    assert prior_shift_test(z, labels, new, activation="sigmoid").alarm
    assert not prior_shift_test(z, labels, z[::2], activation="sigmoid").alarm


def test_equal_rows_are_in_the_same_half():
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.standard_normal((50, 3)), 4, axis=0)
    first = split_in_halves(rows, np.repeat([0, 1], [120, 80]), rng)
    assert (first.reshape(50, 4).sum(1) % 4 == 0).all()
    assert 40 < first.sum() < 160


def test_different_rows_are_halved_within_each_stratum():
    rng = np.random.default_rng(0)
    first = split_in_halves(rng.standard_normal((110, 3)), np.repeat([0, 1], [100, 10]), rng)
    assert (first[:100].sum(), first[100:].sum()) == (50, 5)


def test_pure_prior_shift_is_no_other_shift(reference, prior_shifted):
    found = other(reference, prior_shifted)
    assert not found.alarm
    assert found.parts[0].p_value > 0.001
    # It is one if the shares are held to be the reference's.
    assert other_shift_test(*reference, prior_shifted, [0.6, 0.3, 0.1]).alarm


def test_a_moved_feature_is_found_and_named(reference, prior_shifted):
    new = prior_shifted.copy()
    new[:, 4] -= 0.5
    found = other(reference, new)
    assert found.alarm
    assert (found.parts[0].index, found.parts[0].aspect) == (4, "level")
    assert found.parts[0].difference == pytest.approx(-0.5, abs=0.15)
    assert found.parts[0].p_value < 1e-4
    json.dumps(found.as_json())


def test_a_wider_feature_missing_values_and_a_category_are_named(reference, prior_shifted):
    x, target = reference
    for change, aspect in [
        (lambda column: 2.5 * column, "spread"),
        (lambda column: np.where(np.arange(len(column)) % 4, column, np.nan), "missing"),
        (lambda column: np.minimum(column, 0), "category"),
    ]:
        new, old = prior_shifted.copy(), x.copy()
        new[:, 3] = change(new[:, 3])
        if aspect == "category":
            old[:, 3], new[:, 3] = np.sign(old[:, 3]), np.sign(new[:, 3])
        estimate = estimate_prior_em(logits(x, 3), target, logits(prior_shifted, 3))
        found = other_shift_test(old, target, new, estimate, categorical=[3] if aspect == "category" else [])
        assert found.alarm
        assert (found.parts[0].index, found.parts[0].aspect) == (3, aspect)


def test_a_score_that_is_the_class_is_no_shift_whatever_the_shares():
    """The remainder of scores that depend on the class is uniform under prior shift, with the errors of all parts."""
    p = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        z, target, new = samples((360, 40), (250, 250), seed)
        estimate = estimate_prior_bbse(z, target, new)
        stratum = np.concatenate([target, np.full(500, 2)])
        score = np.tanh(np.concatenate([z, new])[:, 1:]) + rng.standard_normal((900, 1))
        votes = np.concatenate([estimate.reference_votes, estimate.votes])
        p.append(float(_remainder_difference(score, stratum, np.array(estimate.prior), votes).p_greater[0]))
    assert 0.4 < np.mean(p) < 0.6
    assert (np.array(p) <= 0.05).mean() <= 0.125


def test_mean_difference_of_one_stratum_is_welchs_test():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 1)), rng.exponential(size=(80, 1))
    found, expected = mean_difference([a], np.ones(1), b), ttest_ind(b, a, equal_var=False)
    assert found.t == pytest.approx(expected.statistic)
    assert found.p_two_sided == pytest.approx(expected.pvalue)


def test_design_is_the_same_for_monotone_transforms_and_marks_missing_values():
    x = np.random.default_rng(0).standard_normal((100, 1))
    x[::10] = np.nan
    design = feature_design(x, [])
    np.testing.assert_array_equal(design.values, feature_design(np.exp(x), []).values)
    assert design.aspects == ("level", "spread", "missing")
    assert design.values[:, 2].sum() == 10
    assert feature_design(np.ones((100, 2)), []).values.shape == (100, 0)


def test_constant_features_show_no_shift(reference):
    _, target = reference
    found = other_shift_test(np.ones((1000, 2)), target, np.ones((10, 2)), [0.6, 0.3, 0.1])
    assert (found.p_value, found.parts) == (1.0, ())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (lambda x, y, e: (x[:-1], y, x, e), r"\(999, 5\).* must have the same rows"),
        (lambda x, y, e: (x, y, x[:, :2], e), "must have the same rows and columns"),
        (lambda x, y, e: (x, y, x[:10], e), "the estimate must be of the same rows, got 1000 and 1000"),
        (lambda x, y, e: (x, y, x, [0.5, 0.5]), "the shares must be of 3 classes, got 2"),
        (lambda x, y, e: (x, np.eye(3, dtype=int)[y], x, e), "needs one class a row"),
        (lambda x, y, e: (np.where(x > 1, np.inf, x), y, x, e), "reference_features must be finite or NaN"),
        (lambda x, y, e: (x[:2], y[:2], x, e), "needs at least 4 rows"),
    ],
)
def test_features_that_do_not_fit_are_refused(reference, arguments, sentence):
    x, target = reference
    refused = arguments(x, target, estimate_prior_em(logits(x, 3), target, logits(x, 3)))
    with pytest.raises(ValueError, match=sentence) as error:
        other_shift_test(*refused)
    assert "\n" not in str(error.value)
