import json

import numpy as np
import pytest
import torch

from imbalance_lab.metrics import balanced_accuracy, confusion_matrix
from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    ClassConditionalConformal,
    LinearHead,
    MaxF1,
    MinCost,
    NoCalibration,
    PostProcessor,
    TauNormalization,
    TemperatureScaling,
    fit_postprocessor,
    fit_prediction_sets,
    tau_normalized,
)

WEIGHT = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)).double()


def test_tau_zero_and_one():
    assert tau_normalized(WEIGHT, 0).equal(WEIGHT)
    torch.testing.assert_close(tau_normalized(WEIGHT, 1), torch.nn.functional.normalize(WEIGHT))


@pytest.mark.parametrize("tau", [0.3, 0.7, 1.5])
def test_norms_are_raised_to_a_power_and_directions_kept(tau):
    normalized = tau_normalized(WEIGHT, tau)
    torch.testing.assert_close(normalized.norm(dim=1), WEIGHT.norm(dim=1) ** (1 - tau))
    torch.testing.assert_close(torch.cosine_similarity(normalized, WEIGHT), torch.ones(4).double())


def test_scaling_a_row_scales_the_result_by_a_power():
    scaled = WEIGHT * torch.tensor([1.0, 2, 3, 4]).double()[:, None]
    factor = torch.tensor([1.0, 2, 3, 4]).double()[:, None] ** 0.6
    torch.testing.assert_close(tau_normalized(scaled, 0.4), tau_normalized(WEIGHT, 0.4) * factor)


def test_can_be_applied_to_stored_logits():
    generator = torch.Generator().manual_seed(1)
    features, bias = (torch.randn(shape, generator=generator).double() for shape in ((5, 6), (4,)))
    logits = torch.nn.functional.linear(features, WEIGHT, bias)
    torch.testing.assert_close(
        (logits - bias) / WEIGHT.norm(dim=1) ** 0.7, torch.nn.functional.linear(features, tau_normalized(WEIGHT, 0.7))
    )


def test_zero_row_stays_zero():
    assert tau_normalized(torch.zeros(2, 3), 1.2).equal(torch.zeros(2, 3))


@pytest.mark.parametrize("tau", [-0.1, float("inf"), float("nan"), "1", True])
def test_invalid_tau_raises(tau):
    with pytest.raises((TypeError, ValueError), match=r"tau must be a (finite )?number"):
        tau_normalized(WEIGHT, tau)


def long_tailed_logits(n=400):
    """Logits of a head whose norms grow with the number of examples, and their targets."""
    draws = np.random.default_rng(0)
    target = np.repeat(np.arange(4), (n // 2, n // 4, n // 8, n // 8))
    weight = torch.eye(4).double() * torch.tensor([4.0, 2.0, 1.0, 0.5]).double()[:, None]
    bias = torch.tensor([1.0, 0.5, 0.0, -0.5]).double()
    features = torch.from_numpy(np.eye(4)[target] + draws.normal(scale=0.7, size=(n, 4)))
    logits = torch.nn.functional.linear(features, weight, bias).numpy()
    return features, weight, bias, logits, target


def fitted(tau, calibration=None, train_prior=(0.5, 0.25, 0.125, 0.125)):
    _, weight, bias, logits, target = long_tailed_logits()
    return fit_postprocessor(
        logits,
        target,
        list("abcd"),
        MaxF1(),
        train_prior=train_prior,
        calibration=calibration or TemperatureScaling(),
        prior_correction=TauNormalization(tau),
        head=LinearHead.from_weights(weight, bias),
    )


@pytest.mark.parametrize("tau", [0.0, 0.6, 1.3])
@pytest.mark.parametrize("calibration", [NoCalibration(), TemperatureScaling()])
def test_the_post_processing_decides_as_the_normalized_head(tau, calibration):
    features, weight, _, logits, _ = long_tailed_logits()
    processor = fitted(tau, calibration)
    expected = torch.nn.functional.linear(features, tau_normalized(weight, tau))
    assert np.array_equal(processor.predict_labels(logits), expected.argmax(1).numpy())
    ratio = processor.adjusted(logits) / expected.numpy()
    np.testing.assert_allclose(ratio, np.full_like(ratio, ratio[0, 0]), rtol=1e-9)
    # The geometric mean of the norms is 2^½: at any tau, only the temperature is left of the common factor.
    assert ratio[0, 0] == pytest.approx(2 ** (tau / 2) / processor.calibration.temperature)


def test_tau_is_the_one_of_the_grid_with_the_best_balanced_accuracy():
    features, weight, _, _logits, target = long_tailed_logits()

    def score(tau):
        labels = torch.nn.functional.linear(features, tau_normalized(weight, tau)).argmax(1).numpy()
        return balanced_accuracy(confusion_matrix(labels, target, 4))

    best = max(range(21), key=lambda step: (score(step / 10), -step)) / 10
    assert 0 < best < 2
    processor = fitted("balanced_accuracy")
    assert processor.prior_correction.method == f"tau_normalization, tau={best:g}"
    assert processor.prior is None


def test_the_size_of_the_head_does_not_matter():
    _, weight, bias, logits, target = long_tailed_logits()
    calibration = NoCalibration().fit(logits, target, None, "softmax")
    head, larger = (LinearHead.from_weights(weight * size, bias * size) for size in (1, 7))
    one, seven = (
        TauNormalization(0.8).fit_head(logits * size, target, calibration, each)
        for size, each in ((1, head), (7, larger))
    )
    assert one.scale == pytest.approx(seven.scale)
    assert np.multiply(one.offset, 7) == pytest.approx(np.array(seven.offset))


@pytest.mark.parametrize("prior", [None, (0.5, 0.25, 0.125, 0.125)])
def test_it_travels_as_json_and_as_a_state(prior):
    processor, logits = fitted(0.7, train_prior=prior), long_tailed_logits()[3]
    read = PostProcessor.from_json(json.loads(json.dumps(processor.as_json())))
    other = PostProcessor(
        read.classes, NoCalibration().fit(logits, np.zeros(400, int), None, "softmax"), None, [""] * 4
    )
    other.load_state_dict(processor.state_dict())
    for each in (read, other):
        assert np.array_equal(each.adjusted(logits), processor.adjusted(logits))
    assert "scale" in processor.as_json()["prior_correction"]


def test_a_class_with_weights_of_zero_keeps_its_logit():
    calibration = NoCalibration().fit(np.zeros((2, 3)), np.array([0, 1]), None, "softmax")
    shift = TauNormalization(1).fit_head(
        np.zeros((2, 3)), np.array([0, 1]), calibration, LinearHead((4.0, 1.0, 0.0), (0.0, 0.0, 0.0))
    )
    assert shift.scale == pytest.approx((0.5, 2, 1))


def test_what_makes_no_sense_is_refused():
    _, _, _, logits, target = long_tailed_logits()
    options = {"train_prior": (0.5, 0.25, 0.125, 0.125), "prior_correction": TauNormalization()}
    with pytest.raises(ValueError, match="needs the weights of a linear head"):
        fit_postprocessor(logits, target, list("abcd"), MaxF1(), **options)
    with pytest.raises(ValueError, match="under sigmoid each logit stands for itself"):
        fit_postprocessor(
            logits, target, list("abcd"), MaxF1(), activation="sigmoid", **options | {"train_prior": None}
        )
    with pytest.raises(ValueError, match="bias_corrected fits a bias for each class"):
        fit_postprocessor(logits, target, list("abcd"), MaxF1(), calibration=BiasCorrectedScaling(), **options)
    with pytest.raises(ValueError, match="needs probabilities: use deploy_prior instead of tau_normalization"):
        fit_postprocessor(logits, target, list("abcd"), MinCost(1, 5), **options)
    with pytest.raises(ValueError, match="prediction sets cannot follow tau_normalization"):
        fit_prediction_sets(fitted(1), ClassConditionalConformal(0.1), logits, target)
    with pytest.raises(ValueError, match="the criterion for tau must be one of"):
        TauNormalization("auroc")
    with pytest.raises(ValueError, match=r"bias must have 2|2"):
        LinearHead((1.0, 2.0), (0.0,))
