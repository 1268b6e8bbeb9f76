import pickle
import re
from functools import partial

import pytest
import torch
from scipy.stats import chisquare

from imbalance_lab.class_counts import effective_number
from imbalance_lab.samplers import (
    ClassBalancedSampler,
    DistributedEpochBatchSampler,
    EffectiveNumberSampler,
    MPerClassSampler,
    ProgressiveSampler,
    RandomSampler,
    RepeatedSampler,
    SequentialSampler,
)
from imbalance_lab.samplers.draw_by_class import DrawByClass

COUNTS = torch.tensor([400, 100, 25, 9])
# Not sorted by class, so that a position is no clue to its class.
TARGETS = torch.arange(4).repeat_interleave(COUNTS)[torch.randperm(534, generator=torch.Generator().manual_seed(1))]


def test_sequential_is_the_stored_order():
    assert SequentialSampler(5).order(0).tolist() == SequentialSampler(5).order(3).tolist() == [0, 1, 2, 3, 4]


def test_random_is_a_permutation_that_changes_with_epoch_and_seed():
    orders = [RandomSampler(targets=TARGETS, seed=seed).order(epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    for order in orders:
        assert order.sort().values.tolist() == list(range(534))
    assert len({tuple(order.tolist()) for order in orders}) == 6


@pytest.mark.parametrize("power", [0, 0.5, 1.0])
def test_class_balanced_draws_classes_by_their_counts_to_the_power(power):
    sampler = ClassBalancedSampler(targets=TARGETS, power=power, seed=3)
    drawn = torch.cat([TARGETS[sampler.order(epoch)] for epoch in range(40)])
    share = COUNTS.double() ** power / (COUNTS.double() ** power).sum()
    assert chisquare(drawn.bincount(minlength=4), share * len(drawn)).pvalue > 0.01


@pytest.mark.parametrize("beta", [0, 0.9, 0.999])
def test_effective_number_draws_classes_in_proportion_to_it(beta):
    sampler = EffectiveNumberSampler(targets=TARGETS, beta=beta, seed=3)
    drawn = torch.cat([TARGETS[sampler.order(epoch)] for epoch in range(40)])
    share = effective_number(COUNTS, beta) / effective_number(COUNTS, beta).sum()
    assert chisquare(drawn.bincount(minlength=4), share * len(drawn)).pvalue > 0.01


@pytest.mark.parametrize("beta", [-0.1, 1, True, "x"])
def test_an_invalid_beta_is_refused(beta):
    with pytest.raises((TypeError, ValueError), match=r"beta must be a (finite )?number"):
        EffectiveNumberSampler(targets=TARGETS, beta=beta)


@pytest.mark.parametrize("classes", [2, 300])
def test_draw_by_class_follows_the_priors_that_it_is_given(classes):
    priors = torch.arange(classes, 0, -1, dtype=torch.float64) ** 0.5
    targets = torch.arange(classes).repeat(2000)
    drawn = targets[DrawByClass(targets, seed=1).draw(priors, epoch=0)].bincount(minlength=classes)
    assert chisquare(drawn, priors / priors.sum() * len(targets)).pvalue > 0.01


def test_a_class_and_an_example_of_it_are_drawn_independently():
    # Two classes of two examples, all four pairs equally often.
    sampler = ClassBalancedSampler(targets=torch.tensor([0, 1, 1, 0]).repeat(1000), seed=2)
    drawn = torch.cat([sampler.order(epoch) for epoch in range(5)]) % 4
    assert chisquare(drawn.bincount(minlength=4)).pvalue > 0.01


@pytest.mark.parametrize(("m", "only"), [(1, None), (3, None), (2, [3]), (1, [1, 3])])
@pytest.mark.parametrize("batch_size", [16, 37, 534])
def test_every_batch_has_m_of_every_class(m, only, batch_size):
    sampler = MPerClassSampler(targets=TARGETS, batch_size=batch_size, m=m, only=only, seed=1)
    for epoch in range(3):
        order = sampler.order(epoch)
        assert len(order) == 534
        for draws in order.tensor_split(-(-534 // batch_size)):
            counts = TARGETS[draws].bincount(minlength=4)
            assert all(counts[c] >= m for c in (only or range(4)))


def test_m_per_class_repeats_examples_only_when_it_has_to():
    sampler = MPerClassSampler(targets=TARGETS, batch_size=20, m=1)  # 27 batches; the rarest class has 9
    times = sampler.order(0).bincount(minlength=534)
    assert (times[TARGETS == 3] == 3).all()
    assert set(times[TARGETS == 2].tolist()) == {1, 2}
    assert times[TARGETS < 2].max() == 1
    left_out = (times == 0).sum()
    assert left_out == (times - 1).clamp(min=0).sum() <= 20


def test_m_per_class_counts_the_positives_of_each_label():
    labels = torch.zeros(200, 2, dtype=torch.long)
    labels[:6, 0] = 1
    labels[4:60, 1] = 1
    order = MPerClassSampler(targets=labels, batch_size=10, m=2).order(0)
    for draws in order.tensor_split(20):
        assert (labels[draws].sum(0) >= 2).all()


def test_m_per_class_without_any_positive_is_a_shuffle():
    order = MPerClassSampler(targets=torch.zeros(20, 2, dtype=torch.long), batch_size=10).order(0)
    assert order.sort().values.tolist() == list(range(20))


def test_m_per_class_refuses_too_many_per_batch_and_accepts_the_batch_size_it_recommends():
    says = "5 of each of 4 classes do not fit into a batch of 15: choose a smaller m, or batch_size ≥ 21"
    with pytest.raises(ValueError, match=says):
        MPerClassSampler(targets=TARGETS, batch_size=16, m=5)
    MPerClassSampler(targets=TARGETS, batch_size=21, m=5)
    with pytest.raises(ValueError, match="do not fit into a batch of 15: choose a smaller m"):
        MPerClassSampler(targets=TARGETS, batch_size=16, m=500)
    with pytest.raises(ValueError, match="only must list class indices from 0 to 3, got 4"):
        MPerClassSampler(targets=TARGETS, batch_size=16, only=[4])
    with pytest.raises(ValueError, match="m must be an integer ≥ 1, got 0"):
        MPerClassSampler(targets=TARGETS, batch_size=16, m=0)


def test_samplers_that_draw_classes_refuse_multilabel_targets():
    for make in (ClassBalancedSampler, EffectiveNumberSampler, partial(ProgressiveSampler, max_epochs=3)):
        with pytest.raises(ValueError, match="an example has several labels"):
            make(targets=torch.zeros(5, 2, dtype=torch.long))


@pytest.mark.parametrize(("epoch", "max_epochs"), [(0, 10), (5, 10), (9, 10), (30, 10)])
def test_progressive_goes_from_the_counts_to_equal_shares(epoch, max_epochs):
    orders = [ProgressiveSampler(targets=TARGETS, max_epochs=max_epochs, seed=seed).order(epoch) for seed in range(40)]
    drawn = TARGETS[torch.cat(orders)]
    done = min(epoch / max_epochs, 1)
    share = (1 - done) * COUNTS.double() / COUNTS.sum() + done / 4
    assert chisquare(drawn.bincount(minlength=4), share * len(drawn)).pvalue > 0.01


@pytest.mark.parametrize("max_epochs", [0, -1, 2.5, True, None])
def test_invalid_max_epochs_are_refused(max_epochs):
    with pytest.raises((TypeError, ValueError), match="max_epochs must be an integer ≥ 1, got"):
        ProgressiveSampler(targets=TARGETS, max_epochs=max_epochs)


def test_class_balanced_draws_the_examples_of_a_class_equally_often():
    sampler = ClassBalancedSampler(targets=TARGETS, seed=4)
    drawn = torch.cat([sampler.order(epoch) for epoch in range(40)])
    for number in range(4):
        times = drawn[TARGETS[drawn] == number].bincount(minlength=534)[TARGETS.eq(number)]
        assert chisquare(times).pvalue > 0.01


def test_a_class_without_examples_is_never_drawn():
    targets = torch.tensor([5, 2, 2, 5, 2, 2, 2])
    drawn = torch.cat([targets[ClassBalancedSampler(targets=targets).order(epoch)] for epoch in range(100)])
    assert chisquare([(drawn == 2).sum(), (drawn == 5).sum()]).pvalue > 0.01


@pytest.mark.parametrize("power", [-0.1, 1.1, float("nan"), True, "0.5", None])
def test_an_invalid_power_is_refused(power):
    with pytest.raises((TypeError, ValueError), match=r"power must be a (finite )?number"):
        ClassBalancedSampler(targets=TARGETS, power=power)


@pytest.mark.parametrize(
    ("length", "batch_size", "world_size"),
    [(101, 10, 2), (7, 4, 3), (64, 16, 4), (10, 3, 1), (5, 100, 5), (101, 3, 2)],
)
def test_all_ranks_together_do_exactly_what_one_process_does(length, batch_size, world_size):
    sampler = RandomSampler(targets=torch.zeros(length), seed=2)

    def passes(rank, world_size):
        batches = DistributedEpochBatchSampler(sampler, length, batch_size, rank=rank, world_size=world_size, seed=8)
        batches.set_epoch(3)
        return list(batches), len(batches)

    alone, steps = passes(0, 1)
    class_priors = [passes(rank, world_size) for rank in range(world_size)]
    assert all(len(batches) == length_of_pass == steps for batches, length_of_pass in [(alone, steps), *class_priors])
    for step, whole in enumerate(alone):
        parts = [batches[step] for batches, _ in class_priors]
        assert torch.cat([part.positions for part in parts]).tolist() == whole.positions.tolist()
        assert torch.cat([part.seeds for part in parts]).tolist() == whole.seeds.tolist()
        sizes = [len(part.positions) for part in parts]
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1
    sizes = [len(whole.positions) for whole in alone]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert torch.cat([whole.positions for whole in alone]).tolist() == sampler.order(3).tolist()


def test_uneven_shares_by_hand():
    class_priors = [
        list(DistributedEpochBatchSampler(SequentialSampler(7), 7, 4, rank=rank, world_size=3)) for rank in range(3)
    ]
    positions = [[draws.positions.tolist() for draws in share] for share in class_priors]
    assert positions == [[[0, 1], [4]], [[2], [5]], [[3], [6]]]


def test_resuming_yields_the_rest_of_the_epoch_and_then_complete_epochs():
    def batches():
        return DistributedEpochBatchSampler(
            ClassBalancedSampler(targets=TARGETS), 534, 50, rank=1, world_size=2, seed=6
        )

    whole = batches()
    whole.set_epoch(4)
    resumed = batches()
    resumed.set_epoch(4)
    resumed.resume(7)
    for draws, expected in zip(list(resumed), list(whole)[7:], strict=True):
        assert torch.equal(draws.positions, expected.positions)
        assert torch.equal(draws.seeds, expected.seeds)
    assert len(list(resumed)) == len(resumed) == 11


def test_every_draw_has_its_own_seed():
    seeds = []
    for seed in (0, 1):
        batches = DistributedEpochBatchSampler(SequentialSampler(50), 50, 8, seed=seed)
        for epoch in (0, 1):
            batches.set_epoch(epoch)
            seeds += [each for draws in batches for each in draws.seeds.tolist()]
    assert len(set(seeds)) == 200


def test_lightning_reaches_set_epoch_through_the_sampler():
    batches = DistributedEpochBatchSampler(RandomSampler(targets=TARGETS), 534, 50)
    first = next(iter(batches)).positions
    batches.sampler.set_epoch(1)
    assert not torch.equal(next(iter(batches)).positions, first)


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "8", True])
def test_an_invalid_batch_size_is_refused(batch_size):
    with pytest.raises((TypeError, ValueError), match="batch_size must be an integer ≥ 1, got"):
        DistributedEpochBatchSampler(SequentialSampler(10), 10, batch_size)


def test_more_processes_than_a_batch_has_examples_are_refused():
    with pytest.raises(ValueError, match="7 examples in batches of 3 cannot be shared by 3 processes"):
        DistributedEpochBatchSampler(SequentialSampler(7), 7, 3, world_size=3)


def test_the_batch_size_that_a_refusal_recommends_is_accepted():
    with pytest.raises(ValueError, match="cannot be shared") as refusal:
        DistributedEpochBatchSampler(SequentialSampler(7), 7, 3, world_size=3)
    recommended = int(re.search(r"batch_size ≥ (\d+)", str(refusal.value))[1])
    assert len(DistributedEpochBatchSampler(SequentialSampler(7), 7, recommended, world_size=3)) == 2


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="no example"):
        DistributedEpochBatchSampler(SequentialSampler(0), 0, 8)


@pytest.mark.parametrize("passes", [1, 3])
def test_a_repeated_sampler_has_several_epochs_in_one(passes: int) -> None:
    targets = torch.arange(30) % 3
    once = RandomSampler(targets=targets, seed=1)
    repeated = RepeatedSampler(once, passes)
    for epoch in (0, 4):
        orders = repeated.order(epoch).split(30)
        assert len(orders) == passes
        for place, order in enumerate(orders):
            assert torch.equal(order, once.order(epoch * passes + place))


def test_a_repeated_sampler_has_the_priors_of_its_sampler_or_none() -> None:
    targets = torch.tensor([0, 0, 0, 1])
    known = RepeatedSampler(ClassBalancedSampler(targets=targets), 2)
    assert known.class_priors(torch.tensor([3, 1])).tolist() == [1, 1]
    assert not hasattr(RepeatedSampler(ProgressiveSampler(targets=targets, max_epochs=4), 2), "class_priors")
    assert torch.equal(pickle.loads(pickle.dumps(known)).order(0), known.order(0))
