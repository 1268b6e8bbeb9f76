"""All rows of a table with what is known of them before training: what the remarks on suspicious columns look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imbalance_lab.data.columns import Column
from imbalance_lab.data.read_table import Files
from imbalance_lab.data.splitting import SplitIndices
from imbalance_lab.text import hydra_quoted, shell_words

MAX_NAMED = 5
"""Columns that a sentence names."""

MAX_ROWS = 30_000
"""Training rows that are looked at; of larger files a sample, with at least `MIN_OF_CLASS` of each class."""

MIN_OF_CLASS = 1000

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class FeatureRows:
    """N rows and their F features.

    Args:
        data: (N rows) as they were read, with a column for each feature.
        columns: what the F features are.
        inputs: (N, F) float32 numbers, NaN where missing, and codes of categories, 0 where missing.
        classes: their names, or those of the labels.
        labels: class indices (N,), or 0/1 labels (N, L).
        parts: the rows of each split.
        files: where they come from.
    """

    data: pa.Table
    columns: Sequence[Column]
    inputs: NDArray[np.float32]
    classes: Sequence[str]
    labels: Labels
    parts: SplitIndices
    files: Files

    @cached_property
    def training(self) -> Labels:
        """The training rows, ascending; a sample of them if there are more than `MAX_ROWS`."""
        rows: Labels = self.parts.train.numpy()
        if len(rows) <= MAX_ROWS:
            return rows
        members = self.one_vs_rest(rows)
        chosen = np.zeros(len(rows), bool)
        chosen[evenly_spaced(np.arange(len(rows)), MAX_ROWS)] = True
        for _, of_class in members:
            chosen[evenly_spaced(np.flatnonzero(of_class), MIN_OF_CLASS)] = True
        return rows[chosen]

    def one_vs_rest(self, rows: Labels) -> list[tuple[str, NDArray[np.bool_]]]:
        """Each class, or label, and which of the rows have it; of two classes the rarer one alone."""
        labels = self.labels[rows]
        if labels.ndim == 2:
            return [(name, labels[:, c] > 0) for c, name in enumerate(self.classes)]
        classes = range(len(self.classes))
        if len(classes) == 2:
            rarer = int(np.bincount(labels, minlength=2).argmin())
            classes = range(rarer, rarer + 1)
        return [(self.classes[c], labels == c) for c in classes]

    @cached_property
    def label_codes(self) -> Labels:
        """A number (N,) for each class, or for each set of labels."""
        if self.labels.ndim == 1:
            return self.labels
        codes: Labels = np.unique(self.labels, axis=0, return_inverse=True)[1].reshape(-1)
        return codes

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        """The first row of each file, and the one after its last."""
        starts = [start for _, start in self.files] or [0]
        return list(zip(starts, [*starts[1:], len(self.labels)], strict=True))


def evenly_spaced(rows: NDArray[Any], most: int) -> NDArray[Any]:
    """At most so many of the rows, without a period that columns could have too."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).permutation(rows)[:most])


def drop_override(names: Sequence[str]) -> str:
    r"""What leaves columns out, as a shell takes it.

    >>> drop_override(["id", "", "Unnamed: 0"])
    '\'data.drop=[id,"","Unnamed: 0"]\''
    """
    return shell_words(f"data.drop=[{','.join(map(_element, names))}]")


def named(names: Sequence[str]) -> str:
    """Columns as a sentence names them, of many the first.

    >>> named(["a"]), named(["a", "b", "c"])
    ("column 'a'", "columns 'a', 'b' and 'c'")
    """
    shown = list(map(repr, names[:MAX_NAMED]))
    if len(names) > MAX_NAMED:
        return f"columns {', '.join(shown)} and {len(names) - MAX_NAMED} more"
    if len(names) == 1:
        return f"column {shown[0]}"
    return f"columns {', '.join(shown[:-1])} and {shown[-1]}"


def _element(name: str) -> str:
    if name.isidentifier() and name.isascii() and name.lower() not in ("null", "true", "false", "nan", "inf"):
        return name
    quoted = hydra_quoted(name)
    inside = quoted[1:-1]
    return f'"{inside}"' if not set(inside) & set("\"'\\$") else quoted
