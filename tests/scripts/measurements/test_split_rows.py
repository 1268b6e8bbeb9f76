import numpy as np
import pandas as pd
from measurements.split_rows import split_rows

LABELS = np.array(["a"] * 170 + ["b"] * 30)


def test_each_class_is_split_in_the_same_shares():
    split = split_rows(LABELS, 0)
    for label, n in (("a", 170), ("b", 30)):
        counts = pd.Series(split[label == LABELS]).value_counts()
        assert counts.to_dict() == {"train": 0.6 * n, "val": 0.2 * n, "test": 0.2 * n}


def test_the_split_follows_from_its_seed_alone():
    assert (split_rows(LABELS, 1) == split_rows(LABELS, 1)).all()
    assert (split_rows(LABELS, 1) != split_rows(LABELS, 2)).any()
