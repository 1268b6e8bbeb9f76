"""Values that stand for missing ones: given by the user, or numbers that look like it and are told."""

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that are written where there is none."""

OFTEN, APART = 0.05, 1.0
"""A sentinel is the least or greatest value of more than this share of the rows, and as far from all others as these
are from each other."""


def blank_missing(table: pa.Table, missing: Collection[str]) -> pa.Table:
    """The table without the values that are ``missing``: text that is one of them, numbers that are equal to one."""
    numbers = [number for text in missing if (number := _number(text)) is not None]
    for at, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_string(column.type):
            given = pc.is_in(column, pa.array(list(missing), pa.string()))
        elif numbers and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            given = pc.is_in(column.cast(pa.float64(), safe=False), pa.array(numbers, pa.float64()))
        else:
            continue
        if pc.any(given).as_py():
            table = table.set_column(at, name, pc.if_else(given, pa.scalar(None, column.type), column))
    return table


def describe_sentinels(table: pa.Table) -> Iterator[str]:
    """A sentence on each numeric column whose extreme value is far away, frequent, and usual for a missing one."""
    for name in table.column_names:
        column = table[name]
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)) or not len(column):
            continue
        extremes = pc.min_max(column).as_py()
        for value in {extremes["min"], extremes["max"]} - {None}:
            others = column.filter(pc.not_equal(column, value))
            share = 1 - (len(others) + column.null_count) / len(column)
            if value not in SENTINELS or share <= OFTEN or not len(others):
                continue
            rest = pc.min_max(others).as_py()
            gap = rest["min"] - value if value < rest["min"] else value - rest["max"]
            if abs(value) >= 99 and gap > APART * (rest["max"] - rest["min"]):
                yield (
                    f"column {name!r} is {value:g} in {share:.0%} of the rows, far from all other values: if that "
                    f"means missing, pass 'data.missing=[\"\",{value:g}]'"
                )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None
