"""Tables as sources: a CSV or Parquet file, the column to predict, and every other column as a feature."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.arrays import Arrays, Splits
from imbalance_lab.data.columns import as_categories, as_numbers, infer_kind
from imbalance_lab.data.labels import group_ids, read_targets, split_from_column, validate_splits
from imbalance_lab.data.preprocess import Preprocess, Scaling
from imbalance_lab.data.read_table import Files, format_location, read_table, require_column
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits

MANY_MISSING = 0.5


@dataclass(frozen=True)
class Rows(Arrays):
    """Rows of tables: ``inputs`` (N, F) float32, numbers first, NaN where missing, then category codes.

    ``files`` are the files that they come from, each with the index of its first row; ``groups`` (N,) tells which rows
    belong together.
    """

    files: Files = ()
    groups: NDArray[np.int64] | None = None

    def subset(self, positions: Tensor) -> Self:
        groups = None if self.groups is None else self.groups[positions.numpy()]
        taken = self.inputs[positions], self.targets[positions], self.index[positions]
        return replace(self, inputs=taken[0], targets=taken[1], index=taken[2], groups=groups)

    def names(self, positions: Tensor) -> list[str]:
        """File and line."""
        return [format_location(self.files, number) for number in self.index[positions].tolist()]


def table(
    *,
    path: str,
    target: str | Sequence[str],
    val_path: str | None = None,
    test_path: str | None = None,
    split: str | None = None,
    group: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    scaling: Scaling = "standard",
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    split_seed: int = 0,
) -> Splits:
    """Read a table. Numbers are features as they are; text, and what ``categorical`` names, are categories.

    What is fitted (medians, scales, categories) is fitted on the training rows only.

    Args:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file.
        target: the column with the class; or a list of columns, each 0 or 1, of labels that may hold together.
        val_path, test_path: further files with the same columns, as validation and test rows.
        split: a column with train, val or test in every row.
        group: a column; rows that are equal in it are never on two sides of a cut.
        drop: columns that are no features.
        categorical: columns of numbers that are categories: codes, postcodes.
        scaling: "standard", "quantile" or "none", see `Preprocess`.
        val_fraction, test_fraction: shares that are cut off, stratified, where no file and no column tells them.
        split_seed: decides that cut.

    Raises:
        ValueError, FileNotFoundError: naming the file and line, or the column, of what cannot be.
    """
    files, data = _concatenated({"data.path": path, "data.val_path": val_path, "data.test_path": test_path})
    for option, given in {"data.drop": drop, "data.categorical": categorical}.items():
        if isinstance(given, str):
            raise TypeError(f"{option} must be a list, as '{option}=[{given}]'")
    targets = [target] if isinstance(target, str) else list(target)
    no_features = [*targets, *filter(None, (split, group)), *drop]
    options = {"target": targets, "split": filter(None, [split]), "group": filter(None, [group]), "drop": drop}
    for option, columns in (options | {"categorical": categorical}).items():
        for column in columns:
            require_column(column, data.column_names, files[0][0], f"data.{option}")
    classes, labels = read_targets(data, target, files)
    groups = None if group is None else group_ids(data[group])
    parts = _parts(files, len(data), val_path, test_path)
    if split is None:
        fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction}
        parts = fill_missing_splits(parts, labels, **fractions, seed=split_seed, groups=groups)
    elif len(files) > 1:
        raise ValueError(f"data.split={split} and data.val_path or data.test_path both tell the split: choose one")
    else:
        parts = split_from_column(data[split], split, files)
    validate_splits(classes, labels, parts)
    features = data.select([name for name in data.column_names if name not in no_features])
    inputs, numbers, cardinalities, notes = _features(features, parts.train, categorical, files)
    notes += _target_leakage(features, parts.train, labels)
    everything = Rows(torch.from_numpy(inputs), labels, torch.arange(len(data)), files, groups)
    train, val, test = (everything.subset(rows) for rows in parts)
    fitted = Preprocess.fitted(train.inputs, numbers, scaling)
    return Splits(classes, train, val, test, fitted, cardinalities, notes)


def _features(
    data: pa.Table, training: Tensor, categorical: Sequence[str], files: Files
) -> tuple[NDArray[np.float32], int, list[int], list[str]]:
    """The inputs (N, F), how many columns of them are numbers, the codes of each other one, and what is odd."""
    kinds = {
        name: "category" if name in categorical else infer_kind(data[name], name, files) for name in data.column_names
    }
    at = pa.array(training.numpy())
    rows = {name: data[name].take(at) for name in data.column_names}
    notes: list[str] = []
    for name, column in rows.items():
        present = len(column) - column.null_count
        if present == 0 or (present == len(column) and len(pc.unique(column)) == 1):
            notes.append(
                f"column {name!r} is {'constant' if present else 'empty'} in the training rows: it is left out"
            )
            kinds[name] = "none"
        elif present < (1 - MANY_MISSING) * len(column):
            notes.append(f"column {name!r} is missing in {1 - present / len(column):.0%} of the training rows")
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    categories = [name for name, kind in kinds.items() if kind == "category"]
    if not numbers and not categories:
        raise ValueError(f"{files[0][0]} has no column to learn from beside what is to be predicted")
    inputs = np.empty((len(data), len(numbers) + len(categories)), np.float32)
    for to, name in enumerate(numbers):
        inputs[:, to] = as_numbers(data[name], name, files)
    cardinalities = []
    for to, name in enumerate(categories, len(numbers)):
        inputs[:, to], cardinality = as_categories(data[name], rows[name], name)
        cardinalities.append(cardinality)
    return inputs, len(numbers), cardinalities, notes


def _target_leakage(data: pa.Table, training: Tensor, labels: Tensor) -> list[str]:
    """Columns that are the class under another name."""
    if labels.ndim == 2:
        return []
    target, at = labels[training].numpy(), pa.array(training.numpy())
    told = []
    for name in data.column_names:
        codes = data[name].take(at).combine_chunks().dictionary_encode().indices.fill_null(-1)
        values = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        classes, different = len(np.unique(target)), len(np.unique(values))
        pairs = len(np.unique(values * (target.max() + 1) + target))
        if classes <= different <= 2 * classes and pairs == different:
            told.append(f"column {name!r} alone tells the class of every training row: is it known beforehand?")
    return told


def _concatenated(paths: dict[str, str | None]) -> tuple[Files, pa.Table]:
    """All rows, and each file with the index of its first row."""
    files: list[tuple[Path, int]] = []
    tables: list[pa.Table] = []
    for option, path in paths.items():
        if path is None:
            continue
        more = read_table(path, option)
        if tables and set(more.column_names) != set(tables[0].column_names):
            other = sorted(set(more.column_names) ^ set(tables[0].column_names))
            raise ValueError(
                f"{files[0][0]} and {path} do not have the same columns: only one has {', '.join(other[:8])}"
            )
        files.append((Path(path).expanduser(), sum(map(len, tables))))
        tables.append(more.select(tables[0].column_names) if tables else more)
    try:
        return tuple(files), pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            f"{' and '.join(str(file) for file, _ in files)} hold different kinds of values: {error}"
        ) from error


def _parts(files: Files, n: int, val_path: str | None, test_path: str | None) -> SplitIndices:
    """What the files tell: rows of none are in the training split."""
    ends = [*(start for _, start in files[1:]), n]
    rows = iter([torch.arange(start, end) for (_, start), end in zip(files, ends, strict=True)])
    nothing = torch.empty(0, dtype=torch.long)
    return SplitIndices(next(rows), next(rows) if val_path else nothing, next(rows) if test_path else nothing)
