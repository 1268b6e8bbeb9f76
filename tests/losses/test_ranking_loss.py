"""Losses of rankings: the papers' formulas and algorithms as oracles, and what a mini-batch may lack."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from imbalance_lab.losses import (
    AveragePrecisionLoss,
    PartialAUCLoss,
    SoftPartialAUCLoss,
    TwoWayPartialAUCLoss,
    average_precision_loss,
    partial_auc_loss,
    soft_partial_auc_loss,
    two_way_partial_auc_loss,
)

N, POSITIVES, MARGIN = 14, 4, 0.8
BETA, LAMBDA, OTHER, ETA, GAMMA = 0.35, 0.5, 0.9, 0.07, 0.3
Y = (torch.arange(N) % 3 == 0) & (torch.arange(N) < 3 * POSITIVES)
MAKE = {
    "cvar": partial(PartialAUCLoss, BETA, ETA, margin=MARGIN),
    "kl": partial(SoftPartialAUCLoss, LAMBDA, decay=GAMMA, margin=MARGIN),
    "two-way": partial(TwoWayPartialAUCLoss, LAMBDA, OTHER, decay=GAMMA, margin=MARGIN),
    "AP": partial(AveragePrecisionLoss, decay=GAMMA, margin=MARGIN),
}
every_loss = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
every_surrogate = pytest.mark.parametrize("surrogate", ["squared_hinge", "logistic"])


def logits(seed: int = 0, n: int = N, labels: int = 1) -> Tensor:
    return 2 * torch.randn(n, labels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pairs(z: Tensor, surrogate: str = "squared_hinge") -> np.ndarray:
    """ℓ(h_i − h_j) of every pair, (N, N)."""
    h = z.detach().squeeze(1).numpy()
    h = 1 / (1 + np.exp(-h)) if surrogate == "squared_hinge" else h
    lag = MARGIN - (h[:, None] - h[None, :])
    return np.maximum(lag, 0) ** 2 if surrogate == "squared_hinge" else np.log1p(np.exp(lag))


@every_surrogate
def test_one_way_is_the_published_minimum_over_s(surrogate):
    cost = pairs(logits(), surrogate)[Y][:, ~Y]
    each = [
        minimize_scalar(lambda s, row=row: s + np.maximum(row - s, 0).mean() / BETA, bounds=(0, row.max() + 1)).fun
        for row in cost
    ]
    value = partial_auc_loss(logits(), Y[:, None], max_fpr=BETA, margin=MARGIN, surrogate=surrogate)
    assert value.item() == pytest.approx(np.mean(each), rel=1e-4)


def test_the_whole_range_is_the_mean_of_all_pairs():
    value = partial_auc_loss(logits(), Y[:, None], max_fpr=1.0, margin=MARGIN)
    assert value.item() == pytest.approx(pairs(logits())[Y][:, ~Y].mean(), rel=1e-12)
    soft = soft_partial_auc_loss(logits(), Y[:, None], temperature=1e7, margin=MARGIN)
    assert soft.item() == pytest.approx(value.item(), rel=1e-5)


@every_surrogate
def test_soft_forms_are_the_published_formulas(surrogate):
    u = np.exp(pairs(logits(), surrogate)[Y][:, ~Y] / LAMBDA).mean(1)
    arguments = {"temperature": LAMBDA, "margin": MARGIN, "surrogate": surrogate}
    one_way = soft_partial_auc_loss(logits(), Y[:, None], **arguments)
    two_way = two_way_partial_auc_loss(logits(), Y[:, None], positive_temperature=OTHER, **arguments)
    assert one_way.item() == pytest.approx(LAMBDA * np.log(u).mean(), rel=1e-12)
    assert two_way.item() == pytest.approx(OTHER * np.log((u ** (LAMBDA / OTHER)).mean()), rel=1e-12)
    limit = two_way_partial_auc_loss(logits(), Y[:, None], positive_temperature=1e7, **arguments)
    assert limit.item() == pytest.approx(one_way.item(), rel=1e-5)


@every_surrogate
def test_average_precision_is_the_published_formula(surrogate):
    cost = pairs(logits(), surrogate)[Y]
    precision = cost[:, Y].sum(1) / cost.sum(1)
    value = average_precision_loss(logits(), Y[:, None], margin=MARGIN, surrogate=surrogate)
    assert value.item() == pytest.approx(1 - precision.mean(), rel=1e-12)


def test_average_precision_of_a_training_share_does_not_depend_on_how_many_of_a_class_were_drawn():
    z, drawn = logits(), torch.cat([torch.arange(N), *[torch.arange(N)[~Y]] * 3])
    loss = AveragePrecisionLoss(class_counts=[970, 30]).double()
    torch.testing.assert_close(loss(z[drawn], Y[drawn].long()), loss(z, Y.long()))
    share = torch.tensor([0.3])
    more = average_precision_loss(z[drawn], Y[drawn, None], prior=share)
    torch.testing.assert_close(more, average_precision_loss(z, Y[:, None], prior=share))
    assert average_precision_loss(z[drawn], Y[drawn, None]) > average_precision_loss(z, Y[:, None])


def by_paper(name: str, seen: list[tuple[Tensor, Tensor]]) -> np.ndarray:
    """The gradient of the last batch by its logits, from batches (z, index), as the papers' algorithms have it.

    Estimates of a positive start at its first batch.
    """
    state: dict[int, np.ndarray | float] = {}
    mean, weight = None, np.zeros((N, N))
    for z, index in seen:
        cost, y = pairs(z), Y[index].numpy()
        negatives, weight = np.flatnonzero(~y), np.zeros((len(y), len(y)))
        for i in np.flatnonzero(y):
            key, row = int(index[i]), cost[i, negatives]
            if name == "cvar":
                s = state.get(key, np.sort(row)[::-1][int(BETA * len(row))])
                weight[i, negatives] = (row > s) / BETA / len(row)
                state[key] = max(s - ETA * (1 - (row > s).mean() / BETA), 0)
            elif name in ("kl", "two-way"):
                u = np.exp(row / LAMBDA).mean()
                state[key] = (1 - GAMMA) * state[key] + GAMMA * u if key in state else u
                weight[i, negatives] = np.exp(row / LAMBDA) / len(row) / state[key]
            else:
                others = [j for j in np.flatnonzero(y) if j != i]
                p = cost[i, i] / POSITIVES + (1 - 1 / POSITIVES) * cost[i, others].mean()
                new = np.array([p, row.mean()])
                u = state[key] = (1 - GAMMA) * state[key] + GAMMA * new if key in state else new
                share = POSITIVES / N
                all_ = share * u[0] + (1 - share) * u[1]
                # (u₁ − u₂ [y_j = 1]) / u₂² of the paper, with u₁ = π P and u₂ = π P + (1 − π) N
                weight[i, negatives] = share * u[0] / all_**2 * (1 - share) / len(row)
                weight[i, others] = (share * u[0] - all_) / all_**2 * share * (1 - 1 / POSITIVES) / len(others)
        rows = np.flatnonzero(y)
        if name == "two-way":
            powers = {i: state[int(index[i])] ** (LAMBDA / OTHER) for i in rows}
            now = np.mean(list(powers.values()))
            mean = now if mean is None else (1 - GAMMA) * mean + GAMMA * now
            for i in rows:
                weight[i] *= powers[i] / mean
    z = seen[-1][0].clone().requires_grad_()
    h = z.sigmoid().squeeze(1)
    cost = (MARGIN - (h[:, None] - h[None, :])).clamp(min=0) ** 2
    (torch.from_numpy(weight) * cost).sum().div(len(rows)).backward()
    return z.grad.numpy()


@pytest.mark.parametrize("name", MAKE)
def test_mini_batches_follow_the_published_algorithm(name):
    loss = MAKE[name](num_indices=N, class_counts=[N - POSITIVES, POSITIVES]).double()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(3))
    seen: list[tuple[Tensor, Tensor]] = []
    for step, index in enumerate([torch.arange(N), order[:11], torch.arange(2, N), torch.arange(10)]):
        z = logits(seed=step)[index].requires_grad_()
        value = loss(z, Y[index].long(), index)
        seen.append((z.detach(), index))
        (gradient,) = torch.autograd.grad(value, z)
        np.testing.assert_allclose(gradient.numpy(), by_paper(name, seen), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        partial(PartialAUCLoss, 0.4),
        *(partial(each, decay=1.0) for each in MAKE.values() if each.func is not PartialAUCLoss),
    ],
    ids=MAKE,
)
def test_the_first_batch_is_the_function(make):
    loss = make(num_indices=N).double()
    z = logits().requires_grad_()
    values = loss(z, Y.long(), torch.arange(N)), loss(z, Y.long())
    torch.testing.assert_close(*values)
    gradients = (torch.autograd.grad(value, z)[0] for value in values)
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


@every_loss
@pytest.mark.parametrize("only", [0, 1])
def test_a_batch_of_one_class_costs_nothing_and_is_not_remembered(make, only):
    loss = make(num_indices=N, class_counts=[90, 10]).double()
    loss(logits(), Y.long(), torch.arange(N))
    before = copy.deepcopy(loss.state_dict())
    z = logits(1).requires_grad_()
    value = loss(z, torch.full((N,), only), torch.arange(N))
    assert value == 0
    assert (torch.autograd.grad(value, z)[0] == 0).all()
    torch.testing.assert_close(loss.state_dict(), before, rtol=0, atol=0)


def test_a_positive_without_others_keeps_what_is_known_of_them():
    loss = AveragePrecisionLoss(decay=0.5, num_indices=N, class_counts=[90, 10]).double()
    loss(logits(), Y.long(), torch.arange(N))
    before = loss.estimates.clone()
    alone = torch.tensor([0, 1, 2])
    loss(logits(1)[alone], Y[alone].long(), alone)
    assert loss.estimates[0, 0, 0] == before[0, 0, 0]
    assert loss.estimates[0, 0, 1] != before[0, 0, 1]
    assert torch.equal(loss.estimates[1:], before[1:])


@every_loss
def test_an_example_that_is_drawn_twice_is_remembered_once(make):
    """With replacement: the order of the two must not matter, and twice the same is the same."""
    index = torch.cat([torch.arange(N), torch.tensor([0, 3])])
    z = torch.cat([logits(), logits(1)[[0, 3]]])
    order = torch.randperm(N + 2, generator=torch.Generator().manual_seed(0))
    states = []
    for at in (torch.arange(N + 2), order):
        loss = make(num_indices=N, class_counts=[90, 10]).double()
        loss(z[at], Y[index[at]].long(), index[at])
        states.append(loss.estimates)
    torch.testing.assert_close(*states)


@every_loss
def test_a_resumed_loss_goes_on_as_if_it_had_not_stopped(make):
    facts = {"num_indices": N, "num_examples": N, "max_epochs": 4, "warmup": 0.25, "class_counts": [10, 4]}
    loss, resumed = make(**facts).double(), make(**facts).double()
    for step in range(2):
        loss(logits(step), Y.long(), torch.arange(N))
    resumed.load_state_dict(loss.state_dict())
    for step in range(2, 4):
        assert resumed(logits(step), Y.long(), torch.arange(N)) == loss(logits(step), Y.long(), torch.arange(N))
    torch.testing.assert_close(resumed.state_dict(), loss.state_dict(), rtol=0, atol=0)


def test_a_model_is_tested_beside_other_data_than_it_was_trained_on():
    trained, other = SoftPartialAUCLoss(num_indices=9), SoftPartialAUCLoss(num_indices=4)
    other.load_state_dict(trained.state_dict())
    assert other.estimates.shape == (9, 1, 1)
    with pytest.raises(RuntimeError, match="size mismatch for estimates"):
        other.load_state_dict(AveragePrecisionLoss(num_indices=9).state_dict(), strict=False)


@every_loss
def test_warm_up_is_cross_entropy_for_a_share_of_the_run(make):
    facts = {"num_indices": N, "class_counts": [10, 4]}
    loss = make(num_examples=N, max_epochs=4, warmup=0.5, **facts).double()
    plain = make(warmup=0.0, **facts).double()
    entropy = F.binary_cross_entropy_with_logits(logits().squeeze(1), Y.double())
    for _ in range(2):
        torch.testing.assert_close(loss(logits(), Y.long(), torch.arange(N)), entropy)
        plain(logits(), Y.long(), torch.arange(N))
    torch.testing.assert_close(*(each(logits(1), Y.long(), torch.arange(N)) for each in (loss, plain)))
    assert make(**facts).warmup_examples == 0
    assert make(num_examples=N, max_epochs=4, **facts).warmup_examples == 2 * N


@every_loss
def test_evaluation_remembers_nothing(make):
    loss = make(num_indices=N, num_examples=N, max_epochs=4).eval().double()
    before = copy.deepcopy(loss.state_dict())
    torch.testing.assert_close(loss(logits(), Y.long(), torch.arange(N)), loss(logits(), Y.long()))
    torch.testing.assert_close(loss.state_dict(), before, rtol=0, atol=0)


@every_loss
def test_the_positive_class_may_be_the_first(make):
    z = torch.cat([torch.zeros(N, 1, dtype=torch.float64), logits()], 1)
    facts = {"num_indices": N}
    first = make(positive=0, class_counts=[4, 10], **facts).double()
    second = make(positive=1, class_counts=[10, 4], **facts).double()
    values = [first(z.flip(1), (~Y).long(), torch.arange(N)), second(z, Y.long(), torch.arange(N))]
    torch.testing.assert_close(*values)
    torch.testing.assert_close(first.estimates, second.estimates)


@every_loss
def test_labels_are_the_mean_of_losses_of_their_own(make):
    z, y = logits(labels=3), torch.stack([Y, Y.roll(1), Y.roll(2)], 1).long()
    many = make(class_counts=[4, 4, 4], num_labels=3, num_examples=N, num_indices=N).double()
    each = [make(class_counts=[10, 4], num_indices=N).double() for _ in range(3)]
    for step in range(2):
        z = logits(step, labels=3)
        single = [loss(z[:, [c]], y[:, [c]], torch.arange(N)) for c, loss in enumerate(each)]
        torch.testing.assert_close(many(z, y, torch.arange(N)), torch.stack(single).mean())


@every_loss
@pytest.mark.parametrize("optimizer", [partial(torch.optim.AdamW, lr=0.05), partial(torch.optim.SGD, lr=0.3)])
def test_any_optimizer_learns_the_order_from_batches_with_few_positives(make, optimizer):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(600, 6, generator=generator)
    target = (inputs @ torch.tensor([1.0, -1, 0.5, 0, 0, 0]) > 2.1).long()
    assert 20 < target.sum() < 60
    loss = make(num_indices=600, class_counts=target.bincount())
    weight = torch.zeros(6, 1, requires_grad=True)
    steps = optimizer([weight])
    for _ in range(8):
        for batch in torch.randperm(600, generator=generator).split(32):
            steps.zero_grad()
            value = loss(inputs[batch] @ weight, target[batch], batch)
            assert value.isfinite()
            value.backward()
            steps.step()
    scores = (inputs @ weight.detach()).squeeze(1)
    behind = (scores[target == 1][:, None] <= scores[target == 0][None]).double().mean()
    assert behind < 0.02


@every_loss
@pytest.mark.parametrize(
    ("arguments", "target", "index", "message"),
    [
        ({}, Y.long(), torch.arange(N), "^estimates are kept by index: give num_indices"),
        ({}, Y.double() * 0.9, None, "^a loss of rankings needs labels of 0 and 1"),
    ],
)
def test_what_has_no_order_is_refused(make, arguments, target, index, message):
    z = logits()
    with pytest.raises(ValueError, match=message):
        make(**arguments)(z, target[:, None] if target.is_floating_point() else target, index)


@every_loss
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"warmup": 0.5}, r"^warmup=0.5 is a share of the run: give num_examples and max_epochs$"),
        ({"warmup": 1.0}, "^warmup must be a finite number in"),
        ({"surrogate": "hinge"}, "^surrogate must be one of squared_hinge, logistic, got 'hinge'$"),
        ({"positive": 2}, "^positive must be an integer"),
    ],
)
def test_invalid_arguments_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)
