"""Tables as files with a column `split`, the same rows for all: 60 % train, 20 % val, 20 % test of each class."""

from pathlib import Path

import numpy as np
import pandas as pd
from measurements.split_rows import split_rows
from sklearn.model_selection import train_test_split

from imbalance_lab.files import atomic_write
from table_benchmark.sources import Source

MIN_TEST_POSITIVES = 5


def table_file(cache: Path, name: str, split_seed: int) -> Path:
    """Where a table lies, split with ``split_seed``."""
    return cache / name / f"split{split_seed}.csv"


def write_table(source: Source, split_seed: int, cache: Path) -> Path:
    """Write a table with its split, unless it is there; the path.

    Raises:
        ValueError: if a class has fewer than `MIN_TEST_POSITIVES` rows in test.
    """
    path = table_file(cache, source.name, split_seed)
    if path.is_file():
        return path
    frame = shortened(source.read(), source.max_rows)
    split = split_rows(frame["class"].to_numpy(), split_seed)
    rarest = int(frame["class"][split == "test"].value_counts().min())
    if rarest < MIN_TEST_POSITIVES:
        raise ValueError(f"{source.name}: {rarest} rows of the rarest class in test")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        frame.assign(split=split).to_csv(unfinished, index=False)
    return path


def shortened(frame: pd.DataFrame, max_rows: int) -> pd.DataFrame:
    """A stratified sample of ``max_rows`` rows in their order, the same each time."""
    if len(frame) <= max_rows:
        return frame
    kept, _ = train_test_split(np.arange(len(frame)), train_size=max_rows, stratify=frame["class"], random_state=0)
    return frame.iloc[np.sort(kept)].reset_index(drop=True)


def read_table(path: Path) -> pd.DataFrame:
    """The table as it was written: text stays text, only empty cells are gaps."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"class": str, "split": str})
