import mpmath
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from imbalance_lab.losses import LogitAdjustedLoss, logit_adjusted_cross_entropy

COUNTS = [500, 40, 3]


def batch():
    generator = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(7, 3, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([0, 1, 2, 0, 0, 2, 1])


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.5])
def test_equals_the_published_formula(tau):
    # Menon et al., eq. 10: log(1 + Σ_{j≠y} (π_j/π_y)^τ e^{z_j − z_y})
    logits, target = batch()
    class_priors = np.array(COUNTS) / sum(COUNTS)
    expected = [
        np.log1p(sum((class_priors[j] / class_priors[y]) ** tau * np.exp(z[j] - z[y]) for j in range(3) if j != y))
        for z, y in zip(logits.numpy(), target.tolist(), strict=True)
    ]
    value = logit_adjusted_cross_entropy(
        logits, target, torch.from_numpy(class_priors).log(), tau=tau, reduction="none"
    )
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_at_tau_one_is_balanced_softmax():
    # Ren et al.: −log n_y e^{z_y} / Σ n_j e^{z_j}, with 40 digits
    mpmath.mp.dps = 40
    z, y = [mpmath.mpf("0.5"), mpmath.mpf(-1), mpmath.mpf(2)], 2
    weighed = [n * mpmath.exp(x) for n, x in zip(COUNTS, z, strict=True)]
    expected = -mpmath.log(weighed[y] / sum(weighed))
    value = LogitAdjustedLoss(class_counts=COUNTS)(torch.tensor([[0.5, -1.0, 2.0]]), torch.tensor([y]))
    assert value.item() == pytest.approx(float(expected), rel=1e-6)


def test_tau_zero_is_cross_entropy():
    logits, target = batch()
    for reduction in ("none", "sum", "mean"):
        value = LogitAdjustedLoss(0, class_counts=COUNTS, reduction=reduction)(logits, target)
        expected = F.cross_entropy(logits, target, reduction=reduction)
        torch.testing.assert_close(value, expected, rtol=1e-15, atol=0)


def test_a_one_hot_distribution_has_the_loss_of_its_class():
    logits, target = batch()
    loss = LogitAdjustedLoss(class_counts=COUNTS).double()
    torch.testing.assert_close(loss(logits, F.one_hot(target, 3).double()), loss(logits, target))


def test_a_soft_target_costs_the_mixture():
    logits, target = batch()
    loss = LogitAdjustedLoss(class_counts=COUNTS).double()
    mixed = 0.3 * F.one_hot(target, 3).double() + 0.7 * F.one_hot(target.flip(0), 3)
    expected = 0.3 * loss(logits, target) + 0.7 * loss(logits, target.flip(0))
    torch.testing.assert_close(loss(logits, mixed), expected)


def test_its_minimum_is_the_balanced_posterior():
    # For a target drawn by P(y|x) the best z is log P(y|x) − τ log π, up to a constant.
    posterior = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    class_priors = torch.tensor(COUNTS, dtype=torch.float64) / sum(COUNTS)
    best = (posterior.log() - class_priors.log()).requires_grad_()
    (gradient,) = torch.autograd.grad(logit_adjusted_cross_entropy(best, posterior, class_priors.log()), best)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("shape", [(4, 2), (4, 1), (3,), (4, 3, 2)])
def test_logits_of_another_shape_are_refused(shape):
    # (4, 1) would broadcast to three equal columns and train on them.
    with pytest.raises(ValueError, match=r"logits must be \(N, 3\)"):
        LogitAdjustedLoss(class_counts=COUNTS)(torch.zeros(shape), torch.zeros(shape[0], dtype=torch.int64))
