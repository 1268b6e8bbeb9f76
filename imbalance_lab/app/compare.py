"""Compare finished runs: a table in the terminal, and a page beside them."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory

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
        UsageError: for a path without a run, or a baseline that is not among the runs.
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
    from imbalance_lab.evaluation.sweep import rank_runs, read_run

    runs = rank_runs([read_run(directory, name) for directory, name in names.items()], score)
    folder = paths[0] if len(paths) == 1 and directories != list(paths) else Path()
    _compare(runs, output or folder / PAGE, score, baseline)


def compare_sweep(directory: Path) -> None:
    """Print and write the comparison of a sweep that has just ended; nothing if no run started."""
    from imbalance_lab.evaluation.sweep import read_sweep

    if runs := read_sweep(directory):
        _compare(runs, directory / PAGE)


def _compare(runs: "Sequence[Run]", page: Path, score: str = "auroc", baseline: str | None = None) -> None:
    from imbalance_lab.evaluation.comparison_data import compute_comparison_data
    from imbalance_lab.report.comparison_page import write_comparison
    from imbalance_lab.report.comparison_table import print_comparison
    from imbalance_lab.report.terminal import console

    with console().status(f"comparing {len(runs)} runs"):
        data = compute_comparison_data(runs, score, baseline)
    print_comparison(data)
    print(os.path.relpath(write_comparison(page, data)))


def unique_names(directories: Sequence[Path]) -> dict[Path, str]:
    """The shortest endings of the paths that are different."""
    absolute = {directory: directory.resolve() for directory in dict.fromkeys(directories)}
    for length in range(1, 1 + max(len(path.parts) for path in absolute.values())):
        names = {directory: "/".join(path.parts[-length:]) for directory, path in absolute.items()}
        if len(set(names.values())) == len(names):
            return names
    raise UsageError(f"the same run is given twice: {' '.join(map(str, directories))}")
