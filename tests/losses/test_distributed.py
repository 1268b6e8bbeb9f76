"""Two processes with uneven shares must learn what one process learns from the whole batch."""

import json

import pytest
import torch
import torch.distributed as dist

from imbalance_lab.losses import AUCMarginLoss, SeesawLoss
from imbalance_lab.losses.distributed import sum_over_ranks, world_size
from tests.helpers.two_processes import run_in_two_processes

TARGET = torch.tensor([0, 1, 0, 0, 1, 0, 0, 1])
SHARES = [slice(0, 1), slice(1, None)]  # the first process has no positive
LOGITS = torch.linspace(-2, 2, 16, dtype=torch.float64).reshape(8, 2).flip(1)


def learn(loss, share=slice(None)):
    """The gradients that the loss gives to its own parameters and to one weight of the net, and its buffers."""
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    value = loss(weight * LOGITS[share] ** 2, TARGET[share])
    return list(torch.autograd.grad(value, [weight, *loss.parameters()])), dict(loss.named_buffers())


def work(rank, store, make, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    gradients, buffers = learn(make(), SHARES[rank])
    for gradient in gradients:  # as DDP does
        dist.all_reduce(gradient)
        gradient /= 2
    with torch.no_grad():
        alone = sum_over_ranks(torch.tensor(3)).item()
    answer = [g.tolist() for g in gradients], {k: b.tolist() for k, b in buffers.items()}, alone
    (folder / f"{rank}.json").write_text(json.dumps(answer))
    dist.destroy_process_group()


def auc_margin():
    return AUCMarginLoss(class_counts=[5, 3]).double()


def seesaw():
    return SeesawLoss(class_counts=[5, 3], reduction="sum").double()


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("make", [auc_margin, seesaw])
def test_two_processes_learn_what_one_does(make, tmp_path):
    run_in_two_processes(work, tmp_path / "store", make, tmp_path)
    answers = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    expected, buffers = learn(make())
    scale = 0.5 if make is seesaw else 1  # DDP averages, and a sum is twice the average of two sums
    for gradients, own_buffers, alone in answers:
        torch.testing.assert_close(
            [torch.tensor(g, dtype=torch.float64) for g in gradients], [scale * g for g in expected], rtol=1e-6, atol=0
        )
        assert own_buffers == {k: b.tolist() for k, b in buffers.items()}
        assert alone == 3


def test_one_process_sums_nothing():
    assert world_size() == 1
    values = torch.tensor([1, 2])
    assert sum_over_ranks(values) is values
