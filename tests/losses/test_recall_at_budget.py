"""Recall at an alarm budget: the published formula, its derivatives, and a threshold that follows the batches."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from imbalance_lab.losses import RecallAtBudgetLoss

N, BUDGET, S, MARGIN, GAMMA = 20, 0.15, 0.7, 0.4, 0.3
Y = torch.arange(N) % 4 == 0
INDEX = torch.arange(N)


def logits(seed: int = 0) -> Tensor:
    return 2 * torch.randn(N, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def make(**arguments: object) -> RecallAtBudgetLoss:
    given = {"margin": MARGIN, "decay": GAMMA} | arguments
    return RecallAtBudgetLoss(BUDGET, S, **given).double()  # type: ignore[arg-type]


def threshold(z: Tensor, prior: float) -> float:
    h, y = z.detach().squeeze(1).numpy(), Y.numpy()

    def surplus(t: float) -> float:
        above = 1 / (1 + np.exp(-(h - t) / S))
        return float(prior * above[y].mean() + (1 - prior) * above[~y].mean() - BUDGET)

    return float(brentq(surplus, -50, 50, xtol=1e-13))


def below(z: Tensor, t: float) -> float:
    return float(np.log1p(np.exp(MARGIN - (z.squeeze(1).numpy()[Y.numpy()] - t))).mean())


@pytest.mark.parametrize(("counts", "prior"), [(None, 0.25), ([970, 30], 0.03)])
def test_equals_the_published_formula(counts, prior):
    value = make(class_counts=counts)(logits(), Y.long())
    assert value.item() == pytest.approx(below(logits(), threshold(logits(), prior)), rel=1e-6)


def test_its_derivatives_are_those_of_the_formula():
    loss = make(class_counts=[970, 30])
    z = logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, Y.long()), z)
    assert torch.autograd.gradgradcheck(lambda z: loss(z, Y.long()), z)


def test_a_constant_added_to_all_logits_changes_nothing():
    torch.testing.assert_close(make()(logits() + 30, Y.long()), make()(logits(), Y.long()))


def test_the_threshold_is_a_moving_average_and_resumes():
    loss = make(class_counts=[970, 30])
    t = threshold(logits(0), 0.03)
    for seed in range(3):
        t = t if seed == 0 else (1 - GAMMA) * t + GAMMA * threshold(logits(seed), 0.03)
        value = loss(logits(seed), Y.long(), INDEX)
        assert value.item() == pytest.approx(below(logits(seed), t), rel=1e-6)
        assert loss.threshold.item() == pytest.approx(t, rel=1e-5)
    resumed = make(class_counts=[970, 30])
    resumed.load_state_dict(loss.state_dict())
    assert resumed(logits(5), Y.long(), INDEX) == loss(logits(5), Y.long(), INDEX)


@pytest.mark.parametrize("only", [0, 1])
def test_a_batch_of_one_class_costs_nothing_and_leaves_the_threshold(only):
    loss = make()
    loss(logits(), Y.long(), INDEX)
    before, z = loss.threshold.clone(), logits(1).requires_grad_()
    value = loss(z, torch.full((N,), only), INDEX)
    assert value == 0
    assert (torch.autograd.grad(value, z)[0] == 0).all()
    assert torch.equal(loss.threshold, before)
