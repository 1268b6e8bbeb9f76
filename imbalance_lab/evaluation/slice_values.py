"""Which value of a column each example has: categories as they are, numbers with many values in quantile bins."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MAX_VALUES = 12
"""Of a column; the examples of the other, rarer values form one slice together."""

MAX_NUMBERS, BINS = 10, 4
"""A column with more different numbers is cut at its quartiles."""

Kind = Literal["value", "range", "missing", "other"]


@dataclass(frozen=True)
class SliceValue:
    """The examples with one value in one column.

    Args:
        column: its name.
        value: the value as text; of a range its smallest and largest number; "" if it is missing.
        kind: what ``value`` is; "other" are the examples of all rarer values together.
        members: which examples, (N,).
    """

    column: str
    value: str
    kind: Kind
    members: NDArray[np.bool_]


def slice_values(name: str, column: pa.ChunkedArray) -> list[SliceValue]:
    """The values of a column (N rows), each example in exactly one of them.

    Categories come with the most frequent first, numbers in their order, then the others and the missing ones. Bins
    end at quartiles of these examples, so that they are about equally large; equal numbers are never apart.
    """
    whole = column.combine_chunks()
    if pa.types.is_floating(whole.type):
        whole = pc.if_else(pc.is_nan(whole), pa.scalar(None, whole.type), whole)
    missing = np.asarray(whole.is_null().to_numpy(zero_copy_only=False), np.bool_)
    encoded = whole.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = encoded.dictionary.to_pylist()
    is_number = not pa.types.is_string(whole.type)
    if is_number and len(values) > MAX_NUMBERS:
        found = _bins(name, np.array(values), codes)
    else:
        found = _categories(name, values, codes, is_number)
    return [*found, SliceValue(name, "", "missing", missing)] if missing.any() else found


def _categories(name: str, values: list[Any], codes: NDArray[np.int64], is_number: bool) -> list[SliceValue]:
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    order = sorted(range(len(values)), key=lambda at: values[at] if is_number else (-counts[at], values[at]))
    kept, rest = order[:MAX_VALUES], order[MAX_VALUES:]
    if len(rest) == 1:
        kept, rest = order, []
    found = [SliceValue(name, number_text(values[at]), "value", codes == at) for at in kept]
    if rest:
        found.append(SliceValue(name, f"{len(rest):,} other values", "other", np.isin(codes, rest)))
    return found


def _bins(name: str, values: NDArray[Any], codes: NDArray[np.int64]) -> list[SliceValue]:
    present = codes >= 0
    numbers = values[codes[present]]
    edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    of_bin = np.full(len(codes), -1)
    of_bin[present] = np.searchsorted(edges, numbers, side="left")
    found = []
    for each in np.unique(of_bin[present]):
        inside = numbers[of_bin[present] == each]
        low, high = number_text(inside.min().item()), number_text(inside.max().item())
        found.append(SliceValue(name, low if low == high else f"{low} to {high}", "range", of_bin == each))
    return found


def number_text(value: Any) -> str:
    """A number in at most six digits where that is exact enough to read, without ".0"; text as it is."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else f"{value:.6g}"
