"""The class priors that logits stand for after training: by hand, by formula, and for any order of the classes."""

import pytest
import torch
from torch import Tensor

from imbalance_lab import losses
from imbalance_lab.losses import CrossEntropyLoss, FocalLoss, LogitAdjustedLoss, PolyLoss
from imbalance_lab.losses.base import reweight_prior
from imbalance_lab.posthoc.prior import implied_prior

COUNTS = [600, 300, 100]
PRIOR = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
BALANCED = torch.full((3,), 1 / 3, dtype=torch.float64)

BY_HAND = [
    (CrossEntropyLoss(), PRIOR, [0.6, 0.3, 0.1]),
    (CrossEntropyLoss([1.0, 2.0, 8.0]), PRIOR, [0.3, 0.3, 0.4]),
    (CrossEntropyLoss([1.0, 2.0, 5.0]), BALANCED, [1 / 8, 2 / 8, 5 / 8]),
    (CrossEntropyLoss("inverse", class_counts=COUNTS), PRIOR, [1 / 3, 1 / 3, 1 / 3]),
    (CrossEntropyLoss("inverse", class_counts=COUNTS), BALANCED, [1 / 9, 2 / 9, 6 / 9]),
    (CrossEntropyLoss([1.0, 0.0, 5.0]), PRIOR, None),
    (LogitAdjustedLoss(class_counts=COUNTS), PRIOR, [1 / 3, 1 / 3, 1 / 3]),
    (LogitAdjustedLoss(class_counts=COUNTS), BALANCED, [1 / 9, 2 / 9, 6 / 9]),
    (LogitAdjustedLoss(0.0, class_counts=COUNTS), PRIOR, [0.6, 0.3, 0.1]),
    (LogitAdjustedLoss(2.0, class_counts=COUNTS), PRIOR, [1 / 9, 2 / 9, 6 / 9]),
    (FocalLoss(), PRIOR, [0.6, 0.3, 0.1]),
    (FocalLoss(alpha=[1.0, 2.0, 8.0]), PRIOR, [0.3, 0.3, 0.4]),
    (FocalLoss(alpha=0.25), BALANCED, [1 / 7, 3 / 7, 3 / 7]),
    (FocalLoss(alpha=0.25, background_class=2), BALANCED, [3 / 7, 3 / 7, 1 / 7]),
    (FocalLoss(alpha="inverse", class_counts=COUNTS), PRIOR, [1 / 3, 1 / 3, 1 / 3]),
    (FocalLoss(alpha=[1.0, 0.0, 1.0]), PRIOR, None),
    (FocalLoss(alpha=1.0), PRIOR, None),
    (FocalLoss(alpha=0.0), PRIOR, None),
    (PolyLoss(), PRIOR, [0.6, 0.3, 0.1]),
]
UNKNOWN = [
    "AUCMarginLoss",
    "AsymmetricLoss",
    "AveragePrecisionLoss",
    "LDAMLoss",
    "PartialAUCLoss",
    "RecallAtBudgetLoss",
    "SeesawLoss",
    "SigmoidFocalLoss",
    "SoftPartialAUCLoss",
    "TwoWayPartialAUCLoss",
    "VectorScalingLoss",
]


@pytest.mark.parametrize(("loss", "prior", "expected"), BY_HAND, ids=str)
def test_by_hand(loss, prior, expected):
    found = loss.implied_prior(prior)
    if expected is None:
        assert found is None
    else:
        assert found.dtype == torch.float64
        assert found.tolist() == pytest.approx(expected, rel=1e-6)  # weights and log π are float32
        assert found.sum().item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_after_margins_scaled_logits_and_a_sigmoid(name):
    cls = getattr(losses, name)
    loss = cls(class_counts=COUNTS) if name not in ("AsymmetricLoss", "SigmoidFocalLoss") else cls()
    assert loss.implied_prior(PRIOR) is None


@pytest.mark.parametrize("tau", [0.0, 0.6, 1.0, 2.5])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_agrees_with_the_formula_of_counts(tau, power):
    drawn = torch.tensor(COUNTS, dtype=torch.float64) ** power
    found = LogitAdjustedLoss(tau, class_counts=COUNTS).implied_prior(drawn / drawn.sum())
    assert found.tolist() == pytest.approx(implied_prior(COUNTS, power, tau), rel=1e-6)


def losses_in_order(order: list[int]) -> list[torch.nn.Module]:
    """The same losses with class ``order[i]`` at index i."""
    counts, weights = [COUNTS[c] for c in order], [[0.2, 1.0, 7.0][c] for c in order]
    return [
        LogitAdjustedLoss(0.7, class_counts=counts),
        CrossEntropyLoss(weights),
        CrossEntropyLoss("effective", class_counts=counts),
        FocalLoss(alpha=weights),
        FocalLoss(alpha=0.3, background_class=order.index(1)),
        PolyLoss(),
    ]


def test_permuting_the_classes_permutes_the_priors():
    order = [2, 0, 1]
    for loss, permuted in zip(losses_in_order([0, 1, 2]), losses_in_order(order), strict=True):
        torch.testing.assert_close(permuted.implied_prior(PRIOR[order]), loss.implied_prior(PRIOR)[order])


def test_a_class_that_is_never_drawn_has_a_prior_of_zero():
    prior = torch.tensor([0.75, 0.25, 0.0], dtype=torch.float64)
    assert CrossEntropyLoss([1.0, 3.0, 2.0]).implied_prior(prior).tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_extreme_weights_neither_overflow_nor_underflow():
    found = reweight_prior(PRIOR, torch.tensor([900.0, 900.0, 900.0], dtype=torch.float64))
    torch.testing.assert_close(found, PRIOR)


@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_logits_of_a_trained_model_stand_for_these_priors(tau: float) -> None:
    """With features that say nothing, the fitted softmax is the implied prior itself."""
    target = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    for loss in (LogitAdjustedLoss(tau, class_counts=COUNTS).double(), CrossEntropyLoss([0.5, 1.0, 4.0]).double()):
        optimizer = torch.optim.LBFGS([logits], max_iter=100, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

        def closure(loss: torch.nn.Module = loss, optimizer: torch.optim.Optimizer = optimizer) -> Tensor:
            optimizer.zero_grad()
            value: Tensor = loss(logits.expand(len(target), 3), target)
            value.backward()
            return value

        optimizer.step(closure)
        torch.testing.assert_close(logits.detach().softmax(0), loss.implied_prior(PRIOR), rtol=1e-5, atol=1e-6)
