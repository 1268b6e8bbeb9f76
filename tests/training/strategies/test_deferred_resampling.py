"""Deferred re-sampling: the chosen order before its start, the class-balanced one after it."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from imbalance_lab.losses import CrossEntropyLoss, LDAMLoss, LogitAdjustedLoss
from imbalance_lab.samplers import ClassBalancedSampler, ProgressiveSampler, RandomSampler, RepeatedSampler
from imbalance_lab.task import Task
from imbalance_lab.training.strategies import DeferredResampling
from tests.helpers.tiny import COUNTS, SPLITS

TARGETS = SPLITS.train.targets
RANDOM = RandomSampler(targets=TARGETS, seed=5)
BALANCED = ClassBalancedSampler(targets=TARGETS, seed=5)
PRIOR = COUNTS.double() / COUNTS.sum()


def drs(sampler: Any = RANDOM, loss: Any = None, task: Task = SPLITS.task, **options: Any) -> DeferredResampling:
    arguments: dict[str, Any] = {"max_epochs": 5, "seed": 5, "start": 0.6} | options
    return DeferredResampling(task, sampler, TARGETS, COUNTS, loss or CrossEntropyLoss(), **arguments)


@pytest.mark.parametrize("passes", [1, 2])
def test_the_orders_are_those_of_the_two_samplers(passes: int) -> None:
    given = [RANDOM, BALANCED] if passes == 1 else [RepeatedSampler(each, passes) for each in (RANDOM, BALANCED)]
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace())
    drs(given[0]).setup(trainer, trainer, "fit")
    for epoch in range(5):
        expected: Any = given[epoch >= 3]
        assert torch.equal(trainer.datamodule.sampler.order(epoch), expected.order(epoch)), epoch
    assert getattr(trainer.datamodule.sampler, "passes", 1) == passes


def test_the_logits_stand_for_equal_priors_where_the_loss_is_plain() -> None:
    prior = tuple(PRIOR.tolist())
    assert drs().implied_prior(prior) == pytest.approx([0.1] * 10)
    adjusted = LogitAdjustedLoss(class_counts=COUNTS)
    expected = adjusted.implied_prior(torch.full((10,), 0.1, dtype=torch.float64))
    given = adjusted.implied_prior(PRIOR)
    assert expected is not None
    assert given is not None
    assert drs(loss=adjusted).implied_prior(tuple(given.tolist())) == pytest.approx(expected.tolist(), rel=1e-9)


def test_what_is_unknown_stays_so() -> None:
    assert drs().implied_prior(None) is None
    assert drs(loss=LDAMLoss(class_counts=COUNTS)).implied_prior((0.1,) * 10) is None
    assert drs(ProgressiveSampler(targets=TARGETS, max_epochs=5)).implied_prior((0.1,) * 10) is None


def test_what_makes_no_sense_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="nothing to defer: leave sampler=class_balanced out"):
        drs(RepeatedSampler(BALANCED, 2))
    with pytest.raises(ValueError, match="an example has several labels"):
        drs(task=Task("multilabel", SPLITS.task.classes, "sigmoid"))
