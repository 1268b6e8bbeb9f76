"""Where every loss is least: at the target that its docstring says, smoothed or not, whatever the weights of classes.

Exporting a loss from `imbalance_lab.losses` enrols it: it must then stand in one of the tables below.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from imbalance_lab import losses

COUNTS = torch.tensor([600, 100, 30, 7])
SHARES = torch.tensor([[0.55, 0.25, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
"""Two target distributions, neither uniform: what a weight pulls at the first it pulls otherwise at the second."""

WEIGHTS: list[list[float] | None] = [None, [0.01, 1.0, 5.0, 300.0], [4.0, 0.2, 1.0, 0.5]]
"""Of the classes or labels; None is the loss's own default."""

GAMMA, POSITIVE, NEGATIVE, MARGIN = 1.5, 0.5, 3.0, 0.06


def softmax(z: Tensor) -> Tensor:
    return z.softmax(1)


@dataclass
class Case:
    """Arguments, the name of its weights, and the target at which its probabilities p are least: p → y."""

    least_at: Callable[[Tensor], Tensor]
    arguments: dict[str, Any] = field(default_factory=dict)
    weight: str | None = None
    probabilities: Callable[[Tensor], Tensor] = softmax


def slope(p: Tensor, gamma: float) -> Tensor:
    """How fast (1 − p)^γ (−log p) falls."""
    return (1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * p.log()


def shifted_slope(p: Tensor, gamma: float, margin: float) -> Tensor:
    """How fast q^γ (−log(1 − q)) rises, with q = p − margin."""
    q = p - margin
    return q**gamma / (1 - q) - gamma * q ** (gamma - 1) * torch.log1p(-q)


def to_shares(values: Tensor) -> Tensor:
    return values / values.sum(1, keepdim=True)


def two(present: Tensor, absent: Tensor) -> Tensor:
    """Y with y · present = (1 − y) · absent."""
    return absent / (present + absent)


LOG_PRIOR = (COUNTS.double() / COUNTS.sum()).log()
DELTA = (COUNTS.double() / COUNTS.max()) ** 0.3
SOFTMAX = {
    "CrossEntropyLoss": Case(lambda p: p, weight="weight"),
    "FocalLoss": Case(lambda p: to_shares(1 / slope(p, GAMMA)), {"gamma": GAMMA}, "alpha"),
    "FocalLoss, no focus": Case(lambda p: p, {"gamma": 0.0}, "alpha"),
    "LogitAdjustedLoss": Case(lambda p: p, {"tau": 0.7}, probabilities=lambda z: (z + 0.7 * LOG_PRIOR).softmax(1)),
    "PolyLoss": Case(lambda p: to_shares(p / (1 + 0.8 * p)), {"epsilon": 0.8}),
    "VectorScalingLoss": Case(
        lambda p: p,
        {"gamma": 0.3, "tau": 0.7},
        "weight",
        lambda z: (DELTA * z + 0.7 * LOG_PRIOR).softmax(1),
    ),
}
SIGMOID = {
    "SigmoidFocalLoss": Case(
        lambda p: two(slope(p, GAMMA), slope(1 - p, GAMMA)), {"gamma": GAMMA}, "pos_weight", torch.sigmoid
    ),
    "SigmoidFocalLoss, no focus": Case(lambda p: p, {"gamma": 0.0, "alpha": 0.3}, "pos_weight", torch.sigmoid),
    "AsymmetricLoss": Case(
        lambda p: two(slope(p, POSITIVE), shifted_slope(p, NEGATIVE, MARGIN)),
        {"gamma_positive": POSITIVE, "gamma_negative": NEGATIVE, "margin": MARGIN},
        "pos_weight",
        torch.sigmoid,
    ),
    "AsymmetricLoss, no focus": Case(
        lambda p: p,
        {"gamma_positive": 0.0, "gamma_negative": 0.0, "margin": 0.0},
        "pos_weight",
        torch.sigmoid,
    ),
}
CASES = SOFTMAX | SIGMOID
REFUSES = {"LDAMLoss": "weight", "SeesawLoss": None}
"""Losses that take no soft target, because a rule of theirs needs the one class; and the name of their weights."""

NO_PROBABILITIES = {
    "AUCMarginLoss",
    "AveragePrecisionLoss",
    "PartialAUCLoss",
    "RecallAtBudgetLoss",
    "SoftPartialAUCLoss",
    "TwoWayPartialAUCLoss",
}
"""Losses of rankings: their optimum is an order, and no probability of a target."""

EVERY_LOSS = {
    name: each
    for name in losses.__all__
    if inspect.isclass(each := getattr(losses, name)) and issubclass(each, nn.Module)
}
SMOOTHED = [name for name in CASES if "label_smoothing" in inspect.signature(EVERY_LOSS[name.split(",")[0]]).parameters]


def make(name: str, weight: list[float] | None = None, **arguments: Any) -> nn.Module:
    name = name.split(",")[0]
    cls = EVERY_LOSS[name]
    case = next((each for key, each in CASES.items() if key == name), None)
    key = case.weight if case else REFUSES[name]
    given = {} if weight is None or key is None else {key: weight}
    if "class_counts" in inspect.signature(cls).parameters:
        given["class_counts"] = COUNTS
    loss: nn.Module = cls(**given, **arguments)
    return loss.double()


def least(loss: Callable[[Tensor], Tensor]) -> Tensor:
    """The logits of least cost, from even ones."""
    logits = torch.zeros_like(SHARES, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [logits], 1, 400, tolerance_grad=1e-14, tolerance_change=0, line_search_fn="strong_wolfe", history_size=50
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        cost = loss(logits)
        cost.backward()
        return cost

    optimizer.step(closure)
    return logits.detach()


def test_every_loss_stands_in_one_table() -> None:
    names = {name.split(",")[0] for name in CASES}
    assert names | REFUSES.keys() | NO_PROBABILITIES == EVERY_LOSS.keys()
    assert not names & (REFUSES.keys() | NO_PROBABILITIES)


@pytest.mark.parametrize("weight", WEIGHTS, ids=["own weights", "increasing", "mixed"])
@pytest.mark.parametrize("name", CASES)
def test_soft_targets_are_met_whatever_the_weights(name: str, weight: list[float] | None) -> None:
    case = CASES[name]
    if weight is not None and case.weight is None:
        pytest.skip("the loss has no weights")
    loss = make(name, weight, **case.arguments, reduction="none")
    # Each example on its own scale, as a weight would have it: the weights differ by a factor of 10⁴.
    scale = loss(torch.zeros_like(SHARES), SHARES).detach()
    found = least(lambda z: (loss(z, SHARES) / scale).sum())
    torch.testing.assert_close(case.least_at(case.probabilities(found)), SHARES, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("soft", [False, True], ids=["indices", "soft"])
@pytest.mark.parametrize("name", SMOOTHED)
def test_smoothed_targets_are_met_whatever_the_weights(name: str, soft: bool, weight: list[float] | None) -> None:
    case = CASES[name]
    if weight is not None and case.weight is None:
        pytest.skip("the loss has no weights")
    target = SHARES if soft else torch.tensor([2, 0])
    shares = SHARES if soft else torch.eye(4, dtype=torch.float64)[target]
    loss = make(name, weight, **case.arguments, label_smoothing=0.2, reduction="none")
    scale = loss(torch.zeros_like(SHARES), target).detach()
    found = least(lambda z: (loss(z, target) / scale).sum())
    torch.testing.assert_close(case.least_at(case.probabilities(found)), 0.8 * shares + 0.05, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in SOFTMAX if SOFTMAX[name].weight])
def test_classes_drawn_at_random_are_met_in_proportion_to_their_weights(name: str) -> None:
    """The expected loss over class indices y ~ q is least where q_c w_c is the target: what weights are for."""
    case, weight = SOFTMAX[name], [4.0, 0.2, 1.0, 0.5]
    loss = make(name, weight, **case.arguments, reduction="none")
    classes = torch.arange(4).repeat(len(SHARES))

    def expected(z: Tensor) -> Tensor:
        return (SHARES.flatten() * loss(z.repeat_interleave(4, 0), classes)).sum()

    found = case.least_at(case.probabilities(least(expected)))
    torch.testing.assert_close(found, to_shares(SHARES * torch.tensor(weight)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.weight] + [n for n in REFUSES if REFUSES[n]]
)
def test_a_weight_scales_the_loss_of_an_example_and_does_nothing_else(name: str) -> None:
    arguments = {**(CASES[name].arguments if name in CASES else {}), "reduction": "none"}
    z, weight = torch.linspace(-2, 2, 16, dtype=torch.float64).view(4, 4).cos(), torch.tensor(WEIGHTS[1]).double()
    if name in SIGMOID:
        y = torch.rand(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        target, each = torch.cat([y, y.round()]), torch.cat([y, y.round()]) * (weight - 1) + 1
        z = torch.cat([z, -z])
    else:
        target, each = torch.arange(4), weight
    weighted, plain = make(name, WEIGHTS[1], **arguments), make(name, **arguments)
    torch.testing.assert_close(weighted(z, target), each * plain(z, target), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", REFUSES)
def test_soft_targets_without_a_meaning_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"needs class indices \(N,\) as target"):
        make(name)(torch.zeros_like(SHARES), SHARES)
