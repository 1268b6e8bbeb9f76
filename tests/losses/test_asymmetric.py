import mpmath
import numpy as np
import pytest
import torch
from timm.loss import AsymmetricLossMultiLabel
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from imbalance_lab.losses import AsymmetricLoss, asymmetric_loss


def batch():
    generator = torch.Generator().manual_seed(5)
    logits = 4 * torch.randn(8, 5, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(8, 5, generator=generator) < 0.3).double()


@pytest.mark.parametrize(
    ("gamma_positive", "gamma_negative", "margin"), [(1.0, 4.0, 0.05), (0.0, 2.0, 0.2), (0.5, 0.5, 0.0)]
)
def test_equals_the_published_formula(gamma_positive, gamma_negative, margin):
    logits, target = batch()
    p, y = 1 / (1 + np.exp(-logits.numpy())), target.numpy()
    shifted = np.maximum(p - margin, 0)
    positive = (1 - p) ** gamma_positive * np.log(p)
    negative = shifted**gamma_negative * np.log(1 - shifted)
    value = asymmetric_loss(
        logits,
        target,
        gamma_positive=gamma_positive,
        gamma_negative=gamma_negative,
        margin=margin,
        reduction="none",
    )
    np.testing.assert_allclose(value, -(y * positive + (1 - y) * negative), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("z", ["-8", "0.3", "12"])
def test_value_with_40_digits(z):
    mpmath.mp.dps = 40
    p, m = 1 / (1 + mpmath.exp(-mpmath.mpf(z))), mpmath.mpf("0.0001")
    logits = torch.tensor([[float(z), float(z)]])
    value = asymmetric_loss(logits, torch.tensor([[1, 0]]), margin=1e-4, reduction="none")[0]
    shifted = max(p - m, 0)
    assert value[0].item() == pytest.approx(float(-(1 - p) * mpmath.log(p)), rel=1e-5)
    assert value[1].item() == pytest.approx(float(-(shifted**4) * mpmath.log(1 - shifted)), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(("gamma_positive", "gamma_negative", "margin"), [(1.0, 4.0, 0.05), (0.0, 2.0, 0.2)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_agrees_with_timm_value_and_gradient(gamma_positive, gamma_negative, margin, reduction):
    logits, target = batch()
    logits = logits.float().requires_grad_()
    value = AsymmetricLoss(gamma_positive, gamma_negative, margin, reduction=reduction)(logits, target)
    expected = AsymmetricLossMultiLabel(gamma_negative, gamma_positive, margin, reduction=reduction)(logits, target)
    torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6)  # timm takes the powers of 1 − p
    gradients = (torch.autograd.grad(v.sum(), logits)[0] for v in (value, expected))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_symmetric_without_margin_is_torchvisions_sigmoid_focal_loss(gamma):
    logits, target = batch()
    for reduction in ("none", "sum", "mean"):
        value = asymmetric_loss(
            logits, target, gamma_positive=gamma, gamma_negative=gamma, margin=0, reduction=reduction
        )
        expected = sigmoid_focal_loss(logits, target, alpha=-1, gamma=gamma, reduction=reduction)
        torch.testing.assert_close(value, expected)


def test_without_focusing_and_margin_is_binary_cross_entropy_value_and_gradient():
    logits, target = batch()
    logits = torch.cat([logits, torch.full((1, 5), -1e4), torch.full((1, 5), 1e4)]).requires_grad_()
    target = torch.cat([target, torch.ones(1, 5), torch.zeros(1, 5)])
    value = AsymmetricLoss(0, 0, 0)(logits, target)
    expected = F.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(value, expected)
    gradients = (torch.autograd.grad(v, logits)[0] for v in (value, expected))
    torch.testing.assert_close(*gradients)


def test_an_absent_label_below_the_margin_gets_neither_loss_nor_gradient():
    logits = torch.logit(torch.tensor([[0.01, 0.049, 0.06]])).requires_grad_()
    value = asymmetric_loss(logits, torch.zeros(1, 3), reduction="none")
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert (value[0, :2] == 0).all()
    assert (gradient[0, :2] == 0).all()
    assert value[0, 2] > 0
    assert gradient[0, 2] > 0


def test_a_surely_predicted_absent_label_gets_little_gradient():
    # Ridnik et al.: so a wrong annotation does little harm; with m = 0 the gradient would approach 1.
    logits = torch.tensor([[0.0, 12.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(asymmetric_loss(logits, torch.zeros(1, 2), margin=0.05, reduction="sum"), logits)
    assert gradient[0, 1] < 1e-3 < gradient[0, 0]


def test_fractional_focusing_has_a_finite_gradient_everywhere():
    logits = torch.linspace(-300, 300, 601)[:, None].requires_grad_()
    for y in (0.0, 1.0):
        value = asymmetric_loss(
            logits, torch.full_like(logits, y), gamma_positive=0.3, gamma_negative=0.3, reduction="sum"
        )
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(gradient).all()


def test_class_indices_are_taken_one_against_the_rest():
    logits, _ = batch()
    target = torch.tensor([0, 4, 2, 1, 3, 3, 0, 2])
    assert torch.equal(AsymmetricLoss()(logits, target), AsymmetricLoss()(logits, F.one_hot(target)))


def test_a_target_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"target of shape \(2, 1\) does not fit logits of shape \(2, 3\)"):
        AsymmetricLoss()(torch.zeros(2, 3), torch.zeros(2, 1))


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("gamma", [0.0, 1e-30])
@pytest.mark.parametrize("learned", [False, True])
def test_gamma_zero_has_the_digits_of_gamma_near_zero(margin, gamma, learned):
    logits = torch.tensor([[-200.0, -30.0, -8.0, 0.0, 2.0, 14.0, 30.0, 200.0]], requires_grad=True)
    focus = torch.tensor(gamma, requires_grad=True) if learned else gamma
    shift = torch.tensor(margin, requires_grad=True) if learned else margin
    options = {"gamma_positive": focus, "gamma_negative": focus, "margin": shift, "reduction": "none"}
    with mpmath.workdps(200):
        m = mpmath.mpf(float(torch.tensor(margin)))
        absent = [1 / (1 + mpmath.exp(mpmath.mpf(z))) for z in logits[0].tolist()]
        for y in (0.0, 1.0):
            value = asymmetric_loss(logits, torch.full_like(logits, y), **options)
            (gradient,) = torch.autograd.grad(value.sum(), logits)
            if y:
                expected = [-mpmath.log(1 - q) for q in absent]
                slopes = [-q for q in absent]
            else:
                expected = [-mpmath.log(min(q + m, 1)) for q in absent]
                slopes = [q * (1 - q) / (q + m) if q + m < 1 else 0 for q in absent]
            assert value[0].tolist() == pytest.approx([float(v) for v in expected], rel=2e-6, abs=1e-38)
            assert gradient[0].tolist() == pytest.approx([float(v) for v in slopes], rel=4e-6, abs=1e-38)
