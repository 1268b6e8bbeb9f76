"""Cells of the page that say what a table is, and who won."""

import pandas as pd

from table_benchmark.summary import Pairwise


def facts(frame: pd.DataFrame) -> tuple[str, ...]:
    """Rows, columns, columns of text, missing values, classes, share of the rarest class and its rows in test."""
    features = frame.drop(columns=["class", "split"])
    text = sum(not pd.api.types.is_numeric_dtype(features[name]) for name in features)
    counts = frame["class"].value_counts()
    gaps = f"{features.isna().mean().mean():.1%}" if features.isna().any().any() else "–"
    in_test = frame["class"][frame["split"] == "test"].value_counts().min()
    share = f"{counts.min() / len(frame):.1%}"
    return f"{len(frame):,}", str(features.shape[1]), str(text), gaps, str(len(counts)), share, str(in_test)


def record(pair: Pairwise) -> str:
    """Wins, ties and losses."""
    return f"{pair.wins} – {pair.ties} – {pair.losses}"
