"""True and false by their words and numbers: what is bool in one file is 0 and 1, or text, in another."""

import pyarrow as pa
import pyarrow.compute as pc

FALSE, TRUE = ("0", "false", "0.0"), ("1", "true", "1.0")


def as_truth(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray | None:
    """The values as booleans; None if there is any but true, false, 0 and 1, in whatever case."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return values
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    if len(values) > 2 and not pa.types.is_string(kind) and not _is_small(values):
        return None
    words = pc.utf8_lower(pc.utf8_trim_whitespace(values.cast(pa.string())))
    is_true = pc.is_in(words, pa.array(TRUE))
    known = pc.or_(is_true, pc.is_in(words, pa.array(FALSE)))
    if not pc.all(pc.or_(known, pc.is_null(words))).as_py() or not pc.any(known).as_py():
        return None
    return pc.if_else(pc.is_valid(words), is_true, pa.scalar(None, pa.bool_()))


def spelled_like(example: pa.ChunkedArray, truth: pa.ChunkedArray) -> pa.ChunkedArray:
    """Booleans as ``example`` has them: as numbers, or with its words."""
    if not pa.types.is_string(example.type):
        return truth.cast(pa.bool_() if pa.types.is_boolean(example.type) else pa.int64())
    words = {is_true: example.filter(pc.equal(as_truth(example), is_true)) for is_true in (False, True)}
    false, true = (str(words[each][0]) if len(words[each]) else str(each).lower() for each in (False, True))
    return pc.if_else(truth, true, false)


def is_truth(categories: pa.Array) -> bool:
    """Whether some categories are true and false, or 0 and 1, and nothing else."""
    truth = as_truth(categories)
    return truth is not None and len(categories) == 2 and len(pc.unique(truth)) == 2


def _is_small(values: pa.Array | pa.ChunkedArray) -> bool:
    """Whether numbers can be 0 and 1, which is found at once for most columns."""
    ends = pc.min_max(values)
    return ends["min"].as_py() in (0, 1, None) and ends["max"].as_py() in (0, 1, None)
