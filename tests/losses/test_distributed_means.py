"""The mean of a loss under DDP: two processes with uneven shares have the gradient of one with the whole batch."""

import os
from copy import deepcopy
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from imbalance_lab.losses import (
    AsymmetricLoss,
    AveragePrecisionLoss,
    CrossEntropyLoss,
    FocalLoss,
    LDAMLoss,
    LogitAdjustedLoss,
    PartialAUCLoss,
    PolyLoss,
    RecallAtBudgetLoss,
    SigmoidFocalLoss,
    SoftPartialAUCLoss,
    TwoWayPartialAUCLoss,
    VectorScalingLoss,
)
from tests.helpers.two_processes import run_in_two_processes

WEIGHTS = [0.1, 0.5, 1.0, 4.0]
COUNTS = [90, 40, 20, 5]
LOSSES: dict[str, nn.Module] = {
    "focal mean": FocalLoss(alpha=WEIGHTS),
    "focal weighted_mean": FocalLoss(alpha=WEIGHTS, reduction="weighted_mean"),
    "focal mean_positive": FocalLoss(alpha=0.3, reduction="mean_positive"),
    "focal smoothed": FocalLoss(alpha=WEIGHTS, label_smoothing=0.1, reduction="weighted_mean"),
    "focal γ = 0": FocalLoss(0, WEIGHTS, reduction="weighted_mean"),
    "cross-entropy": CrossEntropyLoss(),
    "cross-entropy weighted": CrossEntropyLoss(WEIGHTS),
    "cross-entropy weighted, smoothed": CrossEntropyLoss(WEIGHTS, label_smoothing=0.1),
    "logit-adjusted": LogitAdjustedLoss(class_counts=COUNTS),
    "LDAM weighted": LDAMLoss(weight="inverse", class_counts=COUNTS),
    "VS weighted": VectorScalingLoss(weight="inverse", class_counts=COUNTS),
    "poly": PolyLoss(),
    "asymmetric": AsymmetricLoss(),
    "sigmoid mean": SigmoidFocalLoss(),
    "sigmoid mean_positive": SigmoidFocalLoss(reduction="mean_positive"),
    "one-way partial AUC": PartialAUCLoss(0.3, class_counts=COUNTS, num_indices=12),
    "soft partial AUC": SoftPartialAUCLoss(class_counts=COUNTS, num_indices=12),
    "two-way partial AUC": TwoWayPartialAUCLoss(class_counts=COUNTS, num_indices=12),
    "average precision": AveragePrecisionLoss(class_counts=COUNTS, num_indices=12),
    "average precision after a warm-up": AveragePrecisionLoss(
        class_counts=COUNTS, num_indices=12, num_examples=10, max_epochs=1, warmup=0.5
    ),
    "recall at budget": RecallAtBudgetLoss(0.3, class_counts=COUNTS),
}
CUTS = {"uneven": 3, "one example": 1, "nothing but ignored": 2}


def batch() -> tuple[Tensor, Tensor]:
    """Features (12, 5), and class indices of which the first two and one more are ignored."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    target = torch.randint(4, (12,), generator=generator)
    target[[0, 1, 7]] = -100
    return features, target


def net() -> nn.Module:
    linear = nn.Linear(5, 4).double()
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter))
    return linear


def gradient(model: nn.Module, loss: nn.Module, features: Tensor, target: Tensor, index: Tensor) -> Tensor:
    """Of two steps for a loss that remembers examples, and what it then remembers."""
    model.zero_grad()
    loss = deepcopy(loss)
    steps = 2 if getattr(loss, "needs_index", False) else 1
    for step in range(steps):
        z = model(features * (1 - step / 2))
        (loss(z, target, index) if steps > 1 else loss(z, target)).backward()
    return torch.cat([*(p.grad.flatten() for p in model.parameters()), *(b.flatten() for b in loss.buffers())])


def one_of_two(rank: int, rendezvous: str, results: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    features, target = batch()
    model = DistributedDataParallel(net())
    found = {}
    for name, loss in LOSSES.items():
        for cut, at in CUTS.items():
            share = slice(None, at) if rank == 0 else slice(at, None)
            found[name, cut] = gradient(model, loss.double(), features[share], target[share], torch.arange(12)[share])
        if rank == 0:  # evaluation is local: a collective here would wait for the other for ever
            with torch.no_grad():
                found[name, "evaluation"] = loss(net()(features[5:]), target[5:])
    if rank == 0:
        torch.save(found, results)
    dist.destroy_process_group()
    # Python's own end is aborted now and then ("terminate called without an active exception", 9 of 72 times) by a
    # thread of DDP that is still there; what this process had to say is on disk.
    os._exit(0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Tensor]:
    folder: Path = tmp_path_factory.mktemp("two_processes")
    run_in_two_processes(one_of_two, str(folder / "rendezvous"), str(folder / "results.pt"))
    return torch.load(folder / "results.pt")


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("cut", CUTS)
def test_two_processes_have_the_gradient_of_one(found, name, cut):
    features, target = batch()
    expected = gradient(net(), LOSSES[name].double(), features, target, torch.arange(12))
    torch.testing.assert_close(found[name, cut], expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_evaluation_is_local(found, name):
    features, target = batch()
    expected = LOSSES[name].double()(net()(features[5:]), target[5:]).detach()
    torch.testing.assert_close(found[name, "evaluation"], expected)
