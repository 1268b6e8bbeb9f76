"""Classes, groups and splits as text, the same however a file stores them: 1 and 1.0, true and True; "01" is not 1."""

import pyarrow as pa
import pyarrow.compute as pc

CANONICAL = r"^-?(0|[1-9][0-9]*)$"
WHOLE = r"^\s*[-+]?\d+\s*$"
WHOLE_WITH_POINT = r"^\s*[-+]?\d+(\.0*)?\s*$"
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+|(?i:inf|infinity))([eE][-+]?\d+)?\s*$"
BOOLEAN = r"^(?i:true|false)$"


def as_label_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values (N,) as text; what is neither text, integers nor booleans, such as 1.5 or a date, stays as it is.

    Integers in text keep their leading zeros. Decimals that are 0 throughout, as pandas writes them, and spaces around
    numbers are left out; true and false are in small letters.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
        if not pc.all(pc.and_(pc.is_finite(column), pc.equal(pc.floor(column), column))).as_py():
            return column
        return column.cast(pa.int64()).cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        return column
    if every_matches(column, WHOLE):
        return pc.utf8_trim_whitespace(column)
    if every_matches(column, WHOLE_WITH_POINT):
        return pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"\.0*$", "")
    return pc.utf8_lower(column) if every_matches(column, BOOLEAN) else column


def as_integer_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text (N,), in which integers, each for itself, have no leading zero, sign + or decimals."""
    return pc.replace_substring_regex(column, r"^\s*\+?(-?)0*(\d+)(\.0*)?\s*$", r"\1\2")


def every_matches(column: pa.ChunkedArray, pattern: str) -> bool:
    """Whether all values that are there match, and there is one."""
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py()) and column.null_count < len(column)
