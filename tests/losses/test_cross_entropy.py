"""The cross-entropy is torch's, but for what its docstring says."""

import re

import mpmath
import pytest
import torch
import torch.nn.functional as F
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy

from imbalance_lab.losses import CrossEntropyLoss


@pytest.mark.parametrize(
    ("weight", "label_smoothing", "soft"),
    [(None, 0.0, False), (None, 0.0, True), (None, 0.1, False), (None, 0.1, True), ([0.5, 1.0, 2.0], 0.0, False)],
)  # weights beside smoothing or distributions weigh the example here: test_optimum.py
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_equals_torchs(weight, label_smoothing, reduction, soft):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 3, 4, generator=generator).requires_grad_()
    target = torch.randint(3, (6, 4), generator=generator)
    target[0, 1] = -100
    target = torch.softmax(logits.detach().flip(0), 1) if soft else target
    ours = CrossEntropyLoss(weight, label_smoothing=label_smoothing, reduction=reduction)(logits, target)
    theirs = F.cross_entropy(
        logits, target, None if weight is None else torch.tensor(weight),
        label_smoothing=label_smoothing, reduction=reduction,
    )  # fmt: skip
    gradients = [torch.autograd.grad(loss.sum(), logits)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*gradients)
    if reduction != "mean" or (weight is None and label_smoothing == 0):
        assert torch.equal(ours, theirs)
        assert torch.equal(*gradients)


def test_agrees_with_timm():
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(6, 3, generator=generator), torch.tensor([0, 1, 2, 2, 1, 2])
    smoothed = CrossEntropyLoss(label_smoothing=0.1)(logits, target)
    torch.testing.assert_close(smoothed, LabelSmoothingCrossEntropy(0.1)(logits, target))
    mixed = torch.softmax(logits.flip(0), 1)
    torch.testing.assert_close(CrossEntropyLoss()(logits, mixed), SoftTargetCrossEntropy()(logits, mixed))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_value_with_40_digits(smoothing):
    # Σ_i w_{y_i} Σ_c y_ic (−log p_ic) / Σ_i w_{y_i}, with y smoothed
    mpmath.mp.dps = 40
    rows, target, weight = [[2, 0, -1], [-30, 0.5, 0]], [1, 0], [0.25, 1, 3]
    total = mpmath.mpf(0)
    for row, y in zip(rows, target, strict=True):
        log_sum = mpmath.log(sum(mpmath.exp(z) for z in row))
        for c, z in enumerate(row):
            share = (1 - mpmath.mpf(smoothing)) * (c == y) + mpmath.mpf(smoothing) / 3
            total += weight[y] * share * (log_sum - z)
    expected = total / sum(weight[y] for y in target)
    loss = CrossEntropyLoss(weight, label_smoothing=smoothing)
    value = loss(torch.tensor(rows, dtype=torch.float64), torch.tensor(target))
    assert value.item() == pytest.approx(float(expected), rel=1e-12)


def test_equal_counts_weigh_equally():
    logits, target = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 2, 1, 2])
    for name in ("inverse", "sqrt_inverse", "effective"):
        loss = CrossEntropyLoss(name, class_counts=[7, 7, 7])
        torch.testing.assert_close(loss(logits, target), F.cross_entropy(logits, target))
        assert CrossEntropyLoss(name, class_counts=[7, 7, 1])(logits, target) != F.cross_entropy(logits, target)


@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0]])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_mean_over_nothing_is_zero_with_a_zero_gradient(weight, label_smoothing):
    logits = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = CrossEntropyLoss(weight, label_smoothing=label_smoothing)(logits, torch.full((2,), -100))
    assert loss == 0
    assert (torch.autograd.grad(loss, logits)[0] == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0]])
def test_half_precision_is_computed_in_float32(dtype, weight):
    logits = (torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * 50).to(dtype)
    target = torch.arange(500) % 3
    module = CrossEntropyLoss(weight)
    precise = module(logits.float(), target)
    assert module(logits, target) == precise.to(dtype)
    assert module(torch.full((2, 3), 1e4, dtype=dtype), torch.tensor([0, 1])).isfinite()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"weight": 0.5}, TypeError, "weight must be a list of one number per class, got 0.5"),
        ({"weight": "rare"}, ValueError, "one of inverse, sqrt_inverse, effective, got 'rare'"),
        ({"weight": "inverse"}, ValueError, "give class_counts"),
        ({"weight": [1, "x"]}, TypeError, "weight[1] must be a number, got 'x'"),
        ({"weight": [1, -1]}, ValueError, "weight[1] must be a finite number ≥ 0, got -1"),
        ({"weight": [1, 1], "class_counts": [3, 4, 5]}, ValueError, "weight has 2 numbers, but there are 3 classes"),
        ({"label_smoothing": 2}, ValueError, "label_smoothing must be a finite number in [0, 1], got 2"),
        ({"reduction": "average"}, ValueError, "reduction must be one of none, sum, mean, got 'average'"),
        ({"ignore_index": 1.5}, TypeError, "ignore_index must be an integer, got 1.5"),
    ],
)
def test_invalid_arguments_are_refused_when_built(arguments, error, says):
    with pytest.raises(error, match=re.escape(says)):
        CrossEntropyLoss(**arguments)


def test_invalid_targets_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="target 255 is none of the 3 classes"):
        CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 255]))
    assert CrossEntropyLoss(ignore_index=255)(torch.zeros(2, 3), torch.tensor([0, 255])) == pytest.approx(1.0986123)
