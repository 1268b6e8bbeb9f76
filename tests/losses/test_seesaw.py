import mpmath
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from imbalance_lab.losses import SeesawLoss, seesaw_loss

SEEN = torch.tensor([500, 40, 3, 0])


def batch():
    generator = torch.Generator().manual_seed(6)
    logits = 3 * torch.randn(9, 4, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([0, 1, 2, 0, 0, 2, 1, 3, 3])


@pytest.mark.parametrize(("p", "q", "eps"), [(0.8, 2.0, 0.01), (0.8, 0.0, 0.01), (0.0, 2.0, 0.2), (0.5, 1.0, 1e-9)])
def test_equals_the_published_formula(p, q, eps):
    logits, target = batch()
    n, expected = np.maximum(SEEN.numpy(), 1), []
    for z, y in zip(logits.numpy(), target.tolist(), strict=True):
        sigma = np.exp(z) / np.exp(z).sum()
        total = np.exp(z[y])
        for j in set(range(4)) - {y}:
            mitigation = (n[j] / n[y]) ** p if n[y] > n[j] else 1
            ratio = sigma[j] / max(sigma[y], eps)
            compensation = ratio**q if ratio > 1 else 1
            total += mitigation * compensation * np.exp(z[j])
        expected.append(-np.log(np.exp(z[y]) / total))
    value = seesaw_loss(logits, target, SEEN, p=p, q=q, eps=eps, reduction="none")
    np.testing.assert_allclose(value, expected, rtol=1e-10)


def test_by_hand():
    # Class 0 seen 16 times, class 1 once, p = ½: M = ¼. z = (0, log 2), q = 1: C = 2. log(1 + ¼ · 2 · 2)
    logits = torch.tensor([[0.0, np.log(2)]], dtype=torch.float64)
    value = seesaw_loss(logits, torch.tensor([0]), torch.tensor([16, 1]), p=0.5, q=1.0)
    assert value.item() == pytest.approx(np.log(2), rel=1e-12)


@pytest.mark.parametrize("target", [0, 1, 2, 3])
def test_value_with_40_digits(target):
    mpmath.mp.dps = 40
    z, n = [1.5, -2, 4, 0], [500, 40, 3, 1]
    exponentials = [mpmath.exp(x) for x in z]
    p = [e / sum(exponentials) for e in exponentials]
    other = [
        min(1, mpmath.mpf(n[j]) / n[target]) ** mpmath.mpf("0.8")
        * max(1, p[j] / max(p[target], mpmath.mpf("0.01"))) ** 2
        * exponentials[j]
        for j in range(4) if j != target
    ]  # fmt: skip
    expected = mpmath.log(1 + sum(other) / exponentials[target])
    value = seesaw_loss(torch.tensor([z]), torch.tensor([target]), SEEN)
    assert value.item() == pytest.approx(float(expected), rel=2e-6)


def test_without_mitigation_and_compensation_is_cross_entropy():
    logits, target = batch()
    for reduction in ("none", "sum", "mean"):
        value = seesaw_loss(logits, target, SEEN, p=0, q=0, reduction=reduction)
        expected = F.cross_entropy(logits, target, reduction=reduction)
        torch.testing.assert_close(value, expected, rtol=1e-15, atol=0)


def test_a_correct_prediction_among_equal_counts_is_cross_entropy():
    logits, _ = batch()
    target = logits.argmax(1)
    torch.testing.assert_close(seesaw_loss(logits, target, torch.full((4,), 7)), F.cross_entropy(logits, target))


def test_no_gradient_flows_through_the_factors():
    # With S a constant the gradient is softmax(z + log S) − onehot, as in the authors' code.
    logits, target = batch()
    logits.requires_grad_()
    value = seesaw_loss(logits, target, SEEN, reduction="sum")
    (gradient,) = torch.autograd.grad(value, logits)
    detached = logits.detach()
    n = SEEN.clamp(min=1).double()
    mitigation = (n / n[target][:, None]).clamp(max=1) ** 0.8
    p = detached.softmax(1)
    compensation = (p / p.gather(1, target[:, None]).clamp(min=0.01)).clamp(min=1) ** 2
    onehot = F.one_hot(target, 4).bool()
    scaled = (mitigation * compensation).masked_fill(onehot, 1) * detached.exp()
    torch.testing.assert_close(gradient, scaled / scaled.sum(1, keepdim=True) - onehot.double())


def test_counts_only_the_targets_it_trains_on():
    logits, target = batch()
    loss = SeesawLoss(class_counts=[9, 9, 9, 9])
    loss(logits, target)
    loss(logits, torch.tensor([-100, 3, -100, -100, -100, -100, -100, -100, 0]))
    assert loss.seen.tolist() == [4, 2, 2, 3]
    loss.eval()(logits, target)
    assert loss.seen.tolist() == [4, 2, 2, 3]


def test_the_batch_is_counted_before_its_loss_is_computed():
    logits, target = batch()
    expected = seesaw_loss(logits, target, torch.bincount(target, minlength=4))
    torch.testing.assert_close(SeesawLoss(class_counts=[9, 9, 9, 9])(logits, target), expected)


def test_counts_stay_integers_when_the_module_is_converted_to_half_precision():
    loss = SeesawLoss(class_counts=[9, 9]).half()
    loss(torch.zeros(3000, 2), torch.zeros(3000, dtype=torch.int64))
    assert loss.seen.tolist() == [3000, 0]


def test_a_soft_target_is_refused():
    with pytest.raises(ValueError, match=r"class indices \(N,\)"):
        SeesawLoss(class_counts=[9, 9, 9])(torch.zeros(2, 3), torch.full((2, 3), 1 / 3))
