"""A run directory's stored predictions → its scores, operating point, curves and report: after training or any time.

Nothing here needs the data or the model: `imbalance-lab evaluate RUN KEY=VALUE …` changes what comes after training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.configuration import evaluation_config
from imbalance_lab.app.instantiate import instantiate_part
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write, write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.posthoc import PostProcessor, Threshold
    from imbalance_lab.task import Task


class RunResults(NamedTuple):
    """The scores on both splits, those after post-processing if it changes them, and the thresholds' counts on test."""

    val: "Evaluation"
    test: "Evaluation"
    test_adjusted: "Evaluation | None"
    postprocessor: "PostProcessor"
    thresholds_on_test: "tuple[Threshold | str, ...]"


def evaluate_run(directory: RunDirectory, config: DictConfig) -> RunResults:
    """Score the stored predictions, fit the post-processing, and write the results.

    Args:
        directory: of a run, with its predictions and metadata.
        config: its configuration; only `AFTER_TRAINING` counts, and may differ from training's.

    Raises:
        UsageError: for options that make no sense; nothing is written then.
    """
    from imbalance_lab.evaluation.evaluation import Evaluation, adjusted

    metadata = directory.read_metadata()
    counts = metadata["train_counts"]
    prior = metadata["train_prior"] and tuple(metadata["train_prior"])
    val, test = (Evaluation(directory.read_predictions(split), counts) for split in ("val", "test"))
    postprocessor = _fit_postprocessor(config, val, prior)
    changed = postprocessor.prior_correction is not None
    results = RunResults(
        val,
        test,
        Evaluation(adjusted(test.predictions, postprocessor), counts) if changed else None,
        postprocessor,
        postprocessor.evaluate_on(test.predictions.logits, test.predictions.target),
    )
    _write(directory, config, metadata, results)
    return results


def validate_postprocessing(config: DictConfig, task: "Task", train_prior: tuple[float, ...] | None) -> None:
    """Refuse, before anything is trained, a post-processing that could not be fitted afterwards.

    Raises:
        UsageError: in a sentence that says what to do instead.
    """
    from imbalance_lab import posthoc

    options = _options(config)
    try:
        posthoc.validate_postprocessing(
            task.num_classes, train_prior=train_prior, activation=task.activation, **options
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"after training: {error}") from error


def _options(config: DictConfig) -> dict[str, Any]:
    """The objects of what comes after training."""
    return {
        "rule": instantiate_part(config, "operating_point"),
        "calibration": instantiate_part(config, "calibration"),
        "prior_correction": instantiate_part(config, "prior_correction"),
    }


def _fit_postprocessor(config: DictConfig, val: "Evaluation", prior: tuple[float, ...] | None) -> "PostProcessor":
    from imbalance_lab.posthoc import NoCalibration, NoPriorCorrection, fit_postprocessor

    predictions = val.predictions
    task = predictions.task
    validate_postprocessing(config, task, prior)
    fitted_on: dict[str, Any] = {
        "logits": predictions.logits,
        "target": predictions.target,
        "classes": task.classes,
        "train_prior": prior,
        "activation": task.activation,
    }
    options = _options(config)
    try:
        return fit_postprocessor(**fitted_on, **options)
    except ValueError as error:  # only these examples could tell, and a trained model is not given up for it
        print(f"post-processing skipped: {error}")
        options |= {"calibration": NoCalibration(), "prior_correction": NoPriorCorrection()}
        return fit_postprocessor(**fitted_on, **options)


def _write(directory: RunDirectory, config: DictConfig, metadata: dict[str, Any], results: RunResults) -> None:
    from imbalance_lab.evaluation.report_data import RunRecord, compute_report_data
    from imbalance_lab.report.curves import draw_pr, draw_roc, write_curves
    from imbalance_lab.report.figures import write_figures
    from imbalance_lab.report.page import write_page
    from imbalance_lab.report.tables import write_tables

    val, test, after, postprocessor, on_test = results
    point = {"fitted_on": "val", "n": len(val.predictions.target), **postprocessor.as_json()}
    write_json(directory.operating_point, point)
    scores = {
        "checkpoint": metadata["checkpoint"],
        "val": val.as_json(),
        "test": test.as_json(),
        "test_adjusted": None if after is None else after.as_json(),
        "test_at_thresholds": [each if isinstance(each, str) else each.as_json() for each in on_test],
    }
    write_json(directory.scores, scores)
    _store_in_checkpoint(directory, metadata["checkpoint"], point)
    classes = test.predictions.classes
    for path, draw in ((directory.roc, draw_roc), (directory.pr, draw_pr)):
        draw(classes, test.rankings, val.train_counts).savefig(path)
    write_curves(directory.curves, classes, test.rankings)
    data = compute_report_data(RunRecord.read(directory, metadata), val, test, after, postprocessor, on_test)
    write_page(directory.report, data)
    write_tables(directory.tables, scores, data)
    if OmegaConf.select(config, "report.images", default=False):  # a run of an older version has no such key
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
    """Let the post-processing travel with the weights, if they are the run's own and not another's that it tested."""
    import torch

    path = (directory.path / checkpoint).resolve()
    if not path.is_relative_to(directory.path.resolve()) or not path.is_file():
        return
    content = torch.load(path, map_location="cpu", weights_only=True) | {"operating_point": point}
    with atomic_write(path) as unfinished:
        torch.save(content, unfinished)


def evaluate_again(paths: Sequence[Path], overrides: Sequence[str]) -> None:
    """Evaluate finished runs again from their stored predictions, with what comes after training changed.

    Raises:
        UsageError: if a path is not a finished run, or an override would need another training.
    """
    from imbalance_lab.report.terminal import console

    if not paths:
        raise UsageError("evaluate needs a run directory: imbalance-lab evaluate RUN KEY=VALUE …")
    for directory in map(RunDirectory, paths):
        if not directory.is_run or not directory.metadata.is_file():
            raise UsageError(f"{directory.path} is not a finished run: it has no {directory.metadata.name}")
        config = evaluation_config(directory, list(overrides))
        with console().status("scoring the predictions"):
            results = evaluate_run(directory, config)
        print_results(results, f"Test scores of {directory.path}")
        print(directory.report)
