"""Compare finished runs: a table in the terminal, and a page beside them."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.text import visible

if TYPE_CHECKING:
    from imbalance_lab.evaluation.study import Study
    from imbalance_lab.evaluation.sweep import Run

PAGE = "comparison.html"
SPLITS: tuple[Literal["val", "test"], ...] = ("val", "test")
MAX_CHOICES = 12
"""Names that an error lists at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``compare``."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="RUN", help="run directories, or a sweep directory")
    parser.add_argument(
        "--score",
        default="auroc",
        metavar="KEY",
        help="what runs are ranked and compared by: a score of metrics.json, such as macro_f1, recall/few, "
        "auroc/class/NAME or recall_at_threshold/class/NAME; default: auroc",
    )
    parser.add_argument(
        "--baseline", metavar="RUN", help="a run, or a setting such as loss=focal, to compare with; default: the best"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the page goes")
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="write the table of the settings too, as FILE.csv, .md or .tex"
    )


def compare(
    paths: Sequence[Path],
    score: str = "auroc",
    baseline: str | None = None,
    output: Path | None = None,
    table: Path | None = None,
) -> None:
    """Print and write the comparison of the runs at or below ``paths``.

    Raises:
        UsageError: for a path without a run, a score that no run has, a baseline that is not among the runs or cannot
            be compared, a file that cannot be written, and if no run is left because all are damaged.
    """
    directories = [run.path for path in paths for run in RunDirectory.find(path)]
    names = unique_names(directories)
    folder = paths[0] if len(paths) == 1 and directories != list(paths) else Path()
    page = output or folder / PAGE
    _check_page(page, "--output" if output else "the page")
    if table is not None:
        _check_table(table)
    from imbalance_lab.evaluation.study import read_study
    from imbalance_lab.evaluation.sweep import rank_runs, read_run

    runs = rank_runs([read_run(directory, name) for directory, name in names.items()], score)
    _check_runs(runs)
    _check_score(runs, score)
    study = read_study(folder) if len(paths) == 1 and folder == paths[0] else None
    _compare(runs, page, score, baseline and find_baseline(baseline, names, runs), table, study)


def compare_sweep(directory: Path) -> None:
    """Print and write the comparison of a sweep that has just ended; nothing if no run started.

    The sweep is over: what is wrong here is a sentence on the screen, and no other exit code.
    """
    from imbalance_lab.evaluation.study import read_study
    from imbalance_lab.evaluation.sweep import rank_runs, read_sweep

    try:
        if runs := read_sweep(directory):
            study = read_study(directory)
            score = "auroc" if study is None else study.objectives[0].score or "auroc"
            _check_page(directory / PAGE, "the page")
            _check_runs(runs)
            _compare(rank_runs(runs, score), directory / PAGE, score, study=study)
    except UsageError as error:
        print(f"warning: {visible(str(error))}", file=sys.stderr)


def find_baseline(given: str, names: Mapping[Path, str], runs: "Sequence[Run]") -> str:
    """The name of the run that ``--baseline`` means: a directory, a name, or overrides that one setting alone has.

    Raises:
        UsageError: if there is none or more than one, or it cannot be compared.
    """
    from imbalance_lab.evaluation.settings import find_settings

    known = {directory.resolve(): name for directory, name in names.items()} | {Path(n): n for n in names.values()}
    name = known.get(Path(given), known.get(Path(given).resolve()))
    if name is None:
        settings = find_settings(runs)
        words = set(given.split())
        found = [each for each in settings if each.name == given] or [
            each for each in settings if words <= {f"{k}={v}" for k, v in each.runs[0].overrides.items()}
        ]
        if len(found) != 1:
            reason = f"means {len(found)} settings" if found else "is not among the compared runs and settings"
            choices = ", ".join([*(each.name for each in settings if each.name), *names.values()][:MAX_CHOICES])
            raise UsageError(f"--baseline {given} {reason}: choose one of {choices}")
        name = next((run.name for run in found[0].runs if run.test is not None), found[0].runs[0].name)
    for run in runs:
        if run.name == name and run.test is None:
            state = run.damage or (f"it has no scores: {run.state}" if run.scores is None else "it has no predictions")
            raise UsageError(f"--baseline {given} cannot be compared: {state}")
    return name


def _check_score(runs: "Sequence[Run]", score: str) -> None:
    """Raise an error if no run has the score."""
    from imbalance_lab.evaluation.score_keys import nearest

    known = list(dict.fromkeys(key for run in runs for split in SPLITS for key in run.scores_of(split)))
    if known and score not in known and score != "auroc":
        choices = ", ".join(nearest(score, known))
        raise UsageError(f"--score {score} is not a score of these runs: choose one such as {choices}")


def _check_runs(runs: "Sequence[Run]") -> None:
    """Raise an error if all runs are damaged."""
    damaged = [f"run {run.name}: {run.damage}" for run in runs if run.damage is not None]
    if len(damaged) == len(runs):
        more = f" (and {len(damaged) - 1} more damaged runs)" if len(damaged) > 1 else ""
        raise UsageError(f"no run is left to compare: {damaged[0]}{more}")


def _check_table(table: Path) -> None:
    """Raise an error if the table has no format, or cannot be written."""
    from imbalance_lab.report.comparison_files import FORMATS

    if table.suffix.lower() not in FORMATS:
        raise UsageError(f"--table {table} has no known format: name a file that ends in {', '.join(FORMATS)}")
    _check_page(table, "--table", "--table")


def _check_page(page: Path, name: str, option: str = "--output") -> None:
    """Raise an error, before anything is computed, if the page cannot be written."""
    try:
        if page.is_dir():
            raise UsageError(f"{name} {page} is a folder: name a file, as in {option} {page / PAGE}")
        there = next(folder for folder in page.absolute().parents if folder.exists())
    except OSError as error:  # a name that is too long, as an example
        raise UsageError(f"{name} cannot be written ({error.strerror}): choose another with {option} FILE") from error
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{name} {page} cannot be written, because of {there}: choose another with {option} FILE")


def _compare(
    runs: "Sequence[Run]",
    page: Path,
    score: str = "auroc",
    baseline: str | None = None,
    table: Path | None = None,
    study: "Study | None" = None,
) -> None:
    from imbalance_lab.evaluation.comparison_data import compute_comparison_data
    from imbalance_lab.report.comparison_files import write_csv_files, write_table
    from imbalance_lab.report.comparison_page import write_comparison
    from imbalance_lab.report.comparison_table import print_comparison
    from imbalance_lab.report.terminal import console, print_path

    with console().status(f"comparing {len(runs)} runs"):
        data = compute_comparison_data(runs, score, baseline, study)
    print_comparison(data)
    try:
        written = write_csv_files(page, data)
        written += [] if table is None else [write_table(table, data)]
        written.append(write_comparison(page, data))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{page} cannot be written ({reason}): choose another with --output FILE") from error
    for path in written[2:]:
        print_path(path)


def unique_names(directories: Sequence[Path]) -> dict[Path, str]:
    """The shortest endings of the paths that are different."""
    absolute = {directory: directory.resolve() for directory in dict.fromkeys(directories)}
    for length in range(1, 1 + max(len(path.parts) for path in absolute.values())):
        names = {directory: "/".join(path.parts[-length:]) for directory, path in absolute.items()}
        if len(set(names.values())) == len(names):
            return names
    raise UsageError(f"the same run is given twice: {' '.join(map(str, directories))}")
