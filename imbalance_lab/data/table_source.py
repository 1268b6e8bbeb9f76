"""The files that a path stands for, one, a folder of them or a pattern, and how each is read."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imbalance_lab.data.detect_dialect import detect
from imbalance_lab.data.dialect import Dialect, DialectOptions
from imbalance_lab.data.text_encoding import GZIP, NO_TEXT, PARQUET, first_bytes

TEXTS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".tab": "\t", ".data": ","}
"""Suffixes of text files, and what separates the columns where the content does not show it."""

SUFFIXES = (*TEXTS, ".parquet", ".pq")
MAX_NAMED = 3


@dataclass(frozen=True)
class TableFile:
    """A file of rows.

    Args:
        path: of the file.
        dialect: how it is read; None for Parquet.
        guesses: what of that was guessed, each the end of a sentence that begins with the name of the file.
    """

    path: Path
    dialect: Dialect | None
    guesses: tuple[str, ...] = ()


def find_tables(path: str | Path, option: str) -> list[Path]:
    """The files, sorted by name: one; those of a folder; or those that fit a pattern such as ``2024-*.csv``.

    Raises:
        ValueError, FileNotFoundError: if there are none, or a folder holds other things than tables of one kind.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return [place]
    if place.is_dir():
        return _in_folder(place, option)
    if glob.has_magic(str(place)):
        found = [Path(each) for each in sorted(glob.glob(str(place), recursive=True)) if Path(each).is_file()]
        if found:
            return found
        raise FileNotFoundError(f"{option}={path} fits no file: correct the pattern")
    raise FileNotFoundError(f"{option}={path} is not a file: name a .csv, .tsv or .parquet file")


def one_table(path: str | Path, option: str) -> Path:
    """The only file that a path stands for.

    Raises:
        ValueError, FileNotFoundError: if there is none, or more.
    """
    found = find_tables(path, option)
    if len(found) > 1:
        raise ValueError(f"{option}={path} stands for {len(found)} files: name one of them")
    return found[0]


def open_table(
    file: Path, option: str, options: DialectOptions | None = None, fallback: DialectOptions | None = None
) -> TableFile:
    """Find out how a file is read; its content decides, not its name.

    Args:
        file: that exists.
        option: what names it on the command line.
        options: what the user says about text files.
        fallback: what holds where neither they nor the content say it.

    Raises:
        ValueError: if it is not a table.
    """
    head = first_bytes(file)
    if head.startswith(PARQUET):
        return TableFile(file, None)
    for start, kind in NO_TEXT.items():
        if head.startswith(start):
            raise ValueError(f"{option}={file} is {kind}, not a table in text or Parquet: save it as CSV")
    suffix = _suffix(file)
    if suffix in (".parquet", ".pq"):
        raise ValueError(f"{file} cannot be read: it is not a Parquet file, though its name ends so")
    if suffix not in TEXTS and not head.startswith(GZIP):
        raise ValueError(f"{option}={file} ends in {suffix or 'nothing'}: name a .csv, .tsv or .parquet file")
    guess = detect(file, options, fallback, TEXTS.get(suffix, ","))
    return TableFile(file, guess.dialect, (_listed(guess.reasons),) if guess.reasons else ())


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _suffix(file: Path) -> str:
    return (file.with_suffix("") if file.suffix.lower() == ".gz" else file).suffix.lower()


def _in_folder(folder: Path, option: str) -> list[Path]:
    names = sorted(each for each in os.listdir(folder) if not each.startswith((".", "_")))
    if partitions := [name for name in names if "=" in name and (folder / name).is_dir()]:
        column = partitions[0].partition("=")[0]
        raise ValueError(
            f"{option}={folder} is partitioned by {column!r}, which stands in the names of folders, not in a column: "
            "write it as files of all columns"
        )
    files = [folder / name for name in names if (folder / name).is_file() and _suffix(Path(name)) in SUFFIXES]
    kinds = sorted({_suffix(file) for file in files})
    if not files:
        raise FileNotFoundError(f"{option}={folder} is a folder without a table: name a .csv, .tsv or .parquet file")
    if len(kinds) > 1:
        raise ValueError(
            f"{option}={folder} holds {' and '.join(kinds)} files: choose with a pattern, as in "
            f"{option}='{folder / ('*' + kinds[0])}'"
        )
    return files


def check_same_columns(first: Path, names: Sequence[str], other: Path, others: Sequence[str]) -> None:
    """Refuse two files with different columns.

    Raises:
        ValueError: naming the columns that one lacks.
    """
    for file, lacking, there in ((other, others, names), (first, names, others)):
        if missing := [name for name in there if name not in lacking]:
            without = first if file == other else other
            more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
            raise ValueError(
                f"{file} has no column {', '.join(map(repr, missing[:MAX_NAMED]))}{more}, which {without} has: files "
                "that are read together must have the same columns"
            )


def describe_guesses(files: Sequence[TableFile]) -> list[str]:
    """What was guessed of the files, each sentence once, with the number of further files that it holds for."""
    told: dict[str, list[str]] = {}
    for file in files:
        for guess in file.guesses:
            told.setdefault(guess, []).append(file.path.name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more files: it' * (len(names) > 1)} {guess}"
        for guess, names in told.items()
    ]
