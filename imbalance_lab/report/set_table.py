"""The prediction sets on test: in the terminal, and in words for terminal and page."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.evaluation.scores import FEW_POSITIVES
from imbalance_lab.evaluation.set_coverage import SetCoverage
from imbalance_lab.report.evaluation_table import rarest_caption
from imbalance_lab.report.terminal import interval, number, plain_table

MAX_NAMED = 10
"""Classes of a cluster that a line names."""

MAX_CLUSTERS = 5
"""Clusters that have a line."""


def set_table(sets: SetCoverage, shown: Sequence[int], more: str | None = None) -> Table:
    """Per class, and per cluster of classes with one quantile: how often its test examples have it in their set.

    Args:
        sets: the results.
        shown: the classes that are listed.
        more: where those of all classes are.
    """
    together = ", or of the classes of a cluster together" * bool(sets.clusters)
    table = plain_table(f"Prediction sets that cover {_target(sets)} of each class{together}", more)
    table.add_name_column()
    table.add_number_columns(("calibration n", 4), ("from p ≥", 5), ("test n", 3), ("coverage [95 % CI]", 1))
    table.add_number_columns(("mean size", 2))
    for each in (sets.classes[c] for c in shown):
        flag = "*" if 0 < each.n < FEW_POSITIVES else ""
        cells = f"{each.quantile.n_class:,}", f"{each.quantile.min_probability:.4f}", f"{each.n:,}{flag}"
        table.add_row(each.name, *cells, interval(each.coverage), number(each.mean_size))
    for cluster in sets.clusters:
        name = f"cluster {cluster.name} ({len(cluster.classes)})"
        table.add_row(name, f"{cluster.n_calibration:,}", "", f"{cluster.n:,}", interval(cluster.coverage), "")
    table.caption = rarest_caption(shown, len(sets.classes))
    return table


def set_lines(sets: SetCoverage) -> list[str]:
    """The sizes, a line each, and the classes that share a quantile, because they have few calibration examples."""
    lines = [
        f"mean set size      {number(sets.mean_size)} of {len(sets.classes)} classes",
        f"sets of one class  {interval(sets.single)}",
        f"empty sets         {interval(sets.empty)}",
    ]
    lines += [f"cluster {each.name}, one quantile for {_listed(each.classes)}" for each in sets.clusters[:MAX_CLUSTERS]]
    more = len(sets.clusters) - MAX_CLUSTERS
    return [*lines, f"and {more} more clusters"] if more > 0 else lines


def set_note(sets: SetCoverage) -> str:
    """What the sets promise, and how large they are."""
    promise = (
        f"The classes that are plausible for an example. Of new examples of each class, at least {_target(sets)} have "
        "it in their set, on average over calibration splits, whatever the shares of the classes."
    )
    if sets.clusters:
        promise += " Classes of one cluster share a quantile: they have that coverage together, not each on its own."
    return (
        f"{promise} On test a set has {number(sets.mean_size)} classes on average; "
        f"{sets.single.value:.1%} of the sets have one, {sets.empty.value:.1%} none."
    )


def _target(sets: SetCoverage) -> str:
    return f"{100 * (1 - sets.alpha):g} %"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"
