"""Values that differ only in case, blanks or how their letters are encoded: often one, misspelled."""

import unicodedata
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

MAX_NAMED = 3
"""Pairs that a sentence names."""


def describe_twins(where: str, values: pa.ChunkedArray) -> Iterator[str]:
    """A sentence on the texts of a column that are alike, with their counts, if there are such."""
    counts = values.drop_null().value_counts()
    texts = counts.field("values")
    if not pa.types.is_string(texts.type):
        return
    alike = pc.utf8_lower(pc.utf8_normalize(pc.utf8_trim_whitespace(texts), "NFKC"))
    if pc.all(pc.string_is_ascii(texts)).as_py() and pc.count_distinct(alike).as_py() == len(texts):
        inner = pc.any(pc.match_substring_regex(texts, r"\s\s")).as_py()
        if not inner:
            return
    groups: dict[str, Counter[str]] = {}
    for text, n in zip(texts.to_pylist(), counts.field("counts").to_pylist(), strict=True):
        groups.setdefault(plain_form(text), Counter())[text] = n
    twins = [group for group in groups.values() if len(group) > 1]
    if twins:
        named = "; ".join(
            " and ".join(f"{text!r} ({n:,})" for text, n in each.most_common()) for each in twins[:MAX_NAMED]
        )
        more = f"; and {len(twins) - MAX_NAMED} more" if len(twins) > MAX_NAMED else ""
        yield f"{where} has values that are nearly the same: {named}{more}: write them alike if they mean one"


def plain_form(text: str) -> str:
    """What near twins have in common: full-width and combined letters, case and blanks do not count.

    >>> plain_form("Good "), plain_form("ＧＯＯＤ"), plain_form("cafe\u0301") == plain_form("caf\u00e9")
    ('good', 'good', True)
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
