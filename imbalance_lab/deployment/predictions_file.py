"""The table that predictions are written to, row by row as they are made: CSV or Parquet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write
from imbalance_lab.model import ModelOutput

SUFFIXES = (".csv", ".parquet")


class PredictionsFile:
    """Writes the keys of the examples and, for each, what the model says.

    Columns: the keys; ``p_<class>``; ``predicted``, unless multilabel; ``flag_<class>`` for each class that has a
    threshold; ``set_<class>`` if the model has prediction sets. Text from the input is written as it is, so that it
    can be joined with the input.

    Args:
        path: of the unfinished file.
        suffix: one of `SUFFIXES`.
        flagged: indices of the classes that have a threshold.
    """

    def __init__(self, path: Path, suffix: str, flagged: Sequence[int]) -> None:
        self.path = path
        self.suffix = suffix
        self.flagged = flagged
        self.writer: pcsv.CSVWriter | pq.ParquetWriter | None = None

    def write(self, keys: pa.Table, output: ModelOutput) -> None:
        """Add n rows.

        Raises:
            UsageError: if a key has the name of a column that is written.
        """
        columns: dict[str, Any] = {f"p_{name}": output.probabilities[:, c] for c, name in enumerate(output.classes)}
        if output.labels is not None:
            predicted = pa.DictionaryArray.from_arrays(output.labels.astype(np.int32), list(output.classes))
            columns["predicted"] = predicted.dictionary_decode() if self.suffix == ".csv" else predicted
        columns |= {f"flag_{output.classes[c]}": output.flags[:, c] for c in self.flagged}
        if output.sets is not None:
            columns |= {f"set_{name}": output.sets[:, c] for c, name in enumerate(output.classes)}
        for name in set(keys.column_names) & columns.keys():
            raise UsageError(f"--id {name} has the name of a column of the predictions: rename it in the input")
        names = [*keys.column_names, *columns]
        table = pa.table([*keys.columns, *columns.values()], names=names)
        if self.writer is None:
            self.writer = self._open(table.schema)
        self.writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.close()

    def _open(self, schema: pa.Schema) -> pcsv.CSVWriter | pq.ParquetWriter:
        if self.suffix == ".csv":
            return pcsv.CSVWriter(self.path, schema)
        return pq.ParquetWriter(self.path, schema, compression="zstd")


@contextmanager
def predictions_file(path: Path, flagged: Sequence[int]) -> Iterator[PredictionsFile]:
    """A file that appears as ``path`` once it is complete, and never otherwise.

    Raises:
        UsageError: if it cannot be written there.
    """
    with atomic_write(path) as unfinished:
        file = PredictionsFile(unfinished, path.suffix, flagged)
        try:
            yield file
        finally:
            file.close()


def check_output(path: Path, source: Path) -> None:
    """Refuse, before anything is computed, a path that predictions cannot be written to.

    Raises:
        UsageError: naming it and the remedy.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"-o {path} ends in {path.suffix or 'nothing'}: name a {' or '.join(SUFFIXES)} file")
    if path.is_dir():
        raise UsageError(f"-o {path} is a folder: name a file in it, as in {path / 'predictions.csv'}")
    if path.exists() and source.exists() and path.samefile(source):
        raise UsageError(f"-o {path} is the input: name another file")
