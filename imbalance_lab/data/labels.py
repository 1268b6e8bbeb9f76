"""The classes or labels, splits and groups of the rows of a table; errors name the file and line."""

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.dialect import MISSING
from imbalance_lab.data.label_text import (
    CANONICAL,
    NUMBER,
    WHOLE,
    WHOLE_WITH_POINT,
    as_integer_text,
    as_label_text,
    every_matches,
)
from imbalance_lab.data.read_table import Files, first_true, format_location
from imbalance_lab.data.splitting import SplitIndices
from imbalance_lab.data.truth import FALSE, TRUE, as_truth, is_truth
from imbalance_lab.validation import did_you_mean

SPLITS = ("train", "val", "test", "calibration")
"""Of these calibration may be empty, and val where that is asked for."""

NO_CLASS = "is not a class: classes are integers or text"


def read_targets(
    table: pa.Table, target: str | Sequence[str], files: Files, known: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Tensor]:
    """Class names, and class indices (N,); or for several columns their names, and 0/1 labels (N, L).

    Numbers are sorted as numbers, text alphabetically; ``known`` are the classes of a trained model, in its order.

    Raises:
        ValueError: for a missing label, a number that is not an integer, values other than 0 and 1 in one of several
            columns, a class that the model does not know.
    """
    if isinstance(target, str):
        return _classes(table[target], target, files, known)
    if not target:
        raise ValueError("data.target is an empty list: name the columns to predict")
    if len(set(target)) < len(target):
        raise ValueError(f"data.target names a column twice: {', '.join(target)}")
    if known is not None:
        if set(target) != set(known):
            raise ValueError(f"the model predicts the labels {', '.join(known)}, not {', '.join(target)}: name its own")
        target = known
    columns = []
    for name in target:
        column = _filled(table[name], name, files)
        text = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
        if (row := first_true(pc.invert(pc.is_in(text, pa.array([*FALSE, *TRUE]))))) >= 0:
            _refuse(files, row, name, column[row].as_py(), "is neither 0 nor 1: a label is 0 or 1")
        positive = pc.is_in(text, pa.array(TRUE))
        columns.append(np.asarray(positive).astype(np.int64))
    return tuple(target), torch.from_numpy(np.stack(columns, 1))


def split_from_column(column: pa.ChunkedArray, name: str, files: Files) -> SplitIndices:
    """The rows of each split, as the column says.

    Raises:
        ValueError: for anything but these.
    """
    column = _filled(column, name, files).cast(pa.string())
    if (row := first_true(pc.invert(pc.is_in(column, pa.array(SPLITS))))) >= 0:
        _refuse(files, row, name, column[row].as_py(), f"is not one of {', '.join(SPLITS)}")
    return SplitIndices(*(torch.from_numpy(np.flatnonzero(np.asarray(pc.equal(column, split)))) for split in SPLITS))


def group_ids(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number (N,) for each value; rows without one are each a group of their own."""
    codes = column.combine_chunks().dictionary_encode().indices
    numbers: NDArray[np.int64] = codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(numbers < 0, -1 - np.arange(len(numbers)), numbers)


def validate_splits(
    classes: Sequence[str], labels: Tensor, parts: SplitIndices, *, has_validation: bool = True
) -> None:
    """Refuse splits that cannot be trained or evaluated on; with ``has_validation`` false val may be empty.

    Raises:
        ValueError: for an empty split, a training split of a single class, a class that only another split has.
    """
    needed = ("train", "val", "test") if has_validation else ("train", "test")
    for split, rows in zip(SPLITS, parts, strict=True):
        if not len(rows) and split in needed:
            raise ValueError(f"there is no example in the {split} split: give it a larger fraction, or more examples")
    if labels.ndim == 2:
        present = {split: labels[rows].any(0) for split, rows in zip(SPLITS, parts, strict=True)}
    else:
        counts = [torch.bincount(labels[rows], minlength=len(classes)) > 0 for rows in parts]
        present = dict(zip(SPLITS, counts, strict=True))
    if labels.ndim == 1 and int(present["train"].sum()) < 2:
        only = [name for name, there in zip(classes, present["train"].tolist(), strict=True) if there]
        raise ValueError(f"all training examples are of one class, {only[0]!r}: two are needed")
    for split in SPLITS[1:]:
        for c in (present[split] & ~present["train"]).nonzero().flatten().tolist():
            raise ValueError(
                f"class {classes[c]!r} is in the {split} split but has no training example: "
                "move some there, or leave the class out"
            )
    for c in (~present["train"]).nonzero().flatten().tolist():
        raise ValueError(f"class {classes[c]!r} has no training example")


def _classes(
    column: pa.ChunkedArray, name: str, files: Files, known: Sequence[str] | None
) -> tuple[tuple[str, ...], Tensor]:
    column = _filled(column, name, files)
    text = as_label_text(column)
    if not pa.types.is_string(text.type):
        if pa.types.is_floating(text.type):
            row = first_true(pc.or_(pc.not_equal(pc.floor(text), text), pc.is_inf(text)))
            _refuse(files, row, name, column[row].as_py(), NO_CLASS)
        raise ValueError(f"column {name!r} holds {text.type}: classes are integers, text, or true and false")
    if known is not None:
        return tuple(known), _known_classes(column.cast(pa.string()), text, name, files, known)
    if every_matches(text, NUMBER) and not every_matches(text, WHOLE):
        row = first_true(pc.invert(pc.match_substring_regex(text, WHOLE_WITH_POINT)))
        _refuse(files, row, name, float(text[row].as_py()), NO_CLASS)
    values: list[str] = pc.unique(text).to_pylist()
    if len(values) > max(20, len(text) // 2):
        raise ValueError(
            f"column {name!r} has {len(values):,} different values in {len(text):,} rows: is it the class?"
        )
    classes = sorted(values, key=int if every_matches(text, CANONICAL) else None)
    return tuple(classes), torch.from_numpy(pc.index_in(text, pa.array(classes)).to_numpy().astype(np.int64))


def _known_classes(
    raw: pa.ChunkedArray, text: pa.ChunkedArray, name: str, files: Files, known: Sequence[str]
) -> Tensor:
    """The indices of classes that are written as the model has them, or as another kind of file would have them."""
    among = pa.array(list(known))
    if is_truth(among) and (truth := as_truth(text)) is not None:
        return torch.from_numpy(pc.index_in(truth, as_truth(among)).to_numpy().astype(np.int64))
    spellings = [raw, text] + [as_integer_text(text)] * every_matches(pa.chunked_array([among]), CANONICAL)
    codes = pc.coalesce(*(pc.index_in(each, among) for each in spellings))
    if (row := first_true(pc.is_null(codes))) >= 0:
        value = raw[row].as_py()
        hint = did_you_mean(value, known) or f": it has {', '.join(known[:8])}{' …' * (len(known) > 8)}"
        _refuse(files, row, name, value, f"is not a class of the model{hint}")
    return torch.from_numpy(codes.to_numpy().astype(np.int64))


def _filled(column: pa.ChunkedArray, name: str, files: Files) -> pa.ChunkedArray:
    empty = pc.is_null(column, nan_is_null=True)
    if (row := first_true(empty)) >= 0:
        names = ", ".join(filter(None, MISSING))
        _refuse(
            *(files, row, name, None),
            "has no value: fill it in, or remove the row; if a class is really called NA or the like, pass "
            f"'data.missing=[\"\"]', without which {names} in a .csv file are none",
        )
    return column


def _refuse(files: Files, row: int, column: str, value: object, what: str) -> NoReturn:
    cell = f"column {column!r}" + ("" if value is None else f": {value!r}")
    raise ValueError(f"{format_location(files, row)}, {cell} {what}")
