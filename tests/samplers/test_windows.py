"""Orders that are computed a window at a time; forced on small splits."""

import functools

import pytest
import torch

from imbalance_lab.samplers import (
    ClassBalancedSampler,
    DistributedEpochBatchSampler,
    EffectiveNumberSampler,
    MPerClassSampler,
    ProgressiveSampler,
    RandomSampler,
    RepeatedSampler,
    windows,
)
from imbalance_lab.testing import check_sampler

COUNTS = [4000, 700, 5, 295]
ASKED = {
    "shuffled": RandomSampler,
    "balanced": ClassBalancedSampler,
    "square root": functools.partial(ClassBalancedSampler, power=0.5),
    "effective": functools.partial(EffectiveNumberSampler, beta=0.99),
    "progressive": functools.partial(ProgressiveSampler, max_epochs=4),
    "m per class": functools.partial(MPerClassSampler, batch_size=20, m=3),
}

EARLIER = {
    "shuffled": [5, 4, 6, 2, 0, 8, 3, 7, 9, 1],
    "balanced": [6, 7, 2, 7, 5, 8, 5, 9, 9, 0],
    "m per class": [6, 5, 8, 9, 4, 1, 9, 7, 0, 2],
    "seeds": [-1724651589209827444, -7807226592490625706, 3938626136282214285],
}
"""Of the release before this module was written."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(windows, "LARGE", 0)
    monkeypatch.setattr(windows, "WINDOW", 640)
    monkeypatch.setattr(windows, "BLOCKS", 300)
    monkeypatch.setattr(windows, "PART", 999)


def by_class():
    return torch.arange(4).repeat_interleave(torch.tensor(COUNTS))


def mixed():
    targets = by_class()
    return targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))]


@pytest.mark.parametrize("name", ASKED)
def test_every_sampler_keeps_the_contract(name):
    check_sampler(ASKED[name], mixed()[:1000])


@pytest.mark.parametrize("name", ASKED)
def test_parts_are_pieces_of_the_order(name):
    sampler = ASKED[name](targets=mixed().to(torch.uint8), seed=3)
    order = sampler.order(2)
    for start, stop in ((0, 1), (639, 641), (1280, 3000), (4999, 5000), (17, 5000), (300, 300)):
        assert torch.equal(sampler.part(2, start, stop), order[start:stop])


def test_shuffled_has_every_example_once_and_every_window_its_share_of_the_classes():
    targets = mixed()
    order = RandomSampler(targets=targets, seed=1).order(0)
    assert torch.equal(order.sort().values, torch.arange(5000))
    for window in order.split(640):
        share = targets[window].bincount(minlength=4) - torch.tensor(COUNTS) * len(window) / 5000
        assert share.abs().max() < 2  # 1 at its start, 1 at its end


@pytest.mark.parametrize("name", ["balanced", "square root", "effective"])
def test_quotas_of_an_epoch_are_exact_and_examples_come_in_rounds(name):
    targets = mixed()
    sampler = ASKED[name](targets=targets, seed=1)
    order = sampler.order(0)
    asked = sampler.class_priors(torch.tensor(COUNTS))
    drawn = targets[order].bincount(minlength=4)
    assert (drawn - 5000 * asked / asked.sum()).abs().max() < 1
    times = order.bincount(minlength=5000)
    for c in range(4):
        assert times[targets == c].max() - times[targets == c].min() <= 1
    # Of a class with fewer draws than examples, another part in another epoch.
    assert not torch.equal(times[targets == 0], sampler.order(1).bincount(minlength=5000)[targets == 0])


def test_m_per_class_has_m_in_each_batch_and_repeats_only_what_is_too_rare():
    targets = mixed()
    sampler = MPerClassSampler(targets=targets, batch_size=21, m=3, only=[1, 2], seed=1)
    batches = DistributedEpochBatchSampler(sampler, 5000, 21)
    for batch in batches:
        counts = targets[batch.positions].bincount(minlength=4)
        assert counts[[1, 2]].min() >= 3
    times = sampler.order(0).bincount(minlength=5000)
    assert times[targets == 0].max() == times[targets == 3].max() == 1
    assert times[targets == 2].min() >= 3 * len(batches) // 5


def test_blocks_of_neighbors_are_drawn_together():
    targets = by_class()
    order = RandomSampler(targets=targets, seed=1).order(0)
    size = windows.ClassWalks(targets, 0).block
    assert size == 17
    for window in order.split(640)[:-1]:
        of_first = window[window < 4000]
        assert len(torch.unique(of_first // size)) <= len(of_first) / size + 2


@pytest.mark.parametrize("name", ASKED)
def test_an_epoch_goes_on_with_another_number_of_processes(name):
    def batches(rank, world_size):
        made = DistributedEpochBatchSampler(
            ASKED[name](targets=mixed(), seed=5), 5000, 20, rank=rank, world_size=world_size, seed=5
        )
        made.set_epoch(1)
        return made

    whole = list(batches(0, 1))
    resumed = [batches(rank, 3) for rank in range(3)]
    for each in resumed:
        each.resume(101)
    shares = list(zip(*resumed, strict=True))
    assert len(shares) == len(whole) - 101
    for batch, share in zip(whole[101:], shares, strict=True):
        for field in ("positions", "seeds"):
            together = torch.cat([getattr(each, field) for each in share])
            assert torch.equal(together, getattr(batch, field))


def test_passes_follow_one_another():
    sampler = RandomSampler(targets=mixed(), seed=2)
    repeated = RepeatedSampler(sampler, 3)
    order = torch.cat([sampler.order(each) for each in (3, 4, 5)])
    assert torch.equal(repeated.order(1), order)
    assert torch.equal(repeated.part(1, 4000, 10_050), order[4000:10_050])


def test_labels_are_shuffled_without_regard_to_classes():
    labels = torch.stack([mixed() == 1, mixed() == 2], 1).long()
    assert torch.equal(RandomSampler(targets=labels, seed=2).order(0).sort().values, torch.arange(5000))


@pytest.mark.parametrize("seed", range(20))
def test_windows_share_out_any_quotas(seed):
    draws = torch.Generator().manual_seed(seed)
    quotas = torch.randint(0, 40, (9,), generator=draws) ** 2 * (torch.rand(9, generator=draws) < 0.7)
    quotas[0] += 3
    total = int(quotas.sum())
    ends = torch.arange(10, total + 10, 10).clamp(max=total)
    given = windows.window_quotas(quotas, ends)
    assert torch.equal(given[-1], quotas)
    assert (given.diff(dim=0) >= 0).all()
    assert torch.equal(given.sum(1)[1:], ends)
    assert (given[1:] - quotas * ends[:, None] / total).abs().max() < 1


def test_small_splits_keep_the_orders_of_earlier_releases(monkeypatch):
    monkeypatch.setattr(windows, "LARGE", 1 << 23)
    targets = torch.arange(3).repeat_interleave(torch.tensor([6, 3, 1]))
    assert RandomSampler(targets=targets, seed=1).order(0).tolist() == EARLIER["shuffled"]
    assert ClassBalancedSampler(targets=targets, seed=1).order(0).tolist() == EARLIER["balanced"]
    assert MPerClassSampler(targets=targets, batch_size=5, seed=1).order(0).tolist() == EARLIER["m per class"]
    batches = DistributedEpochBatchSampler(RandomSampler(targets=targets, seed=1), 10, 4, seed=1)
    assert [batch.seeds.tolist()[0] for batch in batches] == EARLIER["seeds"]
