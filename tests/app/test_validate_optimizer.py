"""What the head's own weight decay needs."""

from functools import partial

import pytest
import torch

from imbalance_lab.app.validate_optimizer import validate_optimizer
from imbalance_lab.errors import UsageError
from imbalance_lab.training.schedules import Constant
from tests.conftest import composed


def test_the_heads_decay_needs_an_optimizer_with_weight_decay() -> None:
    config = composed("head_weight_decay=0.5", "optimizer.weight_decay=0")
    validate_optimizer(config, partial(torch.optim.SGD, lr=0.1), Constant())
    with pytest.raises(UsageError, match=r"head_weight_decay=0.5, but Rprop has no weight decay: leave it at null"):
        validate_optimizer(config, partial(torch.optim.Rprop, lr=0.1), Constant())
