"""What is checked of a run's files before it is evaluated: that they belong together, that results can be written."""

import os
from typing import TYPE_CHECKING, get_args

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.run_files import Split

if TYPE_CHECKING:
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.report_data import RunRecord


def check_agreement(
    directory: RunDirectory,
    record: "RunRecord",
    val: "Predictions | None",
    test: "Predictions",
    calibration: "Predictions | None",
) -> None:
    """Raise an error if files of a run, each whole in itself, are not of the same run."""
    classes, counted = test.task.num_classes, len(record.metadata["train_counts"])
    if val is not None and val.task != test.task:
        wrong, reason = directory.predictions("val"), "its classes are not those of the test predictions"
    elif calibration is not None and calibration.task != test.task:
        wrong, reason = directory.predictions("calibration"), "its classes are not those of the test predictions"
    elif counted != classes:
        wrong, reason = directory.metadata, f"it counts {counted} classes, but the predictions have {classes}"
    elif any(max(each.of_class, each.target or 0, each.predicted or 0) >= classes for each in record.mistakes):
        wrong, reason = directory.mistakes, f"it has classes beyond the {classes} of the predictions"
    elif any(each.of_class >= classes for each in record.samples):
        wrong, reason = directory.samples, f"it has classes beyond the {classes} of the predictions"
    else:
        return
    raise UsageError(f"{wrong} is of another run, {reason}: {RESTORE}")


def check_outputs(directory: RunDirectory) -> None:
    """Raise an error, before anything is written, if a result cannot be written."""
    if directory.tables.exists() and not directory.tables.is_dir():
        raise UsageError(f"{directory.tables} is a file, but results are to be written there: rename it")
    for path in (*directory.results, *map(directory.predictions, get_args(Split)), directory.path):
        if path != directory.path and path.is_dir():
            raise UsageError(f"{path} is a folder, but a result is to be written there: rename it")
        folder = path if path.is_dir() else path.parent
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"{folder} may not be written: change its permissions")
