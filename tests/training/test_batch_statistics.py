"""Batch normalization of one example: refused before training exactly where the sampler makes such batches."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from imbalance_lab.errors import UsageError
from imbalance_lab.samplers import DistributedEpochBatchSampler, RandomSampler
from imbalance_lab.training.batch_statistics import check_batch_statistics

NET = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def shares(length: int, batch_size: int, world_size: int) -> Iterator[int]:
    """Examples of every process in every step."""
    sampler = RandomSampler(torch.zeros(length, dtype=torch.long), seed=0)
    for rank in range(world_size):
        batches = DistributedEpochBatchSampler(sampler, length, batch_size, rank=rank, world_size=world_size)
        yield from (len(batch.positions) for batch in batches)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_it_is_refused_where_a_process_would_get_one_example_and_the_remedy_helps(world_size: int) -> None:
    for length in range(world_size, 14):
        for batch_size in range(world_size, 9):
            try:
                smallest = min(shares(length, batch_size, world_size))
            except ValueError:  # a process would get none, which is refused elsewhere
                continue
            if smallest >= 2:
                check_batch_statistics([NET], length, batch_size, world_size=world_size)
                continue
            with pytest.raises(UsageError, match="which needs two: ") as refused:
                check_batch_statistics([NET], length, batch_size, world_size=world_size)
            said = str(refused.value)
            if "choose batch_size ≥ " in said:
                enough = int(said.partition("batch_size ≥ ")[2].partition(",")[0])
                assert min(shares(length, enough, world_size)) >= 2
                assert enough == 2 or min(shares(length, enough - 1, world_size), default=0) < 2
            else:
                assert length < 2 * world_size


def test_torch_refuses_what_is_refused_here() -> None:
    with pytest.raises(ValueError, match="more than 1 value"):
        NET(torch.randn(1, 3))
    with pytest.raises(UsageError, match=r"^batch_size=1 makes batches of one example, but Sequential has batch"):
        check_batch_statistics([nn.Linear(1, 1), NET], 10, 1)


def test_what_does_not_normalize_over_the_batch_may_have_one_example() -> None:
    frozen = nn.Sequential(nn.BatchNorm2d(3)).eval()
    check_batch_statistics([frozen, nn.LayerNorm(3), nn.GroupNorm(1, 3)], 10, 1)
    check_batch_statistics([NET], 10, 3, world_size=3, synced=True)
    with pytest.raises(UsageError, match=r"one example for some of 3 processes, .* choose batch_size ≥ 10, or trainer"):
        check_batch_statistics([NET], 10, 3, world_size=3)
    with pytest.raises(UsageError, match=r"1 training example is too few, add some$"):
        check_batch_statistics([NET], 1, 8)
