"""``imbalance-lab export``: a run's best model as one file for other programs."""

import argparse
from pathlib import Path

from imbalance_lab.errors import UsageError

TARGETS = {
    "onnx": "an ONNX file",
    "torch_export": "a .pt2 file of torch.export",
    "mlflow": "a directory of MLflow's",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the directory of a finished run")
    parser.add_argument("--to", required=True, choices=list(TARGETS), help=", ".join(TARGETS.values()))
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="what to write; default: a file in RUN/exports"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="KEY=VALUE",
        help="where the run's data are now, if they have moved, as in data.path=FILE",
    )
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PACKAGE", help="your own package that the model was built from"
    )


def run(options: argparse.Namespace) -> None:
    """Export, compare with the model on the run's validation examples, and print what was written.

    A run without a validation split is compared on its test examples.

    Raises:
        UsageError: if that is not possible; nothing is written then.
    """
    from imbalance_lab.app.run_data import validation_data
    from imbalance_lab.deployment.export.rows import validation_rows
    from imbalance_lab.deployment.export.write import check_target, export_model
    from imbalance_lab.evaluation.run_directory import RunDirectory
    from imbalance_lab.evaluation.run_files import Split
    from imbalance_lab.model import load_model
    from imbalance_lab.report.terminal import console, relative_path

    directory = RunDirectory(options.run)
    if not directory.is_run:
        raise UsageError(f"{options.run} is not the directory of a run: name one, as in runs/DATE/TIME")
    path = options.output or directory.exported(options.to)
    check_target(options.to, path)
    with console().status("reading the validation data"):
        model = load_model(options.run, allow=options.allow)
        splits = validation_data(directory, options.words, options.allow)
        split: Split = "test" if splits.val is None else "val"
        source = splits.parts[split]
        rows = validation_rows(model, source, directory.read_predictions(split))
    with console().status("exporting"):
        written = export_model(model, rows, options.to, path)
    for file in written.files:
        console().print(f"{relative_path(file)}  {_size(file)}", soft_wrap=True)
    decisions = ", ".join(_decisions(rows.output.labels is not None, rows.output.sets is not None))
    of = f" of {len(source):,}" if len(rows) < len(source) else ""
    name = "test" if splits.val is None else "validation"
    print(
        f"compared with the model on {len(rows):,}{of} {name} rows: probabilities within "
        f"{written.parity.difference:.1e}, all {decisions} equal\n"
        f"(the model and the predictions that the run stored: within {rows.stored_difference:.1e})"
    )


def _decisions(labels: bool, sets: bool) -> list[str]:
    return ["predicted classes"] * labels + ["flags"] + ["prediction sets"] * sets


def _size(path: Path) -> str:
    from imbalance_lab.files import readable_size

    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return readable_size(sum(file.stat().st_size for file in files))
