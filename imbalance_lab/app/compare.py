"""Compare finished runs: a table in the terminal, and a page beside them."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.text import visible

if TYPE_CHECKING:
    from imbalance_lab.evaluation.sweep import Run

SCORES = ("auroc", "average_precision", "balanced_accuracy", "accuracy")
PAGE = "comparison.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``compare``."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="RUN", help="run directories, or a sweep directory")
    parser.add_argument("--score", choices=SCORES, default="auroc", help="what runs are ranked and compared by")
    parser.add_argument("--baseline", metavar="RUN", help="the run to compare the others with; default: the best")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the page goes")


def compare(
    paths: Sequence[Path], score: str = "auroc", baseline: str | None = None, output: Path | None = None
) -> None:
    """Print and write the comparison of the runs at or below ``paths``.

    Raises:
        UsageError: for a path without a run, a baseline that is not among the runs or cannot be compared, a page that
            cannot be written, and if no run is left because all are damaged.
    """
    directories = [run.path for path in paths for run in RunDirectory.find(path)]
    names = unique_names(directories)
    if baseline is not None:
        known = {directory.resolve(): name for directory, name in names.items()}
        given = Path(baseline).resolve()
        if given not in known:
            raise UsageError(
                f"--baseline {baseline} is not among the compared runs: choose one of {', '.join(names.values())}"
            )
        baseline = known[given]
    folder = paths[0] if len(paths) == 1 and directories != list(paths) else Path()
    page = output or folder / PAGE
    _check_page(page, "--output" if output else "the page")
    from imbalance_lab.evaluation.sweep import rank_runs, read_run

    runs = rank_runs([read_run(directory, name) for directory, name in names.items()], score)
    _check_runs(runs, baseline)
    _compare(runs, page, score, baseline)


def compare_sweep(directory: Path) -> None:
    """Print and write the comparison of a sweep that has just ended; nothing if no run started.

    The sweep is over: what is wrong here is a sentence on the screen, and no other exit code.
    """
    from imbalance_lab.evaluation.sweep import read_sweep

    try:
        if runs := read_sweep(directory):
            _check_page(directory / PAGE, "the page")
            _check_runs(runs)
            _compare(runs, directory / PAGE)
    except UsageError as error:
        print(f"warning: {visible(str(error))}", file=sys.stderr)


def _check_runs(runs: "Sequence[Run]", baseline: str | None = None) -> None:
    """Raise an error if all runs are damaged, or the baseline cannot be compared."""
    damaged = [f"run {run.name}: {run.damage}" for run in runs if run.damage is not None]
    if len(damaged) == len(runs):
        more = f" (and {len(damaged) - 1} more damaged runs)" if len(damaged) > 1 else ""
        raise UsageError(f"no run is left to compare: {damaged[0]}{more}")
    for run in runs:
        if run.name == baseline and run.test is None:
            state = run.damage or (f"it has no scores: {run.state}" if run.scores is None else "it has no predictions")
            raise UsageError(f"--baseline {baseline} cannot be compared: {state}")


def _check_page(page: Path, name: str) -> None:
    """Raise an error, before anything is computed, if the page cannot be written."""
    try:
        if page.is_dir():
            raise UsageError(f"{name} {page} is a folder: name a file, as in --output {page / PAGE}")
        there = next(folder for folder in page.absolute().parents if folder.exists())
    except OSError as error:  # a name that is too long, as an example
        raise UsageError(f"{name} cannot be written ({error.strerror}): choose another with --output FILE") from error
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{name} {page} cannot be written, because of {there}: choose another with --output FILE")


def _compare(runs: "Sequence[Run]", page: Path, score: str = "auroc", baseline: str | None = None) -> None:
    from imbalance_lab.evaluation.comparison_data import compute_comparison_data
    from imbalance_lab.report.comparison_page import write_comparison
    from imbalance_lab.report.comparison_table import print_comparison
    from imbalance_lab.report.terminal import console

    with console().status(f"comparing {len(runs)} runs"):
        data = compute_comparison_data(runs, score, baseline)
    print_comparison(data)
    try:
        write_comparison(page, data)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{page} cannot be written ({reason}): choose another with --output FILE") from error
    console().print(os.path.relpath(page), soft_wrap=True)


def unique_names(directories: Sequence[Path]) -> dict[Path, str]:
    """The shortest endings of the paths that are different."""
    absolute = {directory: directory.resolve() for directory in dict.fromkeys(directories)}
    for length in range(1, 1 + max(len(path.parts) for path in absolute.values())):
        names = {directory: "/".join(path.parts[-length:]) for directory, path in absolute.items()}
        if len(set(names.values())) == len(names):
            return names
    raise UsageError(f"the same run is given twice: {' '.join(map(str, directories))}")
