"""The columns of a table by whose values a user wants the scores apart; they need not be features."""

from collections.abc import Collection, Sequence

import pyarrow as pa

from imbalance_lab.data.read_table import Files, require_column


def take_slice_columns(
    table: pa.Table,
    names: Sequence[str],
    files: Files,
    targets: Collection[str],
    categorical: Collection[str] = (),
) -> pa.Table | None:
    """The columns ``names`` of all N rows as int64, float64 or text; None without any.

    Args:
        table: all rows.
        names: the columns.
        files: where the rows come from.
        targets: the columns that are predicted.
        categorical: numeric columns whose values are codes: they become text.

    Raises:
        ValueError: for a column that does not exist, is predicted, or holds lists and the like.
    """
    if not names:
        return None
    found = {}
    for name in names:
        require_column(name, table.column_names, files[0][0], "report.slices")
        if name in targets:
            raise ValueError(f"report.slices={name} is the column that is predicted: choose another column")
        found[name] = _plain(name, table[name].combine_chunks(), is_code=name in categorical)
    return pa.table(found)


def _plain(name: str, column: pa.Array, is_code: bool) -> pa.Array:
    kind = column.type
    if not is_code:
        if pa.types.is_integer(kind):
            return column.cast(pa.int64(), safe=False)
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return column.cast(pa.float64(), safe=False)
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ValueError(f"report.slices={name} holds {kind}, which has no values to compare: convert it") from error
