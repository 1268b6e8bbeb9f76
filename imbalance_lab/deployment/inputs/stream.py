"""The parts of an input, and what is common to all kinds of inputs."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from torch import Tensor

from imbalance_lab.data.columns import Unknown
from imbalance_lab.data.dialect import DETECTED, OPTIONS, DialectOptions
from imbalance_lab.data.image_formats import FAULTS
from imbalance_lab.errors import UsageError

PART_ROWS = 65_536
"""Rows of a table, or of small arrays, that are in memory at a time."""


MAX_UNKNOWN = 1000
"""Different unknown categories of a column that are counted one by one."""


class InputOptions(NamedTuple):
    """What is read beside the inputs.

    Args:
        ids: columns of a table that name its rows; none: their numbers, from 0.
        path_column: the column with the images' paths in a table of images.
        labels: the column with the class, or a list of columns with labels; None: none are read. For a folder of
            images any text will do, the class is the name of the first folder; for arrays, it is the name in the
            ``.npz`` file.
        unused: columns of a table that the training data had too, and that are no features: nothing is said of them.
        dialect: how text files are read; what it leaves open is detected.
        fallback: what holds where nothing can be detected, as what training was told of its files.
    """

    ids: tuple[str, ...] = ()
    path_column: str = "path"
    labels: str | Sequence[str] | None = None
    unused: tuple[str, ...] = ()
    dialect: DialectOptions = DETECTED
    fallback: DialectOptions = DETECTED

    @classmethod
    def as_trained(
        cls,
        data: Mapping[str, Any],
        *,
        ids: tuple[str, ...] = (),
        labels: str | Sequence[str] | None = None,
        dialect: DialectOptions | None = None,
    ) -> "InputOptions":
        """Those of a model whose training data were read with the arguments ``data``."""
        unused = (*(data.get("drop") or ()), *(data[key] for key in ("group", "split") if data.get(key)))
        trained = DialectOptions.parse(**{name: data.get(name) for name in OPTIONS})
        path_column = str(data.get("path_column", "path"))
        return cls(ids, path_column, labels, unused, dialect or DETECTED, trained)


class UnknownCounter:
    """Counts the unknown categories of many parts, in constant memory: the rarest of a column become "others"."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, unknown: Unknown) -> None:
        """Add those of a part."""
        for column, counts in unknown.items():
            known = self._counts.setdefault(column, Counter())
            known.update(counts)
            if len(known) > MAX_UNKNOWN:
                frequent = dict(known.most_common(MAX_UNKNOWN // 2))
                others = known.total() - sum(frequent.values())
                self._counts[column] = Counter(frequent | {"others": frequent.get("others", 0) + others})

    @property
    def counts(self) -> Unknown:
        """Of each column, how often each category occurs, the most frequent first."""
        return {column: dict(counts.most_common()) for column, counts in self._counts.items()}


class Part(NamedTuple):
    """The next n examples.

    Args:
        first: the number of the first one in the whole input, from 0.
        keys: (n) rows of the columns that name the examples.
        inputs: (n, …), encoded.
        unknown: the categories that the model does not know.
        targets: class indices (n,) or 0/1 labels (n, L); None unless asked for.
    """

    first: int
    keys: pa.Table
    inputs: Tensor
    unknown: Unknown
    targets: Tensor | None


class InputStream(ABC):
    """An input that is iterated over once, part by part.

    ``notes`` are sentences about what is unusual in it, as columns that the model does not take.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.notes: list[str] = []

    @abstractmethod
    def __iter__(self) -> Iterator[Part]:
        """The parts, in order.

        Raises:
            UsageError: naming the place and the remedy.
        """

    @property
    @abstractmethod
    def position(self) -> tuple[int, int]:
        """How much has been read, and of how much."""


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Turn the errors of reading, which name the place and the remedy, into a `UsageError`."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(f"{error}") from error
    except FAULTS as error:
        raise UsageError(f"the input cannot be read: {error}") from error
