"""Stored predictions of a run → its scores, operating point, curves and report, after training or at any time.

Nothing here needs the data or the model: `imbalance-lab evaluate RUN KEY=VALUE …` changes the post-processing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.configuration import evaluation_config
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.report_data import RunRecord
    from imbalance_lab.posthoc import PostProcessor, Threshold


class RunResults(NamedTuple):
    """The scores of both splits, those after post-processing if it changes them, and the thresholds' counts on test."""

    val: "Evaluation"
    test: "Evaluation"
    test_adjusted: "Evaluation | None"
    postprocessor: "PostProcessor"
    thresholds_on_test: "tuple[Threshold | str, ...]"


def evaluate_run(directory: RunDirectory, config: DictConfig) -> RunResults:
    """Evaluate a finished run from its files: see `evaluate_predictions`."""
    from imbalance_lab.evaluation.mistakes import read_mistakes
    from imbalance_lab.evaluation.report_data import RunRecord

    record = RunRecord.read(directory, directory.read_metadata(), read_mistakes(directory.mistakes))
    val, test = directory.read_predictions("val"), directory.read_predictions("test")
    return evaluate_predictions(directory, config, record, val, test)


def evaluate_predictions(
    directory: RunDirectory, config: DictConfig, record: "RunRecord", val: "Predictions", test: "Predictions"
) -> RunResults:
    """Score the predictions, fit the post-processing, and write the results.

    Args:
        directory: of the run.
        config: its configuration; only `POSTPROCESSING` counts, and may differ from training's.
        record: what is known about the run besides its predictions.
        val: the predictions for validation, on which the post-processing is fitted.
        test: those for test.

    Raises:
        UsageError: for options that make no sense; nothing is written then.
    """
    from imbalance_lab.evaluation.evaluation import Evaluation, adjusted

    counts, prior = record.metadata["train_counts"], record.metadata["train_prior"]
    postprocessor = fit_postprocessing(config, val, prior and tuple(prior))
    changed = postprocessor.prior_correction is not None
    results = RunResults(
        Evaluation(val, counts),
        Evaluation(test, counts),
        Evaluation(adjusted(test, postprocessor), counts) if changed else None,
        postprocessor,
        postprocessor.evaluate_on(test.logits, test.target),
    )
    _write(directory, config, record, results)
    return results


def _write(directory: RunDirectory, config: DictConfig, record: "RunRecord", results: RunResults) -> None:
    from imbalance_lab.evaluation.report_data import compute_report_data
    from imbalance_lab.report.curves import draw_pr, draw_roc, write_curves
    from imbalance_lab.report.figures import write_figures
    from imbalance_lab.report.page import write_page
    from imbalance_lab.report.tables import write_tables

    val, test, after, postprocessor, on_test = results
    point = {"fitted_on": "val", "n": len(val.predictions.target), **postprocessor.as_json()}
    write_json(directory.operating_point, point)
    scores = {
        "checkpoint": record.metadata["checkpoint"],
        "val": val.as_json(),
        "test": test.as_json(),
        "test_adjusted": None if after is None else after.as_json(),
        "test_at_thresholds": [each if isinstance(each, str) else each.as_json() for each in on_test],
    }
    write_json(directory.scores, scores)
    _store_in_checkpoint(directory, record.metadata["checkpoint"], point)
    classes = test.predictions.classes
    for path, draw in ((directory.roc, draw_roc), (directory.pr, draw_pr)):
        draw(classes, test.rankings, val.train_counts).savefig(path)
    write_curves(directory.curves, classes, test.rankings)
    data = compute_report_data(record, val, test, after, postprocessor, on_test)
    write_page(directory.report, data)
    write_tables(directory.tables, scores, data)
    if OmegaConf.select(config, "report.images", default=False):  # older runs have no such key
        write_figures(directory.images, data)


def print_results(results: RunResults, title: str) -> None:
    """Print the tables of an evaluation."""
    from imbalance_lab.report.terminal import console, evaluation_table, summary_lines
    from imbalance_lab.report.threshold_table import missing_threshold_lines, threshold_table

    _, test, after, postprocessor, on_test = results
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


def _store_in_checkpoint(directory: RunDirectory, checkpoint: str, point: dict[str, Any]) -> None:
    """Store the post-processing in the checkpoint, if the run trained it (and did not only test it)."""
    path = (directory.path / checkpoint).resolve()
    if path.is_relative_to(directory.path.resolve()) and path.is_file():
        write_checkpoint(path, read_checkpoint_file(path) | {"operating_point": point})


def evaluate_again(paths: Sequence[Path], overrides: Sequence[str]) -> None:
    """Evaluate finished runs again from their stored predictions, with another post-processing.

    Raises:
        UsageError: if a path is not a finished run, or an override would need another training.
    """
    from imbalance_lab.report.terminal import console

    if not paths:
        raise UsageError("evaluate needs a run directory: imbalance-lab evaluate RUN KEY=VALUE …")
    for directory in map(RunDirectory, paths):
        if not directory.is_run or not directory.metadata.is_file():
            raise UsageError(f"{directory.path} is not a finished run: it has no {directory.metadata.name}")
        if "train_prior" not in directory.read_metadata():
            raise UsageError(f"{directory.path} was written by an earlier release: train it again with this one")
        config = evaluation_config(directory, list(overrides))
        with console().status("scoring the predictions"):
            results = evaluate_run(directory, config)
        print_results(results, f"Test scores of {directory.path}")
        print(directory.report)
