"""One call of a loss for several runs gives the loss of each."""

import pytest
import torch

from imbalance_lab import losses
from imbalance_lab.losses.members import serves_all

COUNTS = torch.tensor([60, 30, 10])
NAMES = ["CrossEntropyLoss", "FocalLoss", "LDAMLoss", "LogitAdjustedLoss", "PolyLoss", "VectorScalingLoss"]


@pytest.mark.parametrize("name", [name for name in NAMES if name in losses.__all__])
def test_the_mean_over_a_runs_own_terms_is_its_loss(name):
    loss = getattr(losses, name)(**({} if name == "PolyLoss" else {"class_counts": COUNTS}))
    assert serves_all(loss)
    logits = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    target = torch.arange(16).reshape(2, 8) % 3
    alone = torch.stack([loss(logits[k], target[k]) for k in range(2)])
    loss.reduction = "none"
    each = loss(logits.flatten(0, 1), target.flatten()).unflatten(0, (2, 8)).mean(1)
    torch.testing.assert_close(each, alone)
