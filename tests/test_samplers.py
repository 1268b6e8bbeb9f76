import re

import pytest
import torch
from scipy.stats import chisquare

from imbalance_lab.samplers import ClassBalanced, EpochBatches, Progressive, Sequential, Shuffled

COUNTS = torch.tensor([400, 100, 25, 9])
# Not sorted by class, so that a position is no clue to its class.
TARGETS = torch.arange(4).repeat_interleave(COUNTS)[torch.randperm(534, generator=torch.Generator().manual_seed(1))]


def test_sequential_is_the_stored_order():
    assert Sequential(5).order(0).tolist() == Sequential(5).order(3).tolist() == [0, 1, 2, 3, 4]


def test_shuffled_is_a_permutation_and_another_one_each_epoch_and_seed():
    orders = [Shuffled(targets=TARGETS, seed=seed).order(epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    for order in orders:
        assert order.sort().values.tolist() == list(range(534))
    assert len({tuple(order.tolist()) for order in orders}) == 6


@pytest.mark.parametrize("power", [0, 0.5, 1.0])
def test_class_balanced_draws_classes_by_their_counts_to_the_power(power):
    sampler = ClassBalanced(targets=TARGETS, power=power, seed=3)
    drawn = torch.cat([TARGETS[sampler.order(epoch)] for epoch in range(40)])
    share = COUNTS.double() ** power / (COUNTS.double() ** power).sum()
    assert chisquare(drawn.bincount(minlength=4), share * len(drawn)).pvalue > 0.01


@pytest.mark.parametrize(("epoch", "max_epochs"), [(0, 10), (5, 10), (9, 10), (30, 10)])
def test_progressive_goes_from_the_counts_to_equal_shares(epoch, max_epochs):
    orders = [Progressive(targets=TARGETS, max_epochs=max_epochs, seed=seed).order(epoch) for seed in range(40)]
    drawn = TARGETS[torch.cat(orders)]
    done = min(epoch / max_epochs, 1)
    share = (1 - done) * COUNTS.double() / COUNTS.sum() + done / 4
    assert chisquare(drawn.bincount(minlength=4), share * len(drawn)).pvalue > 0.01


@pytest.mark.parametrize("max_epochs", [0, -1, 2.5, True, None])
def test_a_number_of_epochs_that_makes_no_sense_is_refused(max_epochs):
    with pytest.raises(ValueError, match="max_epochs must be a whole number"):
        Progressive(targets=TARGETS, max_epochs=max_epochs)


def test_class_balanced_draws_the_members_of_a_class_alike():
    sampler = ClassBalanced(targets=TARGETS, seed=4)
    drawn = torch.cat([sampler.order(epoch) for epoch in range(40)])
    for number in range(4):
        times = drawn[TARGETS[drawn] == number].bincount(minlength=534)[TARGETS.eq(number)]
        assert chisquare(times).pvalue > 0.01


def test_an_absent_class_number_is_never_drawn():
    targets = torch.tensor([5, 2, 2, 5, 2, 2, 2])
    drawn = torch.cat([targets[ClassBalanced(targets=targets).order(epoch)] for epoch in range(100)])
    assert chisquare([(drawn == 2).sum(), (drawn == 5).sum()]).pvalue > 0.01


@pytest.mark.parametrize("power", [-0.1, 1.1, float("nan"), True, "0.5", None])
def test_a_power_that_makes_no_sense_is_refused(power):
    with pytest.raises(ValueError, match="power must be a number between 0"):
        ClassBalanced(targets=TARGETS, power=power)


@pytest.mark.parametrize(
    ("length", "batch_size", "world_size"),
    [(101, 10, 2), (7, 4, 3), (64, 16, 4), (10, 3, 1), (5, 100, 5), (101, 3, 2)],
)
def test_the_ranks_together_do_exactly_what_one_process_does(length, batch_size, world_size):
    sampler = Shuffled(targets=torch.zeros(length), seed=2)

    def passes(rank, world_size):
        batches = EpochBatches(sampler, length, batch_size, rank=rank, world_size=world_size, seed=8)
        batches.set_epoch(3)
        return list(batches), len(batches)

    alone, steps = passes(0, 1)
    shares = [passes(rank, world_size) for rank in range(world_size)]
    assert all(len(batches) == told == steps for batches, told in [(alone, steps), *shares])
    for step, whole in enumerate(alone):
        parts = [batches[step] for batches, _ in shares]
        assert torch.cat([part.positions for part in parts]).tolist() == whole.positions.tolist()
        assert torch.cat([part.keys for part in parts]).tolist() == whole.keys.tolist()
        sizes = [len(part.positions) for part in parts]
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1
    sizes = [len(whole.positions) for whole in alone]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert torch.cat([whole.positions for whole in alone]).tolist() == sampler.order(3).tolist()


def test_uneven_shares_by_hand():
    shares = [list(EpochBatches(Sequential(7), 7, 4, rank=rank, world_size=3)) for rank in range(3)]
    positions = [[draws.positions.tolist() for draws in share] for share in shares]
    assert positions == [[[0, 1], [4]], [[2], [5]], [[3], [6]]]


def test_resuming_yields_the_tail_of_the_whole_pass_and_then_whole_passes():
    def batches():
        return EpochBatches(ClassBalanced(targets=TARGETS), 534, 50, rank=1, world_size=2, seed=6)

    whole = batches()
    whole.set_epoch(4)
    resumed = batches()
    resumed.resume(4, 7)
    for draws, expected in zip(list(resumed), list(whole)[7:], strict=True):
        assert torch.equal(draws.positions, expected.positions)
        assert torch.equal(draws.keys, expected.keys)
    assert len(list(resumed)) == len(resumed) == 11


def test_every_draw_has_a_key_of_its_own_in_each_epoch_and_seed():
    keys = []
    for seed in (0, 1):
        batches = EpochBatches(Sequential(50), 50, 8, seed=seed)
        for epoch in (0, 1):
            batches.set_epoch(epoch)
            keys += [key for draws in batches for key in draws.keys.tolist()]
    assert len(set(keys)) == 200


def test_lightning_reaches_set_epoch_through_the_sampler():
    batches = EpochBatches(Shuffled(targets=TARGETS), 534, 50)
    first = next(iter(batches)).positions
    batches.sampler.set_epoch(1)
    assert not torch.equal(next(iter(batches)).positions, first)


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "8", True])
def test_a_batch_size_that_makes_no_sense_is_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must be a whole number ≥ 1"):
        EpochBatches(Sequential(10), 10, batch_size)


def test_more_processes_than_a_batch_has_examples_are_refused():
    with pytest.raises(ValueError, match="7 examples in batches of 3 cannot be shared by 3 processes"):
        EpochBatches(Sequential(7), 7, 3, world_size=3)


def test_the_batch_size_that_a_refusal_recommends_is_accepted():
    with pytest.raises(ValueError, match="cannot be shared") as refusal:
        EpochBatches(Sequential(7), 7, 3, world_size=3)
    recommended = int(re.search(r"batch_size ≥ (\d+)", str(refusal.value))[1])
    assert len(EpochBatches(Sequential(7), 7, recommended, world_size=3)) == 2


def test_an_empty_split_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="no example"):
        EpochBatches(Sequential(0), 0, 8)
