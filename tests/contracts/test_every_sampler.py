"""What every sampler of a training split must satisfy; defining one in `imbalance_lab.samplers` enrols it."""

import inspect
import pickle
from functools import partial

import pytest
import torch

from imbalance_lab import samplers

NEEDED = {"max_epochs": 4, "batch_size": 5}
EVERY_SAMPLER = [
    partial(each, **{name: value for name, value in NEEDED.items() if name in inspect.signature(each).parameters})
    for _, each in inspect.getmembers(samplers, inspect.isclass)
    if "order" in vars(each) and "targets" in inspect.signature(each).parameters
]
TARGETS = torch.tensor([0, 2, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0])

every_sampler = pytest.mark.parametrize("make", EVERY_SAMPLER)


def test_the_checklist_is_not_empty():
    assert {samplers.RandomSampler, samplers.ClassBalancedSampler} <= {make.func for make in EVERY_SAMPLER}


@every_sampler
def test_order_depends_on_seed_and_epoch_only(make):
    sampler = make(targets=TARGETS, seed=5)
    asked = {epoch: sampler.order(epoch).tolist() for epoch in (3, 0, 1)}
    again = make(targets=TARGETS.clone(), seed=5)
    torch.rand(7)
    assert {epoch: again.order(epoch).tolist() for epoch in (0, 1, 3)} == asked
    assert sampler.order(3).tolist() == asked[3]


@every_sampler
def test_seed_and_epoch_each_change_the_order(make):
    orders = {tuple(make(targets=TARGETS, seed=s).order(e).tolist()) for s in range(3) for e in range(3)}
    assert len(orders) == 9


@every_sampler
def test_the_global_random_state_is_left_alone(make):
    before = torch.get_rng_state()
    make(targets=TARGETS).order(2)
    assert torch.equal(torch.get_rng_state(), before)


@every_sampler
def test_an_epoch_is_as_long_as_the_split_and_within_it(make):
    order = make(targets=TARGETS).order(1)
    assert order.shape == TARGETS.shape
    assert order.dtype == torch.int64
    assert order.min() >= 0
    assert order.max() < len(TARGETS)


@every_sampler
def test_it_survives_pickling(make):
    sampler = make(targets=TARGETS, seed=2)
    assert pickle.loads(pickle.dumps(sampler)).order(1).tolist() == sampler.order(1).tolist()


@every_sampler
def test_the_targets_are_not_changed(make):
    targets = TARGETS.clone()
    make(targets=targets).order(0)
    assert torch.equal(targets, TARGETS)
