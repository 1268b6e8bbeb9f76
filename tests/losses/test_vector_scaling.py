import mpmath
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from imbalance_lab.class_counts import class_weights
from imbalance_lab.losses import LogitAdjustedLoss, VectorScalingLoss, vector_scaling_loss

COUNTS = [500, 40, 3]


def batch():
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(7, 3, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([0, 1, 2, 0, 0, 2, 1])


@pytest.mark.parametrize(("gamma", "tau"), [(0.3, 1.0), (0.15, 1.25), (1.0, 0.0)])
def test_equals_the_published_formula(gamma, tau):
    # Kini et al.: −log e^{Δ_y z_y + ι_y} / Σ e^{Δ_j z_j + ι_j}
    logits, target = batch()
    counts = np.array(COUNTS)
    delta, iota = (counts / counts.max()) ** gamma, tau * np.log(counts / counts.sum())
    scores = np.exp(delta * logits.numpy() + iota)
    expected = -np.log(scores[np.arange(len(target)), target] / scores.sum(1))
    value = vector_scaling_loss(logits, target, torch.from_numpy(delta), torch.from_numpy(iota), reduction="none")
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    module = VectorScalingLoss(gamma, tau, class_counts=COUNTS, reduction="none")
    np.testing.assert_allclose(module(logits, target), expected, rtol=1e-5)


def test_by_hand():
    # n = (16, 1), γ = ½: Δ = (1, ¼); z = (2, 4) → (2, 1); τ = 0: target 1 costs log(1 + e)
    loss = VectorScalingLoss(0.5, 0, class_counts=[16, 1])
    value = loss(torch.tensor([[2.0, 4.0]]), torch.tensor([1]))
    assert value.item() == pytest.approx(np.log1p(np.e), rel=1e-6)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_value_with_40_digits(target):
    mpmath.mp.dps = 40
    z = [1.5, -2, 4]
    scores = [
        (mpmath.mpf(n) / 500) ** mpmath.mpf("0.25") * x + mpmath.log(mpmath.mpf(n) / 543)
        for n, x in zip(COUNTS, z, strict=True)
    ]
    expected = mpmath.log(sum(mpmath.exp(s) for s in scores)) - scores[target]
    value = VectorScalingLoss(0.25, class_counts=COUNTS)(torch.tensor([z]), torch.tensor([target]))
    assert value.item() == pytest.approx(float(expected), rel=1e-6, abs=5e-7)


def test_gamma_zero_is_logit_adjusted_cross_entropy():
    logits, target = batch()
    for tau in (0, 0.7, 1):
        value = VectorScalingLoss(0, tau, class_counts=COUNTS)(logits, target)
        torch.testing.assert_close(
            value, LogitAdjustedLoss(tau, class_counts=COUNTS)(logits, target), rtol=1e-6, atol=0
        )


def test_weights_average_as_in_torch():
    logits, target = batch()
    loss = VectorScalingLoss(weight="inverse", class_counts=COUNTS).double()
    expected = F.cross_entropy(loss.delta * logits + loss.iota, target, class_weights(COUNTS, "inverse"))
    torch.testing.assert_close(loss(logits, target), expected, rtol=1e-6, atol=0)


def test_a_soft_target_costs_the_mixture():
    logits, target = batch()
    loss = VectorScalingLoss(class_counts=COUNTS).double()
    mixed = 0.3 * F.one_hot(target, 3).double() + 0.7 * F.one_hot(target.flip(0), 3)
    expected = 0.3 * loss(logits, target) + 0.7 * loss(logits, target.flip(0))
    torch.testing.assert_close(loss(logits, mixed), expected)
