"""Stored predictions of a run → its scores, operating point, curves and report, after training or at any time.

Nothing here needs the data or the model: `imbalance-lab evaluate RUN KEY=VALUE …` changes the post-processing.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.configuration import check_overrides, evaluation_config
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.files import atomic_write, write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.report_data import RunRecord
    from imbalance_lab.evaluation.set_coverage import SetCoverage
    from imbalance_lab.posthoc import PostProcessor, Threshold


class RunResults(NamedTuple):
    """The scores of both splits, those after post-processing if it changes them, and what the decisions do on test."""

    val: "Evaluation"
    test: "Evaluation"
    test_adjusted: "Evaluation | None"
    postprocessor: "PostProcessor"
    thresholds_on_test: "tuple[Threshold | str, ...]"
    sets_on_test: "SetCoverage | None" = None


def evaluate_run(directory: RunDirectory, config: DictConfig) -> RunResults:
    """Evaluate a finished run from its files: see `evaluate_predictions`.

    Raises:
        UsageError: for a file that is missing or damaged, or does not fit the others; nothing is written then.
    """
    from imbalance_lab.evaluation.mistakes import read_mistakes
    from imbalance_lab.evaluation.report_data import RunRecord

    record = RunRecord.read(directory, directory.read_metadata(), read_mistakes(directory.mistakes))
    val, test = directory.read_predictions("val"), directory.read_predictions("test")
    calibration = directory.read_calibration()
    _check_agreement(directory, record, val, test, calibration)
    return evaluate_predictions(directory, config, record, val, test, calibration)


def _check_agreement(
    directory: RunDirectory,
    record: "RunRecord",
    val: "Predictions",
    test: "Predictions",
    calibration: "Predictions | None",
) -> None:
    """Raise an error if files of a run, each whole in itself, are not of the same run."""
    classes, counted = test.task.num_classes, len(record.metadata["train_counts"])
    if val.task != test.task:
        wrong, reason = directory.predictions("val"), "its classes are not those of the test predictions"
    elif calibration is not None and calibration.task != test.task:
        wrong, reason = directory.predictions("calibration"), "its classes are not those of the test predictions"
    elif counted != classes:
        wrong, reason = directory.metadata, f"it counts {counted} classes, but the predictions have {classes}"
    elif any(max(each.of_class, each.target or 0, each.predicted or 0) >= classes for each in record.mistakes):
        wrong, reason = directory.mistakes, f"it has classes beyond the {classes} of the predictions"
    else:
        return
    raise UsageError(f"{wrong} is of another run, {reason}: {RESTORE}")


def evaluate_predictions(
    directory: RunDirectory,
    config: DictConfig,
    record: "RunRecord",
    val: "Predictions",
    test: "Predictions",
    calibration: "Predictions | None" = None,
) -> RunResults:
    """Score the predictions, fit the post-processing, and write the results.

    Args:
        directory: of the run.
        config: its configuration; only `POSTPROCESSING` counts, and may differ from training's.
        record: what is known about the run besides its predictions.
        val: the predictions for validation, on which the post-processing is fitted.
        test: those for test.
        calibration: those on which prediction sets are fitted, if there is such a split.

    Raises:
        UsageError: for options that make no sense; nothing is written then.
    """
    from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
    from imbalance_lab.evaluation.set_coverage import score_sets

    _check_outputs(directory)
    checkpoint = _trained_checkpoint(directory, record.metadata["checkpoint"])
    counts, prior = record.metadata["train_counts"], record.metadata["train_prior"]
    postprocessor = fit_postprocessing(config, val, prior and tuple(prior), calibration)
    changed = postprocessor.prior_correction is not None
    results = RunResults(
        Evaluation(val, counts),
        Evaluation(test, counts),
        Evaluation(adjusted(test, postprocessor), counts) if changed else None,
        postprocessor,
        postprocessor.evaluate_on(test.logits, test.target),
        score_sets(postprocessor, test),
    )
    try:
        _write(directory, config, record, results, checkpoint)
        if calibration is not None:
            calibration.write(directory.predictions("calibration"), postprocessor)
    except OSError as error:
        reason = f"{error.strerror or error}"
        raise UsageError(f"the results cannot be written to {directory.path}: {reason}") from error
    return results


def _check_outputs(directory: RunDirectory) -> None:
    """Raise an error, before anything is written, if a result cannot be written."""
    if directory.tables.exists() and not directory.tables.is_dir():
        raise UsageError(f"{directory.tables} is a file, but results are to be written there: rename it")
    for path in (*directory.results, *map(directory.predictions, get_args(Split)), directory.path):
        if path != directory.path and path.is_dir():
            raise UsageError(f"{path} is a folder, but a result is to be written there: rename it")
        folder = path if path.is_dir() else path.parent
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"{folder} may not be written: change its permissions")


def _write(
    directory: RunDirectory,
    config: DictConfig,
    record: "RunRecord",
    results: RunResults,
    checkpoint: tuple[Path, dict[str, Any]] | None,
) -> None:
    from imbalance_lab.evaluation.report_data import compute_report_data
    from imbalance_lab.report.curves import draw_pr, draw_roc, write_curves
    from imbalance_lab.report.figures import curves_of, write_figures
    from imbalance_lab.report.page import write_page
    from imbalance_lab.report.tables import write_tables

    val, test, after, postprocessor, on_test, sets = results
    point = {"fitted_on": "val", "n": len(val.predictions.target), **postprocessor.as_json()}
    write_json(directory.operating_point, point)
    val.predictions.write(directory.predictions("val"), postprocessor)
    test.predictions.write(directory.predictions("test"), postprocessor)
    scores = {
        "checkpoint": record.metadata["checkpoint"],
        "val": val.as_json(),
        "test": test.as_json(),
        "test_adjusted": None if after is None else after.as_json(),
        "test_at_thresholds": [each if isinstance(each, str) else each.as_json() for each in on_test],
        **({} if sets is None else {"test_prediction_sets": sets.as_json()}),
    }
    directory.write_scores(scores)
    if checkpoint is not None:
        path, content = checkpoint
        write_checkpoint(path, content | {"operating_point": point})
    classes = test.predictions.classes
    data = compute_report_data(record, val, test, after, postprocessor, on_test, sets)
    for path, draw in ((directory.roc, draw_roc), (directory.pr, draw_pr)):
        with atomic_write(path) as unfinished:
            draw(curves_of(data)).savefig(unfinished, format="png")
    write_curves(directory.curves, classes, test.rankings)
    write_page(directory.report, data)
    write_tables(directory.tables, scores, data)
    if OmegaConf.select(config, "report.images", default=False):  # older runs have no such key
        write_figures(directory.images, data)


def print_results(results: RunResults, title: str) -> None:
    """Print the tables of an evaluation."""
    from imbalance_lab.report.set_table import set_lines, set_table
    from imbalance_lab.report.terminal import console, evaluation_table, summary_lines
    from imbalance_lab.report.threshold_table import missing_threshold_lines, threshold_table

    _, test, after, postprocessor, on_test, sets = results
    out = console()
    out.print(evaluation_table(test, title))
    out.print()
    for line in summary_lines(test):
        out.print(line)
    if after is not None and postprocessor.prior is not None:
        out.print(f"\nfor the class priors {[round(share, 4) for share in postprocessor.prior]}:")
        for line in summary_lines(after):
            out.print(line)
    out.print()
    out.print(threshold_table(postprocessor.classes, postprocessor.thresholds, on_test))
    for line in missing_threshold_lines(postprocessor.classes, postprocessor.thresholds):
        out.print(line, soft_wrap=True)
    if sets is not None:
        out.print()
        out.print(set_table(sets))
        for line in set_lines(sets):
            out.print(line, soft_wrap=True)


def _trained_checkpoint(directory: RunDirectory, checkpoint: str) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint and its content, if the run trained it (and did not only test it) and it is still there.

    Raises:
        UsageError: if it is damaged.
    """
    path = (directory.path / checkpoint).resolve()
    if not path.is_relative_to(directory.path.resolve()) or not path.is_file():
        return None
    return path, read_checkpoint_file(path)


def evaluate_again(paths: Sequence[Path], overrides: Sequence[str]) -> None:
    """Evaluate finished runs again from their stored predictions, with another post-processing.

    A run that cannot be evaluated does not keep the others from it.

    Raises:
        UsageError: if a path is not a finished run or a file of it is damaged, or an override would need another
            training.
    """
    if not paths:
        raise UsageError("evaluate needs a run directory: imbalance-lab evaluate RUN KEY=VALUE …")
    check_overrides(overrides)
    failed: dict[str, None] = {}
    for directory in map(RunDirectory, paths):
        try:
            _evaluate_again(directory, overrides)
        except UsageError as error:
            failed[str(error)] = None
    if failed:
        of = f"{len(failed)} of {len(paths)} runs were not evaluated: " if len(paths) > 1 else ""
        raise UsageError(of + "; ".join(failed))


def _evaluate_again(directory: RunDirectory, overrides: Sequence[str]) -> None:
    from imbalance_lab.report.terminal import console

    if not directory.is_run or not directory.metadata.is_file():
        raise UsageError(f"{directory.path} is not a finished run: it has no {directory.metadata.name}")
    config = evaluation_config(directory, list(overrides))
    with console().status("scoring the predictions"):
        results = evaluate_run(directory, config)
    print_results(results, f"Test scores of {directory.path}")
    console().print(str(directory.report), soft_wrap=True)
