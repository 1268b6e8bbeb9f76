"""The files that an evaluation writes: scores, operating point, curves, tables, figures and the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbalance_lab.checkpoint_file import write_checkpoint
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write, write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.report_data import ReportData
    from imbalance_lab.posthoc import PostProcessor, Threshold


def write_evaluation(
    directory: RunDirectory,
    data: "ReportData",
    postprocessor: "PostProcessor",
    checkpoint: tuple[Path, dict[str, Any]] | None,
    *,
    has_images: bool,
) -> None:
    """Write all results, each file whole or not at all.

    Args:
        directory: of the run.
        data: all data of the report.
        postprocessor: which the data are of.
        checkpoint: the path and content of the checkpoint that gets the operating point, if there is one.
        has_images: whether the plots of the report are written as figures too.
    """
    from imbalance_lab.report.curves import draw_pr, draw_roc
    from imbalance_lab.report.curves_csv import write_curves
    from imbalance_lab.report.figures import curves_of, write_figures
    from imbalance_lab.report.page import write_page
    from imbalance_lab.report.tables import write_tables

    val, test = data.val, data.test
    fitted_on = {"fitted_on": None, "n": 0} if val is None else {"fitted_on": "val", "n": len(val.predictions.target)}
    point = {**fitted_on, **postprocessor.as_json()}
    write_json(directory.operating_point, point)
    if val is not None:
        val.predictions.write(directory.predictions("val"), postprocessor)
    test.predictions.write(directory.predictions("test"), postprocessor)
    scores = scores_as_json(data, postprocessor)
    directory.write_scores(scores)
    if checkpoint is not None:
        path, content = checkpoint
        write_checkpoint(path, content | {"operating_point": point})
    for path, draw in ((directory.roc, draw_roc), (directory.pr, draw_pr)):
        with atomic_write(path) as unfinished:
            draw(curves_of(data)).savefig(unfinished, format="png")
    write_curves(directory.curves, data.classes, test.rankings)
    write_page(directory.report, data)
    write_tables(directory.tables, scores, data)
    if has_images:
        write_figures(directory.images, data)


def scores_as_json(data: "ReportData", postprocessor: "PostProcessor") -> dict[str, Any]:
    """The content of `metrics.json`; what a run does not have is left out."""
    task = data.test.predictions.task
    optional = {
        "test_prediction_sets": data.prediction_sets,
        "test_slices": data.slices,
        "test_probabilities": data.probability_scores,
        "test_benefit": data.benefit,
        "baselines": data.baselines,
        "stages": data.stages,
    }
    return {
        "checkpoint": data.run.metadata["checkpoint"],
        "selected_on": None if data.val is None else "val",
        "decisions": data.operating_point.as_json(),
        "shot_limits": data.test.limits._asdict(),
        "positive": None if task.positive is None else task.classes[task.positive],
        "val": None if data.val is None else data.val.as_json(),
        "test": data.test.as_json(),
        "test_adjusted": None if data.test_adjusted is None else data.test_adjusted.as_json(),
        "val_at_thresholds": _counts_as_json(postprocessor.thresholds),
        "test_at_thresholds": _counts_as_json(data.thresholds_on_test),
        **{name: each.as_json() for name, each in optional.items() if each is not None},
    }


def _counts_as_json(thresholds: "Sequence[Threshold | str]") -> list[Any]:
    return [each if isinstance(each, str) else each.as_json() for each in thresholds]
