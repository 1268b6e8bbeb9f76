"""`PostProcessor` as an `nn.Module`: tensors, state_dict, devices, dtypes, export."""

import io

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from torch import nn

from imbalance_lab.metrics import softmax_log_odds
from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    Calibration,
    DeployPrior,
    MinRecall,
    NoCalibration,
    PostProcessor,
    Threshold,
    fit_postprocessor,
    implied_prior,
)

CLASSES = ("a", "b", "c")
METHODS = ("adjusted", "probabilities", "log_odds", "flags")


def examples(activation="softmax", n=3000, seed=0):
    rng = np.random.default_rng(seed)
    logits = np.round(rng.normal(0, 3, (n, 3)), 1).astype(np.float32)  # rounded: many ties
    if activation == "softmax":
        return logits, (logits + rng.gumbel(size=logits.shape)).argmax(1)
    return logits, (rng.random(logits.shape) < expit(logits)).astype(np.int64)


def fitted(activation="softmax", **options):
    prior = implied_prior([60, 30, 10])
    options = {"calibration": BiasCorrectedScaling(), "prior_correction": DeployPrior((0.2, 0.3, 0.5))} | options
    return fit_postprocessor(
        *examples(activation), CLASSES, MinRecall(0.8), train_prior=prior, activation=activation, **options
    )


def blank(activation="softmax"):
    """The same architecture before anything is loaded."""
    return PostProcessor(CLASSES, Calibration(activation, 1.0, (0.0,) * 3, None), None, ("not loaded",) * 3)


@pytest.fixture(params=["softmax", "sigmoid"])
def postprocessor(request):
    return fitted(request.param)


def test_arrays_and_tensors_agree_on_every_example(postprocessor):
    logits, target = examples(postprocessor.activation)
    for method in METHODS:
        from_array, from_tensor = (
            getattr(postprocessor, method)(logits),
            getattr(postprocessor, method)(torch.tensor(logits)),
        )
        assert isinstance(from_array, np.ndarray)
        assert np.array_equal(from_array, from_tensor.numpy())
    flags, scores = postprocessor.flags(logits), postprocessor.log_odds(logits)
    for c, threshold in enumerate(postprocessor.thresholds):
        assert (scores[:, c] == np.float32(threshold.log_odds)).sum() >= 1  # ties at the threshold are among them
        assert np.array_equal(flags[:, c], scores[:, c] >= np.float32(threshold.log_odds))
        truth = target == c if target.ndim == 1 else target[:, c] == 1
        assert (threshold.tp, threshold.fp) == ((flags[:, c] & truth).sum(), (flags[:, c] & ~truth).sum())


def test_arithmetic_is_that_of_numpy_in_float64(postprocessor):
    logits, _ = examples(postprocessor.activation, seed=1)
    calibration, offset = postprocessor.calibration, np.array(postprocessor.prior_correction.offset)
    expected = logits.astype(np.float64) / calibration.temperature + np.array(calibration.bias) + offset
    assert np.array_equal(postprocessor.adjusted(logits), expected)
    is_softmax = postprocessor.activation == "softmax"
    probabilities = softmax(expected, 1) if is_softmax else expit(expected)
    np.testing.assert_allclose(postprocessor.probabilities(logits), probabilities, rtol=1e-13)
    odds = softmax_log_odds(torch.tensor(expected)).numpy() if is_softmax else expected
    assert np.array_equal(postprocessor.log_odds(logits), odds.astype(np.float32))


def test_predict_labels_of_tensors():
    logits, _ = examples()
    predicted = fitted().predict_labels(torch.tensor(logits))
    assert np.array_equal(predicted.numpy(), fitted().predict_labels(logits))


def test_state_dict_restores_everything(postprocessor):
    file = io.BytesIO()
    torch.save(postprocessor.state_dict(), file)
    file.seek(0)
    loaded = blank()
    loaded.load_state_dict(torch.load(file, weights_only=True))
    logits, target = examples(postprocessor.activation, seed=1)
    for method in METHODS:
        assert np.array_equal(getattr(loaded, method)(logits), getattr(postprocessor, method)(logits))
    assert loaded.as_json() == postprocessor.as_json()
    assert loaded.evaluate_on(logits, target) == postprocessor.evaluate_on(logits, target)


def test_state_dict_with_another_number_of_classes_raises():
    two = PostProcessor(("a", "b"), Calibration("softmax", 1.0, (0.0, 0.0), None), None, ("", ""))
    with pytest.raises(RuntimeError, match="size mismatch for bias"):
        two.load_state_dict(fitted().state_dict())


@pytest.mark.parametrize("cast", [nn.Module.half, nn.Module.bfloat16, nn.Module.float, nn.Module.double])
def test_casting_the_net_changes_no_decision(cast):
    postprocessor, (logits, _) = fitted(), examples(seed=1)
    before = postprocessor.flags(logits)
    net = cast(nn.Sequential(nn.Linear(3, 3), postprocessor))
    assert net[0].weight.dtype == cast(nn.Linear(1, 1)).weight.dtype
    assert [buffer.dtype for buffer in postprocessor.buffers()] == [torch.float64] * 3 + [torch.float32]
    assert np.array_equal(postprocessor.flags(logits), before)


def test_moves_with_its_net():
    net = nn.Sequential(nn.Linear(3, 3), fitted()).to("meta")
    assert {tensor.device.type for tensor in [*net.parameters(), *net.buffers()]} == {"meta"}
    assert net(torch.empty(5, 3, device="meta")).shape == (5, 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_decisions_on_a_gpu_are_those_on_the_cpu(postprocessor):
    logits, _ = examples(postprocessor.activation)
    on_cpu = postprocessor.flags(logits)
    postprocessor.to("cuda")
    assert np.array_equal(postprocessor.flags(torch.tensor(logits, device="cuda")).cpu().numpy(), on_cpu)
    assert np.array_equal(postprocessor.flags(logits), on_cpu)


class Net(nn.Module):
    """A net with post-processing, as it would be deployed."""

    def __init__(self, postprocessor):
        super().__init__()
        self.backbone, self.postprocessor = nn.Linear(4, 3), postprocessor

    def forward(self, x):
        logits = self.backbone(x)
        return tuple(getattr(self.postprocessor, method)(logits) for method in METHODS)


def test_exports_with_a_dynamic_batch(postprocessor):
    net = Net(postprocessor).eval()
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(net, (torch.randn(4, 4),), dynamic_shapes=(batch,))
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    exported = torch.export.load(file).module()
    x = torch.randn(200, 4) * torch.logspace(-2, 4, 200)[:, None]  # log-odds from 0 to beyond exp's range
    for ours, theirs in zip(net(x), exported(x), strict=True):
        assert torch.equal(ours, theirs)


def test_infinite_threshold_flags_nothing():
    never = Threshold("none", np.inf, 0, 0, 1, 1)
    postprocessor = PostProcessor(("a",), Calibration("sigmoid", 1.0, (0.0,), None), None, (never,))
    infinite = np.array([[np.inf], [1.0]], np.float32)
    assert not postprocessor.flags(infinite).any()
    assert not never.flags(infinite[:, 0]).any()


def test_read_only_and_strided_arrays_are_accepted():
    logits, _ = examples()
    expected = fitted().flags(logits)
    logits.flags.writeable = False
    assert np.array_equal(fitted().flags(logits), expected)
    assert np.array_equal(fitted().flags(logits[::-1]), expected[::-1])


def test_wrong_shapes_raise():
    for logits in (np.zeros((4, 2)), torch.zeros(3)):
        with pytest.raises(ValueError, match=r"logits must have shape \(N, 3\)"):
            fitted().adjusted(logits)


class HalveConfidence:
    """A calibration method from another package: it satisfies the protocol without a base class."""

    estimates_prior = False

    def validate(self, num_classes, train_prior, activation):
        if num_classes > 3:
            raise ValueError("too many classes for this method")

    def fit(self, logits, target, train_prior, activation):
        return Calibration(activation, 2.0, (0.0,) * logits.shape[1], train_prior)


def test_accepts_calibration_methods_of_other_packages():
    logits, _ = examples()
    theirs = fitted(calibration=HalveConfidence())
    ours = fitted(calibration=NoCalibration())
    np.testing.assert_allclose(theirs.adjusted(2 * logits), ours.adjusted(logits))
    with pytest.raises(ValueError, match="too many classes"):
        fit_postprocessor(
            np.zeros((4, 4)), np.arange(4), "abcd", MinRecall(0.8), train_prior=None, calibration=HalveConfidence()
        )


class WithoutPriorShift:
    """A rule of another package, which says nothing about class priors."""

    def __call__(self, scores, positive):
        return Threshold("zero", 0.0, 0, 0, 0, 0).on(scores, positive)

    def __str__(self):
        return "log-odds ≥ 0"


def test_rules_of_other_packages_must_say_that_they_hold_under_prior_shift():
    logits, target = examples()
    rule = WithoutPriorShift()
    with pytest.raises(ValueError, match="log-odds ≥ 0 on validation does not hold for other class priors"):
        fit_postprocessor(
            logits, target, CLASSES, rule, train_prior=(0.2, 0.3, 0.5), prior_correction=DeployPrior((0.2, 0.3, 0.5))
        )
    assert fit_postprocessor(logits, target, CLASSES, rule, train_prior=None).thresholds[0].rule == "zero"
