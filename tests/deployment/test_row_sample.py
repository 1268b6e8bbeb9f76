"""A random sample of a stream: the same however the stream is cut, uniform, and no more computed than needed."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from imbalance_lab.deployment.row_sample import RowSample, sample_rows


def sampled(n: int, size: int, step: int = 100, seed: int = 0, compared: int = 3) -> tuple[RowSample, int]:
    """A sample of the numbers below ``n``, and how many rows were computed for it."""
    computed = 0

    def logits(inputs: Tensor) -> np.ndarray:
        nonlocal computed
        computed += len(inputs)
        return inputs.numpy()

    def batches() -> Iterator[Tensor]:
        yield from torch.split(torch.arange(float(n))[:, None], step)

    features = (lambda inputs: -inputs.numpy()) if compared else None
    return sample_rows(batches(), logits, features, n_logits=size, n_features=compared, seed=seed), computed


def test_the_sample_does_not_depend_on_the_batches() -> None:
    one, other = sampled(5000, 700, step=1)[0], sampled(5000, 700, step=4999)[0]
    assert one.n_rows == other.n_rows == 5000
    np.testing.assert_array_equal(one.logits, other.logits)
    assert len(np.unique(one.logits)) == 700
    assert (sampled(5000, 700, seed=1)[0].logits != one.logits).any()


def test_features_are_of_the_first_rows_of_the_sample() -> None:
    sample = sampled(5000, 700, compared=60)[0]
    assert sample.features is not None
    np.testing.assert_array_equal(-sample.features, sample.logits[:60])
    assert sampled(50, 700, compared=0)[0].features is None


def test_a_small_stream_is_kept_whole() -> None:
    assert sorted(sampled(50, 700)[0].logits[:, 0].tolist()) == list(range(50))
    assert sorted(sampled(700, 700)[0].logits[:, 0].tolist()) == list(range(700))
    with pytest.raises(ValueError, match="no row"):
        sampled(0, 10)


def test_every_part_of_the_stream_is_equally_likely() -> None:
    rows = np.concatenate([sampled(10_000, 1000, seed=seed)[0].logits[:, 0] for seed in range(10)])
    counts = np.histogram(rows, 10, (0, 10_000))[0]
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(900)


def test_only_rows_that_may_be_drawn_are_computed() -> None:
    """About k (1 + ln(N / k)) of N, in batches."""
    assert sampled(100_000, 500)[1] < 7000
