"""Images as sources: a table of paths and labels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.dialect import DialectOptions
from imbalance_lab.data.folds import Fold, describe_left_out
from imbalance_lab.data.image_files import Normalization
from imbalance_lab.data.image_paths import ImagePaths
from imbalance_lab.data.image_size import ImageSize
from imbalance_lab.data.image_splits import Channels, ImageList, ImageOptions, build_splits
from imbalance_lab.data.labels import group_ids, read_targets, split_from_column
from imbalance_lab.data.read_table import require_column
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.slice_columns import take_slice_columns
from imbalance_lab.data.splitting import NOTHING, SplitIndices, fill_missing_splits
from imbalance_lab.data.table_files import read_files


def image_table(
    *,
    path: str,
    label: str | Sequence[str],
    root: str | None = None,
    path_column: str = "path",
    group: str | None = None,
    split: str | None = None,
    val_fraction: float = 0.15,
    test_fraction: float = 0.15,
    calibration_fraction: float = 0.0,
    split_seed: int = 0,
    image_size: ImageSize = "auto",
    channels: Channels = "auto",
    normalize: Normalization = "fitted",
    cache: str | None = None,
    max_pixels: int = 100_000_000,
    delimiter: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] | None = None,
    schema: InputSchema | None = None,
    slices: Sequence[str] = (),
    fold: Fold | None = None,
) -> Splits:
    """Read images that a table lists.

    Args:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file, a folder of such files, or a pattern as ``2024-*.csv``.
        label: the column with the class; or a list of columns, each 0 or 1, for multilabel data.
        root: the directory that the paths are relative to; the table's own if None.
        path_column: the column with the image's path.
        group: a column; rows with equal values are never in two splits.
        split: a column with train, val, test or calibration in every row.
        delimiter, encoding, missing: of text files, as those of `table`.
        slices: columns by whose values the report compares the scores, ``report.slices``.

    The other arguments are `image_folder`'s.

    Raises:
        ValueError, FileNotFoundError: naming the line, file or column, and the remedy.
    """
    labels = [label] if isinstance(label, str) else list(label)
    dialect = DialectOptions.parse(delimiter=delimiter, encoding=encoding, missing=missing)
    read = read_files({"path": path}, dialect, [path_column], [*labels, *filter(None, (group, split))])
    source, table = read.files, read.rows
    options = {"path_column": path_column, "group": group, "split": split}
    for option, name in [*(("label", each) for each in labels), *options.items()]:
        if name is not None:
            require_column(name, table.column_names, source[0][0], f"data.{option}")
    told = take_slice_columns(table, slices, source, labels)
    classes, targets = read_targets(table, label, source, None if schema is None else schema.classes)
    folder = source[0][0].parent if root is None else Path(root).expanduser()
    paths = ImagePaths(folder)
    files = paths.read(table[path_column], path_column, source)
    groups = None if group is None else group_ids(table[group])
    shares = (val_fraction, test_fraction) if split is None else (0.0, 0.0)
    given = SplitIndices(torch.arange(len(table)), NOTHING, NOTHING)
    if split is not None:
        given = split_from_column(table[split], split, source)
    splits = fill_missing_splits(
        *(given, targets),
        val_fraction=shares[0],
        test_fraction=shares[1],
        calibration_fraction=calibration_fraction,
        seed=split_seed,
        groups=groups,
        fold=fold,
        classes=classes,
    )
    left_out = describe_left_out(fold, given)
    reading = ImageOptions(image_size, channels, normalize, cache, max_pixels, schema, val_fraction)
    values = None if group is None else table[group].combine_chunks()
    built = build_splits(ImageList(folder, files, classes, targets, values, told), splits, reading)
    return replace(built, guesses=[*read.guesses, *paths.describe(path_column), *left_out, *built.guesses])
