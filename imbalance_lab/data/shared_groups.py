"""Columns whose values look like patients, customers or devices, and are in two splits although no group is set."""

import re
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imbalance_lab.data.feature_rows import FeatureRows, named
from imbalance_lab.data.splitting import SplitIndices
from imbalance_lab.text import override, shell_words

ENTITY = re.compile(
    r"(?i)(?!(n|no|nr|num|number|count|total|sum|mean|avg|average|min|max|share|new|active)([ _.-]|of))"
    r"(.*[ _.-])?(patient|subject|customer|client|user|person|participant|member|account|household|family|animal"
    r"|employee|student|pupil|author|speaker|writer|driver|player|owner|donor|mouse|specimen|machine|vehicle|sensor)"
    r"([ _.-]?(id|no|nr|num|number|key|code|name|hash))?"
)
"""Names of what has several rows."""

MIN_GROUPS, MIN_UNNAMED = 10, 30
"""Different values of a column with such a name, and of one without."""

MAX_MEAN_SIZE = 100
"""Rows of a value, on average; with more of them it is a category."""

MIN_SHARED = 0.05
"""Share of the test or validation rows whose value is in training."""

MIN_AGREEMENT, MIN_BEYOND_NEIGHBORS, MIN_Z = 0.5, 0.3, 5.0
"""Of two rows with one value in their label, beyond chance: 1 if they always agree, 0 if as two random rows; what
neighboring numbers must not have too, as then the number is a measure; and the distance from permuted labels."""

N_PERMUTATIONS = 20

Codes = NDArray[np.int64]


def find_groups(rows: FeatureRows, skip: Collection[str]) -> list[str]:
    """Features whose values may be groups that the splits do not keep together."""
    found = []
    for column in rows.columns:
        values, kind = rows.data[column.source], rows.data[column.source].type
        is_text = pa.types.is_string(kind)
        is_named = ENTITY.fullmatch(column.source) is not None
        if column.source in skip or column.date or column.format or not (is_text or pa.types.is_integer(kind)):
            continue
        n_groups = pc.count_distinct(values).as_py()
        least = MIN_GROUPS if is_named else MIN_UNNAMED
        there = len(values) - values.null_count
        if not least <= n_groups <= there / 1.1 or there > MAX_MEAN_SIZE * n_groups:
            continue
        codes = _codes(values)
        if _is_shared(codes, rows.parts) and (is_named or _tells_label(codes, rows.label_codes, not is_text)):
            found.append(column.source)
    return list(dict.fromkeys(found))


def describe_groups(names: Sequence[str], given: Collection[str]) -> Iterator[str]:
    """A sentence on them; ``given`` are the splits that files or a column give."""
    if not names:
        return
    have, remedy = "have" if len(names) > 1 else "has", shell_words(override("data.group", names[0]))
    if given:
        remedy += " and splits that do not share them"
    yield (
        f"{named(names)} {have} the same values in training and in other splits: if they are patients, customers or "
        f"the like, whose rows are alike, the scores are too good without {remedy}"
    )


def _codes(values: pa.ChunkedArray) -> Codes:
    """The place of each value among all in order, (N,); −1 where missing."""
    encoded = values.combine_chunks().dictionary_encode()
    place = np.asarray(pc.rank(encoded.dictionary, tiebreaker="first")).astype(np.int64) - 1
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(indices < 0, -1, place[indices])


def _is_shared(codes: Codes, parts: SplitIndices) -> bool:
    train = np.unique(codes[parts.train.numpy()])
    train = train[train >= 0]
    others = [codes[rows.numpy()] for rows in (parts.val, parts.test) if len(rows)]
    return any(float(np.isin(each, train).mean()) >= MIN_SHARED for each in others)


def _tells_label(codes: Codes, labels: Codes, is_number: bool) -> bool:
    """Whether rows with one value agree in their label far more than others, also more than with the next number."""
    there = codes >= 0
    codes, labels = codes[there], labels[there]
    size = np.bincount(codes)
    agreement = _agreement(codes, labels, size)
    if not agreement >= MIN_AGREEMENT:
        return False
    rng = np.random.default_rng(0)
    by_chance = [_agreement(codes, rng.permutation(labels), size) for _ in range(N_PERMUTATIONS)]
    if agreement - np.mean(by_chance) < MIN_Z * np.std(by_chance):
        return False
    return not is_number or agreement - _neighbor_agreement(codes, labels, size) >= MIN_BEYOND_NEIGHBORS


def _agreement(codes: Codes, labels: Codes, size: Codes) -> float:
    """(A − E) / (1 − E), with the share A of the pairs of rows with one value, and E of all pairs, of one label."""
    cells = np.unique(codes * (labels.max() + 1) + labels, return_counts=True)[1]
    expected, pairs = _chance(labels), int((size * (size - 1)).sum())
    if not pairs or expected == 1:
        return float("nan")
    return (float((cells * (cells - 1)).sum()) / pairs - expected) / (1 - expected)


def _neighbor_agreement(codes: Codes, labels: Codes, size: Codes) -> float:
    """The same for pairs of rows of which one has the next larger value."""
    expected, pairs, agreeing = _chance(labels), float(size[:-1] @ size[1:]), 0.0
    for label in np.unique(labels):
        of_label = np.bincount(codes[labels == label], minlength=len(size))
        agreeing += float(of_label[:-1] @ of_label[1:])
    return (agreeing / pairs - expected) / (1 - expected)


def _chance(labels: Codes) -> float:
    return float(np.square(np.bincount(labels) / len(labels)).sum())
