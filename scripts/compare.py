"""Compare runs, or make a run's files again with another operating point.

python scripts/compare.py multirun/DATE/TIME                    a sweep: a table, and comparison.html beside the runs
python scripts/compare.py RUN RUN … --baseline RUN              any runs: ./comparison.html
python scripts/compare.py --rewrite RUN operating_point=min_recall 'deploy_prior=[0.5,0.5]'
                                                                from the stored predictions, without training
"""

import argparse
import os
from pathlib import Path

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.errors import UsageError

SCORES = ("auroc", "average_precision", "balanced_accuracy", "accuracy")


def main() -> None:
    """Answer a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="RUN", help="run directories, or that of a sweep")
    parser.add_argument("--score", choices=SCORES, default="auroc", help="what runs are ranked and compared by")
    parser.add_argument(
        "--baseline", metavar="RUN", help="the run that the others are compared with; default: the best"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the page goes")
    parser.add_argument(
        "--rewrite", action="store_true", help="make the files of RUN again; KEY=VALUE changes settings"
    )
    options = parser.parse_args()
    try:
        if options.rewrite:
            runs, overrides = (
                [path for path in options.paths if "=" not in path],
                [o for o in options.paths if "=" in o],
            )
            rewrite([Path(run) for run in runs], overrides)
        else:
            compare([Path(path) for path in options.paths], options.score, options.baseline, options.output)
    except UsageError as mistake:
        exit_with_error(str(mistake))


def compare(paths: list[Path], score: str, baseline: str | None, output: Path | None) -> None:
    """Print and write the comparison of the runs at or below ``paths``."""
    directories = [run for path in paths for run in runs_at(path)]
    names = unique_names(directories)
    if baseline is not None:
        given = Path(baseline).resolve()
        known = {directory.resolve(): name for directory, name in names.items()}
        if given not in known:
            raise UsageError(
                f"--baseline {baseline} is none of the runs compared: choose among {', '.join(names.values())}"
            )
        baseline = known[given]
    from imbalance_lab.evaluation.comparison_data import compute_comparison_data
    from imbalance_lab.evaluation.sweep import rank_runs, read_run
    from imbalance_lab.report.comparison_page import write_comparison
    from imbalance_lab.report.comparison_table import print_comparison
    from imbalance_lab.report.terminal import console

    runs = rank_runs([read_run(directory, name) for directory, name in names.items()], score)
    with console().status(f"comparing {len(runs)} runs"):
        data = compute_comparison_data(runs, score, baseline)
    print_comparison(data)
    folder = paths[0] if len(paths) == 1 and directories != paths else Path()
    print(os.path.relpath(write_comparison(output or folder / "comparison.html", data)))


def rewrite(directories: list[Path], overrides: list[str]) -> None:
    """Review the stored predictions again, with settings of the time after training changed."""
    from imbalance_lab.app.evaluate import print_review, review, reviewed_config
    from imbalance_lab.report.terminal import console

    if not directories:
        raise UsageError("--rewrite needs a run directory")
    for directory in directories:
        if runs_at(directory) != [directory] or not (directory / "run.json").is_file():
            raise UsageError(f"{directory} is no finished run: it has no run.json")
        config = reviewed_config(directory, overrides)
        with console().status("scoring the predictions"):
            reviewed = review(directory, config)
        print_review(reviewed, f"Test scores of {directory}")
        print(directory / "report.html")


def runs_at(path: Path) -> list[Path]:
    """The run that ``path`` is, or those directly below it."""
    if (path / ".hydra" / "overrides.yaml").is_file():
        return [path]
    found = sorted(file.parent.parent for file in path.glob("*/.hydra/overrides.yaml"))
    if not found:
        raise UsageError(f"{path} is neither a run directory nor that of a sweep: there is no .hydra/overrides.yaml")
    return found


def unique_names(directories: list[Path]) -> dict[Path, str]:
    """Call each directory by as much of the end of its path as tells it from the others."""
    absolute = {directory: directory.resolve() for directory in dict.fromkeys(directories)}
    for length in range(1, 1 + max(len(path.parts) for path in absolute.values())):
        names = {directory: "/".join(path.parts[-length:]) for directory, path in absolute.items()}
        if len(set(names.values())) == len(names):
            return names
    raise UsageError(f"the same run is given twice: {' '.join(map(str, directories))}")


if __name__ == "__main__":
    main()
