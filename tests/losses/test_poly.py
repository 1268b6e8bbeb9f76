import mpmath
import numpy as np
import pytest
import torch
from timm.loss import PolyCrossEntropy
from torch.nn import functional as F

from imbalance_lab.losses import PolyLoss, poly_loss


def batch():
    generator = torch.Generator().manual_seed(4)
    logits = 3 * torch.randn(7, 3, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([0, 1, 2, 0, 0, 2, 1])


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 1.0, 2.5])
def test_equals_the_published_formula(epsilon):
    logits, target = batch()
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    p_target = p[np.arange(len(target)), target]
    expected = -np.log(p_target) + epsilon * (1 - p_target)
    np.testing.assert_allclose(poly_loss(logits, target, epsilon=epsilon, reduction="none"), expected, rtol=1e-12)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_agrees_with_timm_value_and_gradient(epsilon, mixed, reduction):
    logits, target = batch()
    logits = logits.float().requires_grad_()
    target = logits.detach().flip(0).softmax(1) if mixed else target
    value = PolyLoss(epsilon, reduction=reduction)(logits, target)
    expected = PolyCrossEntropy(epsilon, reduction=reduction)(logits, target)
    torch.testing.assert_close(value, expected)
    gradients = (torch.autograd.grad(v.sum(), logits)[0] for v in (value, expected))
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("lead", [-20, 0.5, 10])
def test_value_with_40_digits(lead):
    mpmath.mp.dps = 40
    p = 1 / (1 + mpmath.exp(-mpmath.mpf(lead)))
    logits = torch.tensor([[lead, 0.0]], dtype=torch.float64)
    value = poly_loss(logits, torch.tensor([0]), epsilon=1.5)
    assert value.item() == pytest.approx(float(-mpmath.log(p) + 1.5 * (1 - p)), rel=1e-11)


def test_is_the_polynomial_with_its_first_coefficient_moved():
    # −log p = Σ (1 − p)^j / j: with ε = −1 the first term is gone
    logits, target = batch()
    logits /= 3  # no p so small that 3000 terms are not enough
    miss = 1 - logits.softmax(1).gather(1, target[:, None]).squeeze(1)
    terms = torch.stack([miss**j / j for j in range(2, 3000)])
    value = poly_loss(logits, target, epsilon=-1, reduction="none")
    torch.testing.assert_close(value, terms.sum(0))


def test_epsilon_zero_is_cross_entropy():
    logits, target = batch()
    for reduction in ("none", "sum", "mean"):
        value = PolyLoss(0, reduction=reduction)(logits, target)
        expected = F.cross_entropy(logits, target, reduction=reduction)
        torch.testing.assert_close(value, expected, rtol=1e-15, atol=0)


def test_a_one_hot_distribution_has_the_loss_of_its_class():
    logits, target = batch()
    torch.testing.assert_close(PolyLoss()(logits, F.one_hot(target, 3).double()), PolyLoss()(logits, target))


def test_a_smoothed_target_equals_the_authors_formula():
    # Leng et al., appendix: cross-entropy of the smoothed labels + ε Σ y (1 − p)
    logits, target = batch()
    smooth = 0.9 * F.one_hot(target, 3).double() + 0.1 / 3
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = (-smooth.numpy() * np.log(p)).sum(1) + 2 * (smooth.numpy() * (1 - p)).sum(1)
    np.testing.assert_allclose(poly_loss(logits, smooth, epsilon=2, reduction="none"), expected, rtol=1e-12)
    np.testing.assert_allclose(poly_loss(logits, smooth, epsilon=2), expected.mean(), rtol=1e-12)


def test_a_better_prediction_never_costs_more():
    lead = torch.linspace(-5, 5, 101)
    cost = poly_loss(
        torch.stack([lead, 0 * lead], 1), torch.zeros(101, dtype=torch.int64), epsilon=-1, reduction="none"
    )
    assert (cost.diff() <= 0).all()
