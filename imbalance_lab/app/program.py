"""The program ``imbalance-lab``: a command for each thing that is done with data, runs and models.

``imbalance-lab train KEY=VALUE …`` is ``python train.py KEY=VALUE …``; ``python -m imbalance_lab`` is the same program.
"""

import argparse
import os
import runpy
import sys
from importlib import import_module
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.app.messages import format_error
from imbalance_lab.errors import UsageError

COMMANDS = {
    "train": "train, test and evaluate a classifier: KEY=VALUE …, as python train.py",
    "validate-data": "check the data thoroughly and stop: KEY=VALUE …, as python train.py check=true",
    "evaluate": "score a run's stored predictions again: RUN … KEY=VALUE …",
    "compare": "compare finished runs, or those of a sweep: RUN …",
    "predict": "apply a trained model to a file: RUN INPUT -o OUT",
    "export": "write a run's model as one file for other programs: RUN --to onnx, torch_export or mlflow",
    "serve": "answer requests over HTTP with a run's model: RUN",
    "watch": "estimate the class shares of a file without labels, and test it for shift: RUN NEW",
}


def main(arguments: list[str] | None = None) -> None:
    """Run one command line."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command not in COMMANDS:
        _top_parser().parse_args([command])  # prints the help, or an error with the commands
        return
    if command in ("train", "validate-data"):
        _run_train([*rest, *(["check=true"] if command == "validate-data" else [])])
        return
    parser = argparse.ArgumentParser(prog=f"imbalance-lab {command}", description=COMMANDS[command])
    try:
        if command == "evaluate":
            evaluate_command(parser, rest)
        elif command == "compare":
            compare_command(parser, rest)
        else:
            module = import_module(f"imbalance_lab.app.{command}_command")
            module.add_arguments(parser)
            module.run(parser.parse_intermixed_args(rest))  # KEY=VALUE stands before and after options
    except (UsageError, HydraException, OmegaConfBaseException, ValueError) as error:
        sentence = format_error(error)
        if sentence is None:
            raise
        exit_with_error(sentence)
    except KeyboardInterrupt:
        sys.exit(130)


def evaluate_command(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Score the stored predictions of runs again, with another post-processing."""
    parser.add_argument(
        "words",
        nargs="+",
        metavar="RUN|KEY=VALUE",
        help="run directories, and operating_point=, calibration=, prior_correction=, conformal= or report.images=true",
    )
    words = parser.parse_args(arguments).words
    from imbalance_lab.app.evaluate import evaluate_again

    runs = [word for word in words if "=" not in word or Path(word).is_dir()]
    evaluate_again([Path(word) for word in runs], [word for word in words if word not in runs])


def compare_command(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Compare finished runs."""
    from imbalance_lab.app.compare import add_arguments, compare

    add_arguments(parser)
    options = parser.parse_args(arguments)
    compare(options.paths, options.score, options.baseline, options.output, options.table)


def _top_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="imbalance-lab",
        description="Train, test, compare and use classifiers of imbalanced data.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:15}{text}" for name, text in COMMANDS.items())
        + "\n\nimbalance-lab COMMAND --help describes a command.",
    )
    parser.add_argument("command", choices=list(COMMANDS), metavar="COMMAND")
    return parser


def _run_train(overrides: list[str]) -> None:
    """Run train.py, which is inside the package in a wheel and beside it in a checkout."""
    package = Path(__file__).parent.parent
    script = package / "train.py" if (package / "train.py").is_file() else package.parent / "train.py"
    sys.argv = [os.fspath(script), *overrides]
    runpy.run_path(os.fspath(script), run_name="__main__")
