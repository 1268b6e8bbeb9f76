"""A table for those who need arrays: numbers and codes of categories, fitted to the training rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PreparedTable:
    """A table's rows for a model.

    Attributes:
        classes: the names of the classes, sorted.
        target: class indices (N,) by split.
        native: (N, D) by split: numbers first, NaN where missing, then codes 0, 1, … of the categories, NaN where
            missing or not in the training rows.
        cardinalities: how many codes each categorical column of ``native`` has.
        one_hot: (N, E) by split: numbers standardized, gaps filled with the median and marked, categories one-hot.
    """

    classes: tuple[str, ...]
    target: dict[str, NDArray[np.int64]]
    native: dict[str, Floats]
    cardinalities: tuple[int, ...]
    one_hot: dict[str, Floats]

    @property
    def num_numbers(self) -> int:
        """How many columns of ``native`` are numbers; the others are codes."""
        return int(self.native["train"].shape[1]) - len(self.cardinalities)

    @property
    def code_columns(self) -> list[int]:
        """The columns of ``native`` that are codes."""
        return list(range(self.num_numbers, self.native["train"].shape[1]))


def prepare(frame: pd.DataFrame) -> PreparedTable:
    """Prepare what `read_table` gives."""
    classes = tuple(sorted(frame["class"].unique()))
    parts = dict(list(frame.groupby("split")))
    features = frame.columns.drop(["class", "split"])
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(frame[name])]
    text = [name for name in features if name not in numbers]
    train = parts["train"].astype(dict.fromkeys(text, object))
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    native = make_column_transformer(("passthrough", numbers), (codes, text)).fit(train)
    fill = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    wide = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    one_hot = make_column_transformer((fill, numbers), (wide, text)).fit(train)
    return PreparedTable(
        classes,
        {split: np.array([classes.index(label) for label in rows["class"]]) for split, rows in parts.items()},
        {split: np.asarray(native.transform(rows), np.float64) for split, rows in parts.items()},
        tuple(int(train[name].nunique()) for name in text),
        {split: np.asarray(one_hot.transform(rows), np.float64) for split, rows in parts.items()},
    )
