"""Checks the data before training: briefly before a fit, thoroughly with ``check=true``."""

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from imbalance_lab.data.summary import DataSummary, summarize
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import write_json
from imbalance_lab.report.data_summary import print_notes, print_summary
from imbalance_lab.report.terminal import print_path

if TYPE_CHECKING:
    from imbalance_lab.app.instantiate import Experiment


def validate_data(directory: RunDirectory, config: DictConfig, experiment: "Experiment") -> DataSummary:
    """Summarize the data, write the summary into the run directory, and print it: in full with ``check=true``.

    Raises:
        UsageError: if the data have an error.
    """
    options = config.data_summary
    summary = summarize(
        experiment.splits,
        experiment.sampler,
        config.batch_size,
        thorough=config.check,
        auroc=options.auroc,
        width=options.width,
    )
    file = directory.data_summary
    write_json(file, summary.as_dict())
    if config.check or config.fit:
        print_summary(summary, file.name, full=config.check)
    else:  # a model is tested on data that may differ from those it was trained on
        print_notes(experiment.splits.notes, experiment.splits.guesses)
    if config.check:
        print_path(directory.path)
    if summary.errors:
        more = f" (and {len(summary.errors) - 1} more, in {file.name})" if len(summary.errors) > 1 else ""
        raise UsageError(f"data: {summary.errors[0]}{more}")
    return summary
