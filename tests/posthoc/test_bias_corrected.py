import json

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    Calibration,
    NoCalibration,
    TemperatureScaling,
    fit_temperature,
    implied_prior,
    probabilities,
)
from imbalance_lab.posthoc.activation import allow_one_error
from imbalance_lab.task import one_hot

TRAIN_PRIOR = implied_prior([800, 150, 50])


def fit_bias_corrected(logits, target, activation="softmax"):
    return BiasCorrectedScaling().fit(logits, target, None, activation)


def uncalibrated(num_classes, train_prior):
    return NoCalibration().fit(np.zeros((1, num_classes)), np.zeros(1, np.int64), train_prior, "softmax")


def drawn(n=4000, classes=3, seed=0, temperature=1.0, bias=0.0):
    """Logits, and targets drawn from softmax(z / temperature + bias)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes)).astype(np.float32)
    truth = logits / temperature + bias
    return logits, (truth + rng.gumbel(size=logits.shape)).argmax(1)


def drawn_labels(n=4000, seed=0, temperature=1.0, bias=0.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 3)).astype(np.float32)
    return logits, (rng.random((n, 3)) < expit(logits / temperature + bias)).astype(np.int64)


@pytest.mark.parametrize("make", [drawn, drawn_labels])
def test_recovers_known_temperature_and_bias(make):
    bias = np.array([1.0, -1.5, 0.5])
    logits, target = make(40_000, temperature=1.6, bias=bias)
    found = fit_bias_corrected(logits, target, "softmax" if make is drawn else "sigmoid")
    assert found.temperature == pytest.approx(1.6, rel=0.04)
    np.testing.assert_allclose(found.bias, bias, atol=0.06)


@pytest.mark.parametrize("make", [drawn, drawn_labels])
def test_mean_probability_equals_held_out_prior(make):
    logits, target = make(700, seed=3, temperature=0.7)
    activation = "softmax" if make is drawn else "sigmoid"
    found = fit_bias_corrected(logits, target, activation)
    priors = np.bincount(target) / 700 if activation == "softmax" else target.mean(0)
    np.testing.assert_allclose(probabilities(found(logits), activation).mean(0), priors, atol=1e-5)
    np.testing.assert_allclose(found.prior, priors)


def test_minimum_equals_that_of_another_optimizer():
    logits, target = drawn(500, seed=4, temperature=2.0, bias=np.array([0.5, 0, -0.5]))
    found = fit_bias_corrected(logits, target)
    allowed = allow_one_error(one_hot(target, 3), "softmax")

    def cost(theta):
        return -(allowed * log_softmax(logits * theta[0] + np.append(theta[1:], 0), 1)).sum(1).mean()

    simplex = minimize(cost, [1, 0, 0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 4000})
    assert cost([1 / found.temperature, *np.subtract(found.bias, found.bias[2])[:2]]) <= simplex.fun + 1e-9
    assert found.temperature == pytest.approx(1 / simplex.x[0], rel=1e-3)
    assert (
        np.abs(
            approx_fprime(np.array([1 / found.temperature, *np.subtract(found.bias, found.bias[2])[:2]]), cost)
        ).max()
        < 1e-5
    )


def test_single_label_equals_platt_scaling():
    logits, target = drawn_labels(800, seed=5, temperature=1.5, bias=-1.0)
    found = fit_bias_corrected(logits[:, :1], target[:, :1], "sigmoid")
    allowed = allow_one_error(target[:, :1] == 1, "sigmoid")[:, 0]
    weights = np.concatenate([allowed, 1 - allowed])
    twice, labels = np.concatenate([logits[:, :1]] * 2), np.repeat([1, 0], 800)
    platt = LogisticRegression(C=np.inf, tol=1e-10).fit(twice, labels, weights)
    assert 1 / found.temperature == pytest.approx(platt.coef_[0, 0], rel=1e-4)
    assert found.bias[0] == pytest.approx(platt.intercept_[0], rel=1e-4)


def test_invariant_to_a_bias_from_training():
    logits, target = drawn(2000)
    moved = fit_bias_corrected(logits + np.array([3.0, -1, 0.5]), target)
    plain = fit_bias_corrected(logits, target)
    np.testing.assert_allclose(
        softmax(moved(logits + np.array([3.0, -1, 0.5])), 1), softmax(plain(logits), 1), atol=1e-5
    )


def test_permuting_classes_permutes_the_bias():
    logits, target = drawn(600, bias=np.array([1.0, -1, 0]))
    order = np.array([1, 2, 0])
    found, permuted = (
        fit_bias_corrected(logits, target),
        fit_bias_corrected(logits[:, order], np.argsort(order)[target]),
    )
    assert permuted.temperature == pytest.approx(found.temperature, rel=1e-5)
    np.testing.assert_allclose(permuted.bias, np.take(found.bias, order), atol=1e-5)


def test_stable_for_huge_logits_and_constant_shifts():
    logits, target = drawn(500)
    plain = fit_bias_corrected(logits, target)
    shifted = fit_bias_corrected(logits + np.random.default_rng(0).normal(0, 1e4, (500, 1)), target)
    np.testing.assert_allclose(
        [shifted.temperature, *shifted.bias], [plain.temperature, *plain.bias], rtol=1e-4, atol=1e-4
    )
    assert np.isfinite(fit_bias_corrected(logits * np.float32(1e4), target).bias).all()


def test_class_without_validation_example_raises():
    logits, target = drawn(100, classes=4)
    with pytest.raises(ValueError, match=r"class 2 has none of .*: use temperature scaling"):
        fit_bias_corrected(logits[target != 2], target[target != 2])
    labels = np.ones((100, 4), np.int64)
    labels[0] = 0
    labels[:, 1] = 1
    with pytest.raises(ValueError, match="class 1 has all of 100"):
        fit_bias_corrected(logits, labels, "sigmoid")


def test_temperature_changes_no_predicted_label_but_bias_may():
    logits, target = drawn(500, bias=np.array([2.0, 0, -2]))
    for train_prior in (None, TRAIN_PRIOR):
        scaled = TemperatureScaling().fit(logits, target, train_prior)
        assert scaled.prior == train_prior
        assert (scaled(logits).argmax(1) == logits.argmax(1)).all()
    assert (fit_bias_corrected(logits, target)(logits).argmax(1) != logits.argmax(1)).any()


@pytest.mark.parametrize("true_temperature", [0.5, 2.0])
def test_recovers_temperature_under_prior_shift(true_temperature):
    # Long-tailed as in training, p(c | x) = softmax(z / T); then subsampled to balanced classes.
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1.5, (60_000, 3)) + np.log(TRAIN_PRIOR)
    target = (truth + rng.gumbel(size=truth.shape)).argmax(1)
    priors = np.bincount(target) / len(target)
    kept = rng.random(len(target)) < (priors.min() / priors)[target]
    logits, target = (truth * true_temperature)[kept], target[kept]
    found = TemperatureScaling().fit(logits, target, tuple(priors))
    assert found.temperature == pytest.approx(true_temperature, rel=0.03)
    assert found.prior == tuple(priors)
    assert fit_temperature(logits, target) > 1.2 * true_temperature  # prior shift mistaken for overconfidence


def test_temperature_fits_without_examples_of_a_class():
    logits, target = drawn(2000, classes=3)
    kept = target != 1
    assert TemperatureScaling().fit(logits[kept], target[kept], (1 / 3,) * 3).temperature == pytest.approx(1, rel=0.15)
    labelled, labels = drawn_labels(2000)
    labels[:, 1] = 0
    assert np.isfinite(TemperatureScaling().fit(labelled, labels, (0.5,) * 3, "sigmoid").temperature)


def test_json_round_trip():
    logits, target = drawn(300)
    for calibration in (fit_bias_corrected(logits, target), uncalibrated(3, None), uncalibrated(3, TRAIN_PRIOR)):
        assert Calibration.from_json(json.loads(json.dumps(calibration.as_json(), allow_nan=False))) == calibration


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tanh", 1.0, (0.0, 0.0), None), "activation must be one of softmax, sigmoid"),
        (("softmax", 0.0, (0.0, 0.0), None), "temperature must be a finite number > 0"),
        (("softmax", 1.0, (0.0, 0.0), (0.2, 0.3, 0.5)), "prior has 3 class priors, but bias has 2 classes"),
    ],
)
def test_invalid_arguments_raise(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Calibration(*arguments)


def test_wrong_number_of_classes_raises():
    with pytest.raises(ValueError, match=r"logits must have shape \(N, 3\)"):
        uncalibrated(3, None)(np.zeros((4, 2)))
