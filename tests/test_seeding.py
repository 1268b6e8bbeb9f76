import numpy as np
import pytest
import torch
from scipy.stats import kstest

from imbalance_lab import seeding

WHOLE = 2**64


def splitmix64(state, draws):
    """SplitMix64 with whole numbers of any size, after Steele et al. 2014."""
    outputs = []
    for _ in range(draws):
        state = (state + 0x9E3779B97F4A7C15) % WHOLE
        mixed = state
        mixed = (mixed ^ (mixed // 2**30)) * 0xBF58476D1CE4E5B9 % WHOLE
        mixed = (mixed ^ (mixed // 2**27)) * 0x94D049BB133111EB % WHOLE
        outputs.append(mixed ^ (mixed // 2**31))
    return outputs


def signed(number):
    return number - WHOLE if number >= 2**63 else number


def test_folding_one_key_is_the_published_splitmix64():
    # First outputs of the generator seeded with 0 and with 1234567.
    assert seeding.hash_seeds(0) == 0xE220A8397B1DCDAF
    assert seeding.hash_seeds(1234567) == 6457827717110365317


@pytest.mark.parametrize("keys", [(0, 0), (1, 2, 3), (3, 2, 1), (-1, 7), (2**80 + 5, 2**63), (2**64 - 1,)])
def test_folding_several_keys_mixes_each_into_the_state(keys):
    state = 0
    for key in keys:
        (state,) = splitmix64((state + key) % WHOLE, 1)
    assert seeding.hash_seeds(*keys) == state


def test_the_order_and_the_number_of_keys_matter():
    folded = {seeding.hash_seeds(*keys) for keys in [(), (0,), (0, 0), (1, 2), (2, 1), (1,), (2,), (3,), (1, 2, 0)]}
    assert len(folded) == 9


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890, -3])
def test_spread_is_the_splitmix64_stream_that_starts_at_the_folded_seed(seed):
    stream = splitmix64(seeding.hash_seeds(seed), 200)
    assert seeding.hash_indices(seed, torch.arange(1, 201)).tolist() == [signed(number) for number in stream]


def test_spread_takes_any_int64():
    extremes = [-(2**63), -5, 0, 2**62, 2**63 - 1]
    by_hand = [splitmix64((seeding.hash_seeds(9) + (n - 1) * 0x9E3779B97F4A7C15) % WHOLE, 1)[0] for n in extremes]
    assert seeding.hash_indices(9, torch.tensor(extremes)).tolist() == [signed(number) for number in by_hand]


def test_spread_never_maps_two_numbers_to_one():
    assert len(seeding.hash_indices(3, torch.arange(-50_000, 50_000)).unique()) == 100_000


def test_uniform_numbers_are_uniform_even_for_consecutive_keys():
    for keys in (torch.arange(20_000), seeding.hash_indices(5, torch.arange(20_000))):
        for column in seeding.counter_uniform(keys, 3).unbind(1):
            assert column.min() >= 0
            assert column.max() < 1
            assert kstest(column.numpy(), "uniform").pvalue > 0.01
            assert abs(column.mean().item() - 1 / 2) < 4 * np.sqrt(1 / 12 / 20_000)
            assert abs(column.var().item() - 1 / 12) < 4 * np.sqrt(1 / 180 / 20_000)


def test_columns_and_neighbours_are_uncorrelated():
    numbers = seeding.counter_uniform(torch.arange(20_001), 4).double()
    beside = torch.cat([numbers[:-1], numbers[1:]], 1)
    correlation = torch.corrcoef(beside.T) - torch.eye(8)
    assert correlation.abs().max() < 4 / np.sqrt(20_000)


def test_a_uniform_number_depends_on_its_key_and_column_only():
    keys = seeding.hash_indices(1, torch.arange(10))
    everything = seeding.counter_uniform(keys, 3)
    every_other = keys[::2]
    assert not every_other.is_contiguous()
    assert torch.equal(seeding.counter_uniform(every_other, 3), everything[::2])
    assert torch.equal(seeding.counter_uniform(keys.flip(0), 2), everything.flip(0)[:, :2])
    assert torch.equal(seeding.counter_uniform(keys[:1].expand(4), 3), everything[:1].expand(4, 3))


def test_uniform_has_the_top_24_bits():
    (first,) = splitmix64(seeding.hash_seeds(0), 1)
    assert seeding.counter_uniform(torch.tensor([1]), 1).item() == (first >> 40) / 2**24


def test_generators_are_repeatable_and_leave_the_global_one_alone():
    before = torch.get_rng_state()
    draws = [torch.rand(3, generator=seeding.generator(*keys)).tolist() for keys in [(0, 1), (1, 0), (0, 1), (0, 2)]]
    assert draws[0] == draws[2]
    assert len({tuple(draw) for draw in draws}) == 3
    assert torch.equal(torch.get_rng_state(), before)
