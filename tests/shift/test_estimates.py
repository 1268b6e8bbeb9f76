import json
import warnings

import numpy as np
import pytest

from imbalance_lab.posthoc import probabilities
from imbalance_lab.shift import estimate_prior_bbse, estimate_prior_em
from imbalance_lab.shift.bbse import simplex_least_squares
from imbalance_lab.shift.calibrated import calibrate_if_needed
from imbalance_lab.shift.em import maximum_likelihood_shares
from tests.shift.populations import samples

ESTIMATES = [estimate_prior_em, estimate_prior_bbse]
MISCALIBRATED = {"scale": 3.0, "offset": 1.0}


def test_maximum_likelihood_of_two_kinds_of_rows_by_hand():
    # 70 rows with p = (.9, .1), 30 with (.1, .9), from equal shares: q = .8 w + .1 maximizes .7 log q + .3 log(1 − q).
    p = np.repeat([[0.9, 0.1], [0.1, 0.9]], [70, 30], axis=0)
    np.testing.assert_allclose(maximum_likelihood_shares(p / 0.5, np.array([0.5, 0.5])), [0.75, 0.25], atol=1e-9)


def test_a_share_that_no_row_speaks_for_is_0():
    p = np.repeat([[0.9, 0.1, 0.0], [0.6, 0.39, 0.01]], [70, 30], axis=0)
    found = maximum_likelihood_shares(p / [0.4, 0.4, 0.2], np.array([0.4, 0.4, 0.2]))
    np.testing.assert_allclose(found, [1, 0, 0], atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_maximum_likelihood_is_where_quapys_em_converges(classes):
    emq = pytest.importorskip("quapy.method.aggregative").EMQ
    counts = {2: (900, 100), 3: (600, 300, 100)}[classes]
    _, target, new = samples(counts, counts[::-1])
    base, p = np.bincount(target) / len(target), probabilities(new, "softmax")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, _ = emq.EM(base, p, epsilon=1e-8)
    np.testing.assert_allclose(maximum_likelihood_shares(p / base, base), expected, atol=2e-5)


def test_bbse_solves_the_linear_system():
    z, target, new = samples((600, 300, 100), (200, 300, 500))
    p = probabilities(z, "softmax")
    confusion = np.stack([p[target == c].mean(0) for c in range(3)], 1)
    exact = np.linalg.solve(confusion, probabilities(new, "softmax").mean(0))
    assert exact.min() > 0
    np.testing.assert_allclose(estimate_prior_bbse(z, target, new).prior, exact, atol=1e-9)


def test_least_squares_shares_are_never_negative():
    confusion = np.array([[0.8, 0.3], [0.2, 0.7]])
    np.testing.assert_allclose(simplex_least_squares(confusion, np.array([0.9, 0.1])), [1, 0], atol=1e-9)
    np.testing.assert_allclose(simplex_least_squares(confusion, confusion @ [0.6, 0.4]), [0.6, 0.4], atol=1e-9)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("counts", [(900, 100), (600, 300, 100)])
def test_the_reference_itself_has_its_own_shares(estimate, counts):
    z, target, _ = samples(counts, counts, **MISCALIBRATED)
    found = estimate(z, target, z)
    np.testing.assert_allclose(found.prior, np.array(counts) / sum(counts), atol=1e-4)
    assert found.reference_prior == pytest.approx(np.array(counts) / sum(counts))


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("of_logits", [{}, MISCALIBRATED])
def test_known_shares_are_found_and_lie_in_the_intervals(estimate, of_logits):
    z, target, new = samples((6000, 3000, 1000), (1000, 2000, 7000), **of_logits)
    found = estimate(z, target, new)
    np.testing.assert_allclose(found.prior, [0.1, 0.2, 0.7], atol=0.03)
    low, high = np.array(found.interval).T
    assert (low <= [0.1, 0.2, 0.7]).all()
    assert (high >= [0.1, 0.2, 0.7]).all()
    assert (high - low).max() < 0.15


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_permuted_classes_permute_the_result(estimate):
    z, target, new = samples((600, 300, 100), (300, 300, 400), **MISCALIBRATED)
    order = np.array([2, 0, 1])
    found, permuted = estimate(z, target, new), estimate(z[:, order], np.argsort(order)[target], new[:, order])
    np.testing.assert_allclose(permuted.prior, np.array(found.prior)[order], atol=1e-5)
    np.testing.assert_allclose(permuted.interval, np.array(found.interval)[order], atol=1e-4)


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_more_rows_of_either_sample_narrow_the_intervals(estimate):
    z, target, new = samples((900, 100), (700, 300), **MISCALIBRATED)
    width = np.ptp(estimate(z, target, new).interval[1])
    assert np.ptp(estimate(np.tile(z, (4, 1)), np.tile(target, 4), new).interval[1]) < 0.95 * width
    assert np.ptp(estimate(z, target, np.tile(new, (4, 1))).interval[1]) < 0.95 * width


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_votes_mean_1_in_their_class_0_in_others_and_the_share_in_the_new_sample(estimate):
    z, target, new = samples((600, 300, 100), (300, 300, 400), **MISCALIBRATED)
    found = estimate(z, target, new)
    means = [found.reference_votes[target == c].mean(0) for c in range(3)]
    np.testing.assert_allclose(means, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.votes.mean(0), found.prior, atol=0.03)


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_logits_that_know_nothing_leave_every_share_possible(estimate):
    _, target, _ = samples((900, 100), (700, 300))
    found = estimate(np.zeros((1000, 2)), target, np.zeros((50, 2)))
    assert found.interval == ((0.0, 1.0), (0.0, 1.0))


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_extreme_logits_give_finite_shares(estimate, scale):
    z, target, new = samples((200, 20), (50, 50))
    found = estimate(z * scale, target, new * scale)
    assert np.isfinite([*found.prior, *np.ravel(found.interval)]).all()
    assert all(low <= share <= high for share, (low, high) in zip(found.prior, found.interval, strict=True))


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_a_sigmoid_label_is_a_binary_problem(estimate):
    z, target, new = samples((900, 100), (700, 300), **MISCALIBRATED)
    logit, new_logit = z[:, 1:] - z[:, :1], new[:, 1:] - new[:, :1]
    both = np.stack([target, 1 - target], 1)
    labels = estimate(np.hstack([logit, -logit]), both, np.hstack([new_logit, -new_logit]), activation="sigmoid")
    expected = estimate(z, target, new)
    np.testing.assert_allclose(labels.prior, expected.prior[::-1], atol=1e-4)
    np.testing.assert_allclose(labels.interval, expected.interval[::-1], atol=1e-3)
    single = estimate(logit, target, new_logit, activation="sigmoid")
    assert single.prior == pytest.approx(labels.prior[:1])
    assert single.votes.shape == (1000, 1)


def test_logits_that_are_calibrated_are_left_alone_and_others_are_not():
    z, target, _ = samples((1800, 200), (1, 1))
    left = calibrate_if_needed(z, target)
    assert (left.temperature, left.bias) == (1.0, (0.0, 0.0))
    assert calibrate_if_needed(3 * z, target).temperature == pytest.approx(3, rel=0.2)


def test_as_json_is_plain():
    z, target, new = samples((90, 10), (70, 30))
    content = json.loads(json.dumps(estimate_prior_em(z, target, new).as_json()))
    assert set(content) == {"method", "prior", "interval", "reference_prior"}


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda z, y, new: (z, y, new[:, :1]), "logits must have 2 classes like reference_logits, got 1"),
        (lambda z, y, new: (z, 0 * y, new), "class 0 has 100 of 100: use a larger reference sample"),
        (lambda z, y, new: (z, y, new * np.nan), "logits must be finite"),
        (lambda z, y, new: (z, np.eye(2, dtype=int)[y], new), "pass activation='sigmoid'"),
        (lambda z, y, new: (z, y, new[:0]), "logits must not be empty"),
    ],
)
def test_samples_that_do_not_fit_are_refused(estimate, change, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        estimate(*change(*samples((90, 10), (70, 30))))
    assert "\n" not in str(error.value)
