"""Stratified splits of examples: 60 % train, 20 % val, 20 % test of each class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split


def split_rows(labels: NDArray[Any], seed: int) -> NDArray[Any]:
    """For each row "train", "val" or "test", each class in the same shares."""
    rows = np.arange(len(labels))
    rest, test = train_test_split(rows, test_size=0.2, stratify=labels, random_state=seed)
    _, val = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=seed)
    split = np.full(len(labels), "train", dtype=object)
    split[val], split[test] = "val", "test"
    return split
