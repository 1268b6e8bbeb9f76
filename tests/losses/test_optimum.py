"""Where losses are least: weights of classes say how much an example counts, never what is predicted of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor, nn

from imbalance_lab.losses import CrossEntropyLoss, FocalLoss, VectorScalingLoss, sigmoid_focal_loss

WEIGHTS = st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3)
SMOOTHING = st.floats(0.01, 0.99)
LOSSES = {
    "cross-entropy": lambda weight, **arguments: CrossEntropyLoss(weight, **arguments),
    "focal, γ = 0": lambda weight, **arguments: FocalLoss(0.0, weight, **arguments),
    "focal, γ = 0 of each": lambda weight, **arguments: FocalLoss([0.0, 0.0, 0.0], weight, **arguments),
}
BENT = {  # least elsewhere than at the target, and on purpose
    "focal": lambda weight, **arguments: FocalLoss(2.0, weight, **arguments),
    "focal, a γ of each": lambda weight, **arguments: FocalLoss([0.5, 1.0, 3.0], weight, **arguments),
    "vector scaling": lambda weight, label_smoothing, **arguments: VectorScalingLoss(
        weight=weight, class_counts=[90, 9, 1], **arguments
    ),
}
EVERY = LOSSES | BENT


def targets(soft: bool) -> tuple[Tensor, Tensor]:
    """Every class once as a number, or three mixtures; and each as a distribution."""
    if not soft:
        return torch.arange(3), torch.eye(3, dtype=torch.float64)
    mixtures = torch.tensor([[0.7, 0.3, 0.0], [0.2, 0.5, 0.3], [0.0, 0.1, 0.9]], dtype=torch.float64)
    return mixtures, mixtures


def minimizer(loss: nn.Module, target: Tensor, classes: int) -> Tensor:
    """The probabilities that cost least, found from even ones."""
    logits = torch.zeros(len(target), classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [logits], 1, 500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        cost: Tensor = loss(logits, target)
        cost.backward()
        return cost

    optimizer.step(closure)
    return logits.detach().softmax(1)


@pytest.mark.parametrize(
    "make", [CrossEntropyLoss, lambda weight, **arguments: FocalLoss(0, weight, **arguments)], ids=["ce", "focal"]
)
def test_the_reported_case(make):
    """Weights of 1 % and 99 %: with torch's formula an example of the frequent class wants 16 % and 84 %."""
    loss = make([0.01, 0.99], label_smoothing=0.1).double()
    wanted = torch.tensor([[0.95, 0.05]], dtype=torch.float64)
    torch.testing.assert_close(minimizer(loss, torch.tensor([0]), 2), wanted, rtol=0, atol=1e-6)
    torchs = nn.CrossEntropyLoss(torch.tensor([0.01, 0.99], dtype=torch.float64), label_smoothing=0.1)
    assert minimizer(torchs, torch.tensor([0]), 2)[0, 0] == pytest.approx(0.16, abs=0.005)


@pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("soft", [False, True])
@settings(max_examples=25, deadline=None)
@given(WEIGHTS, SMOOTHING)
def test_at_the_optimum_p_is_the_target_whatever_the_weights(make, reduction, soft, weight, smoothing):
    target, shares = targets(soft)
    smoothed = (1 - smoothing) * shares + smoothing / 3
    logits = smoothed.log().requires_grad_()  # cross-entropy is convex: where the gradient is 0 is the minimum
    loss = make(weight, label_smoothing=smoothing, reduction=reduction).double()
    (gradient,) = torch.autograd.grad(loss(logits, target).sum(), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-13 * (1 + max(weight)))
    (elsewhere,) = torch.autograd.grad(loss(logits.flip(1) + logits * 2, target).sum(), logits)
    assert elsewhere.abs().max() > 1e-6 * min(weight)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("soft", [False, True])
@settings(max_examples=25, deadline=None)
@given(WEIGHTS, SMOOTHING)
def test_weights_only_scale_what_an_example_costs(make, soft, weight, smoothing):
    target, shares = targets(soft)
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    of_example = shares @ torch.tensor(weight, dtype=torch.float64)
    arguments = {"label_smoothing": smoothing, "reduction": "none"}
    weighted, plain = make(weight, **arguments).double(), make(None, **arguments).double()
    torch.testing.assert_close(weighted(logits, target), of_example * plain(logits, target), rtol=1e-6, atol=0)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.sampled_from([0.0, 0.5, 2.0]))
def test_alpha_of_the_sigmoid_focal_loss_only_scales_soft_labels(alpha, label, gamma):
    z = torch.linspace(-5, 5, 9, dtype=torch.float64)
    y = torch.full_like(z, label)
    arguments = {"gamma": gamma, "reduction": "none"}
    plain = sigmoid_focal_loss(z, y, alpha=None, **arguments)
    of_label = alpha * label + (1 - alpha) * (1 - label)
    torch.testing.assert_close(sigmoid_focal_loss(z, y, alpha=alpha, **arguments), of_label * plain)
    best = torch.tensor(label, dtype=torch.float64).logit().requires_grad_()
    (gradient,) = torch.autograd.grad(sigmoid_focal_loss(best, y[0], alpha=alpha, gamma=0), best)
    assert abs(gradient.item()) < 1e-14


def recalls(loss: nn.Module) -> list[float]:
    """The recalls of a linear model of the digit 8, subsampled to 2 %, against the others, on the held-out half."""
    digits = load_digits()
    rare, frequent = np.flatnonzero(digits.target == 8), np.flatnonzero(digits.target != 8)
    kept = np.concatenate([frequent, rare[: round(len(frequent) / 49)]])
    inputs = torch.from_numpy(digits.data[kept] / 16)
    target = torch.from_numpy(digits.target[kept] == 8).long()
    net = nn.Linear(64, 2, dtype=torch.float64)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    optimizer = torch.optim.LBFGS(net.parameters(), 1, 60, line_search_fn="strong_wolfe")
    train = torch.arange(len(target)) % 2 == 0

    def closure() -> Tensor:
        optimizer.zero_grad()
        cost: Tensor = loss(net(inputs[train]), target[train])
        cost.backward()
        return cost

    optimizer.step(closure)
    predicted = net(inputs[~train]).argmax(1)
    return [(predicted == c)[target[~train] == c].double().mean().item() for c in (0, 1)]


def test_smoothing_no_longer_sacrifices_the_frequent_class():
    weight, smoothing = torch.tensor([0.02, 0.98], dtype=torch.float64), 0.1
    weighted = recalls(CrossEntropyLoss(weight).double())
    smoothed = recalls(CrossEntropyLoss(weight, label_smoothing=smoothing).double())
    torchs = recalls(nn.CrossEntropyLoss(weight, label_smoothing=smoothing))
    assert torchs[0] < 0.05
    assert weighted[0] > 0.9
    assert smoothed[0] > weighted[0] - 0.03
    assert smoothed[1] >= weighted[1] - 0.2
