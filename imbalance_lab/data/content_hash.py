"""Numbers that are equal for equal inputs."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def hash_inputs(inputs: Tensor) -> NDArray[np.uint64]:
    """A number for each of ``inputs`` (N, …), (N,), equal for equal ones."""
    content = np.ascontiguousarray(inputs.flatten(1).numpy()).view(np.uint8)
    words = np.pad(content, ((0, 0), (0, -content.shape[1] % 8))).view(np.uint64)
    # The inner product with random odd numbers: a universal hash, if the words are mixed first.
    odd = np.random.default_rng(0).integers(0, 1 << 63, words.shape[1], np.uint64) * 2 + 1
    mixed = (words ^ (words >> 32)) * odd
    total: NDArray[np.uint64] = (mixed ^ (mixed >> 29)).sum(1, dtype=np.uint64)
    return total
