"""Checks the data before training: briefly before a fit, thoroughly with ``check=true``."""

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from imbalance_lab.data.image_decoder import UnreadableImageError
from imbalance_lab.data.summary import DataSummary, summarize
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import write_json
from imbalance_lab.report.data_summary import print_notes, print_summary
from imbalance_lab.report.terminal import print_path, print_sentence, relative_path

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
    if config.fit:
        _write_samples(directory, config, experiment)
    return summary


def _write_samples(directory: RunDirectory, config: DictConfig, experiment: "Experiment") -> None:
    """Let the user see the training images as the net does, before it is trained on a wrong crop; images only."""
    from imbalance_lab.evaluation.sample_images import write_samples  # here: an error in the data comes sooner

    try:
        samples = write_samples(directory.samples, experiment.splits, experiment.augment, config.seed)
    except UnreadableImageError as error:
        raise UsageError(f"data: {error}") from error
    if samples:
        from imbalance_lab.report.sample_figure import write_sample_figure

        write_sample_figure(directory.samples_figure, samples, experiment.splits.classes)
        print_sentence(f"note: {relative_path(directory.samples_figure)} shows training images as the net sees them")
