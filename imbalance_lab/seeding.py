"""Randomness as a function of keys: the same key gives the same numbers, whatever was drawn before.

Order is keyed by (seed, epoch), augmentation by (seed, epoch, draw), dropout by (seed, step, rank). So a run does not
depend on workers, on whether validation runs, on the number of ranks, or on having been interrupted.
"""

import torch
from torch import Tensor

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: consecutive keys are mapped far apart
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def hash_seeds(*keys: int) -> int:
    """Hash integers to one of 64 bits; the order of the keys matters."""
    state = 0
    for key in keys:
        state = (state + _STEP + (key & _MASK)) & _MASK
        for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
            state = ((state ^ (state >> shift)) * multiplier) & _MASK
        state ^= state >> 31
    return state


def generator(*keys: int) -> torch.Generator:
    """A CPU generator seeded by these keys."""
    return torch.Generator().manual_seed(hash_seeds(*keys) >> 1)


def hash_indices(seed: int, numbers: Tensor) -> Tensor:
    """A 64-bit hash of each of ``numbers`` (N,) int64 under ``seed``; SplitMix64 (Steele et al. 2014)."""
    state = numbers * _signed(_STEP) + _signed(hash_seeds(seed))
    for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
        state = (state ^ _shifted(state, shift)) * _signed(multiplier)
    return state ^ _shifted(state, 31)


def counter_uniform(keys: Tensor, draws: int) -> Tensor:
    """``draws`` numbers in [0, 1) for each key: keys (N,) int64 → (N, draws) float32, on the device of the keys."""
    columns = torch.stack([hash_indices(number, keys) for number in range(draws)], 1)
    return _shifted(columns, 40).float() / (1 << 24)  # 24 bits: every value is exact in float32


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _shifted(state: Tensor, bits: int) -> Tensor:
    """Shift right with zeros; torch's ``>>`` copies the sign."""
    return (state >> bits) & ((1 << (64 - bits)) - 1)
