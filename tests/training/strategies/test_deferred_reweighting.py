"""Deferred re-weighting: plain before its start, class-balanced after it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from imbalance_lab.losses import (
    CrossEntropyLoss,
    FocalLoss,
    LDAMLoss,
    PolyLoss,
    SigmoidFocalLoss,
    VectorScalingLoss,
)
from imbalance_lab.losses.members import MemberLosses
from imbalance_lab.training.strategies import DeferredReweighting
from tests.helpers.tiny import COUNTS, STEPS, fit

WEIGHED = {CrossEntropyLoss: "weight", FocalLoss: "alpha", LDAMLoss: "weight", VectorScalingLoss: "weight"}


def drw(loss: nn.Module, epochs: int = 3, **options: Any) -> DeferredReweighting:
    return DeferredReweighting(loss, COUNTS, epochs, **options)


def begin(strategy: DeferredReweighting, loss: nn.Module, epoch: int, batch: int = 0) -> None:
    module: Any = SimpleNamespace(loss=loss, device=torch.device("cpu"))
    trainer: Any = SimpleNamespace(current_epoch=epoch)
    strategy.on_train_batch_start(trainer, module, None, batch)


def test_before_its_start_it_is_plain_training_bit_for_bit(tmp_path: Path) -> None:
    loss = CrossEntropyLoss()
    _, deferred = fit(tmp_path, drw(loss, start=0.6), loss=loss)
    _, plain = fit(tmp_path)
    pairs = zip(deferred.weights, plain.weights, strict=True)
    same = [torch.equal(one["head.weight"], other["head.weight"]) for one, other in pairs]
    assert same == [True] * 2 * STEPS + [False] * STEPS


def test_from_the_start_it_is_the_class_balanced_loss(tmp_path: Path) -> None:
    loss = CrossEntropyLoss()
    model, deferred = fit(tmp_path, drw(loss, start=0), loss=loss)
    balanced, expected = fit(tmp_path, loss=CrossEntropyLoss("effective", class_counts=COUNTS))
    for name, weight in expected.weights[-1].items():
        assert torch.equal(deferred.weights[-1][name], weight), name
    assert model.history == balanced.history
    assert not any(name.startswith("loss.") for name in model.state_dict())  # it fits a plain model


@pytest.mark.parametrize("kind", WEIGHED)
def test_every_loss_with_weights_is_weighted_by_class(kind: Any) -> None:
    logits, target = torch.randn(40, 10, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 10
    plain, balanced = kind(class_counts=COUNTS), kind(**{WEIGHED[kind]: "effective"}, class_counts=COUNTS)
    loss = kind(class_counts=COUNTS)
    strategy = drw(loss, epochs=10, start=0.7)
    for epoch, expected in ((0, plain), (6, plain), (7, balanced), (9, balanced), (6, plain)):
        begin(strategy, loss, epoch)
        assert torch.equal(loss(logits, target), expected(logits, target)), epoch
    assert loss.state_dict().keys() == plain.state_dict().keys()


def test_every_member_of_an_ensemble_has_the_weights() -> None:
    loss = LDAMLoss(class_counts=COUNTS)
    members = MemberLosses(loss, 3)
    begin(drw(loss, start=0), members, 0)
    assert [bool((each.weight != 1).any()) for each in members.copies] == [True] * 3


def test_other_effective_numbers_give_other_weights() -> None:
    loss = CrossEntropyLoss()
    assert drw(loss, beta=0.0).weight.tolist() == [1] * 10
    weight = drw(loss, beta=0.9).weight
    assert torch.allclose(weight, 10 * (1 - 0.9**COUNTS).reciprocal() / (1 - 0.9**COUNTS).reciprocal().sum())


def test_the_logits_stand_for_the_priors_of_the_last_phase() -> None:
    prior = COUNTS.double() / COUNTS.sum()
    implied = CrossEntropyLoss("effective", class_counts=COUNTS).implied_prior(prior)
    assert implied is not None
    assert drw(CrossEntropyLoss()).implied_prior(tuple(prior.tolist())) == pytest.approx(implied.tolist(), rel=1e-6)
    assert drw(CrossEntropyLoss()).implied_prior(None) is None


@pytest.mark.parametrize(
    ("loss", "options", "sentence"),
    [
        (PolyLoss(), {}, "PolyLoss has no weights of the classes that could be deferred: choose loss=cross_entropy"),
        (SigmoidFocalLoss(), {}, "SigmoidFocalLoss has no weights of the classes"),
        (FocalLoss(alpha=0.25), {}, "the loss has class weights already, .* leave loss.alpha at null"),
        (CrossEntropyLoss([1.0] * 9 + [2.0]), {}, "leave loss.weight at null"),
        (
            CrossEntropyLoss(),
            {"start": 1},
            r"start \(a fraction of the epochs\) must be .* in \[0, 1\), got 1",
        ),
        (CrossEntropyLoss(), {"beta": 1.0}, r"beta must lie in \[0, 1\), got 1"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(loss: nn.Module, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        drw(loss, **options)
