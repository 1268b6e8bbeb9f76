"""Stored predictions of a run → its scores, operating point, curves and report, after training or at any time.

Nothing here needs the data or the model: `imbalance-lab evaluate RUN KEY=VALUE …` changes the post-processing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.baselines import fit_baseline_postprocessing
from imbalance_lab.app.configuration import check_overrides, evaluation_config
from imbalance_lab.app.postprocessing import fit_postprocessing, is_rule_chosen
from imbalance_lab.app.slices import evaluate_slices
from imbalance_lab.app.validate_files import check_agreement, check_outputs
from imbalance_lab.app.write_evaluation import write_evaluation
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.class_counts import ShotLimits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory

if TYPE_CHECKING:
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.report_data import ReportData, RunRecord
    from imbalance_lab.posthoc import LinearHead, PostProcessor


class RunResults(NamedTuple):
    """All that a report shows, and the post-processing that it is of."""

    data: "ReportData"
    postprocessor: "PostProcessor"

    @property
    def val(self) -> "Evaluation | None":
        """The scores on validation; None without such a split."""
        return self.data.val

    @property
    def test(self) -> "Evaluation":
        """The scores on test."""
        return self.data.test


def evaluate_run(directory: RunDirectory, config: DictConfig, overrides: Sequence[str] = ()) -> RunResults:
    """Evaluate a finished run from its files: see `evaluate_predictions`.

    Args:
        directory: of the run.
        config: its configuration, changed by the ``overrides`` ``KEY=VALUE`` of its post-processing.
        overrides: those words.

    Raises:
        UsageError: for a file that is missing or damaged, or does not fit the others; nothing is written then.
    """
    from imbalance_lab.evaluation.mistakes import read_mistakes
    from imbalance_lab.evaluation.report_data import RunRecord

    record = RunRecord.read(directory, directory.read_metadata(), read_mistakes(directory.mistakes))
    val, test = directory.read_validation(record.metadata), directory.read_predictions("test")
    calibration = directory.read_calibration()
    check_agreement(directory, record, val, test, calibration)
    return evaluate_predictions(directory, config, record, val, test, calibration, overrides)


def evaluate_predictions(
    directory: RunDirectory,
    config: DictConfig,
    record: "RunRecord",
    val: "Predictions | None",
    test: "Predictions",
    calibration: "Predictions | None" = None,
    overrides: Sequence[str] = (),
    *,
    content: dict[str, Any] | None = None,
) -> RunResults:
    """Score the predictions, fit the post-processing, and write the results.

    Args:
        directory: of the run.
        config: its configuration; only `POSTPROCESSING` counts, and may differ from training's.
        record: what is known about the run besides its predictions.
        val: the predictions for validation, on which the post-processing is fitted; None without such a split.
        test: those for test.
        calibration: those on which prediction sets are fitted, if there is such a split.
        overrides: what changes the post-processing now, beside the overrides of the run.
        content: of the run's checkpoint, where it has been read already.

    Raises:
        UsageError: for options that make no sense; nothing is written then.
    """
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.evaluation.report_data import compute_report_data
    from imbalance_lab.evaluation.stages import compare_stages, read_stage_1
    from imbalance_lab.evaluation.stored_baselines import read_baselines

    check_outputs(directory)
    checkpoint = _trained_checkpoint(directory, record.metadata["checkpoint"], content)
    counts, prior = record.metadata["train_counts"], record.metadata["train_prior"]
    words, head = [*_own_overrides(directory), *overrides], _linear_head(directory, checkpoint)
    postprocessor = fit_postprocessing(
        config, val, prior and tuple(prior), calibration, head, task=test.task, overrides=words
    )
    limits = ShotLimits(**record.metadata.get("shot_limits", {}))  # older runs have the usual ones
    on_val = None if val is None else Evaluation(val, counts, limits)
    on_test = Evaluation(test, counts, limits)
    baselines = read_baselines(directory, record.metadata, val, test)
    stage_1 = read_stage_1(directory, record.metadata, val, test)
    data = compute_report_data(
        record,
        on_val,
        on_test,
        postprocessor,
        slices=evaluate_slices(directory, config, on_test, postprocessor),
        is_rule_chosen=is_rule_chosen(config, words),
        baselines=None if baselines is None else (baselines, fit_baseline_postprocessing(config, baselines, counts)),
        stages=None if stage_1 is None else compare_stages(on_val, on_test, stage_1, record.metadata),
    )
    has_images = OmegaConf.select(config, "report.images", default=False)  # older runs have no such key
    try:
        write_evaluation(directory, data, postprocessor, checkpoint, has_images=bool(has_images))
        if calibration is not None:
            calibration.write(directory.predictions("calibration"), postprocessor)
    except OSError as error:
        reason = f"{error.strerror or error}"
        raise UsageError(f"the results cannot be written to {directory.path}: {reason}") from error
    return RunResults(data, postprocessor)


def _linear_head(directory: RunDirectory, checkpoint: tuple[Path, dict[str, Any]] | None) -> "LinearHead | None":
    """The head that the logits are of, if it is linear; of runs of earlier releases as the checkpoint has it."""
    from imbalance_lab.app.linear_head import linear_head_of

    stored = directory.read_linear_head()
    return linear_head_of(checkpoint[1]) if stored is None and checkpoint is not None else stored


def _own_overrides(directory: RunDirectory) -> list[str]:
    """The overrides of the run; none for one that was not started from a command line."""
    return directory.read_override_list() if directory.overrides.exists() else []


def _trained_checkpoint(
    directory: RunDirectory, checkpoint: str, content: dict[str, Any] | None
) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint and its content, if the run trained it (and did not only test it) and it is still there.

    Raises:
        UsageError: if it is damaged.
    """
    path = (directory.path / checkpoint).resolve()
    if not path.is_relative_to(directory.path.resolve()) or not path.is_file():
        return None
    return path, read_checkpoint_file(path) if content is None else content


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


def _evaluate_folds(directory: RunDirectory, overrides: Sequence[str]) -> None:
    """Evaluate every fold of a cross-validation again, and join them."""
    from imbalance_lab.app.cross_validation import join

    content = (directory.read_scores() or {}).get("cross_validation")
    if content is None:
        raise UsageError(f"{directory.path} is a cross-validation that has not finished: start it again")
    for number in range(content["folds"] * content["repeats"]):
        _evaluate_again(RunDirectory(directory.fold(number)), overrides)
    join(directory, content["folds"], content["repeats"])


def _evaluate_again(directory: RunDirectory, overrides: Sequence[str]) -> None:
    from imbalance_lab.app.print_results import print_results
    from imbalance_lab.report.terminal import console, print_path

    if directory.is_cross_validation:
        _evaluate_folds(directory, overrides)
        return
    if not directory.is_run or not directory.metadata.is_file():
        raise UsageError(f"{directory.path} is not a finished run: it has no {directory.metadata.name}")
    config = evaluation_config(directory, list(overrides))
    with console().status("scoring the predictions"):
        results = evaluate_run(directory, config, overrides)
    print_results(results, f"Test scores of {directory.path}")
    print_path(directory.report)
