"""The option ``report.slices``: columns of the data by whose values the scores are compared."""

from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory

if TYPE_CHECKING:
    from imbalance_lab.data import Splits
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.evaluation.slices import SliceReport
    from imbalance_lab.posthoc import PostProcessor


def slice_columns(config: DictConfig) -> list[str]:
    """The columns that ``report.slices`` names; none in the configuration of an earlier release.

    Raises:
        UsageError: unless it is a list of different names.
    """
    node: Any = OmegaConf.select(config, "report.slices", default=None)
    given = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    if given is None:
        return []
    names = given if isinstance(given, list) else [None]
    if not all(isinstance(name, str | int) and not isinstance(name, bool) for name in names):
        raise UsageError(f"report.slices must be a list of columns, got {given!r}: write report.slices=[hospital]")
    columns = [str(name) for name in names]  # Hydra reads a column called 2020 as a number
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise UsageError(f"report.slices names {twice[0]!r} twice: name each column once")
    return columns


def check_slices(config: DictConfig, splits: "Splits") -> None:
    """Raise an error if slices are asked for of data without columns.

    Raises:
        UsageError: naming the kinds of data that have them.
    """
    columns = slice_columns(config)
    if columns and getattr(splits.test, "slices", None) is None:
        raise UsageError(
            f"report.slices=[{', '.join(columns)}] needs columns of a table, which these data do not have: choose "
            "data=table or data=image_table, or leave it out"
        )


def evaluate_slices(
    directory: RunDirectory, config: DictConfig, test: "Evaluation", postprocessor: "PostProcessor"
) -> "SliceReport | None":
    """The scores by the columns of ``report.slices``, from their stored values; None without such columns."""
    from imbalance_lab.evaluation.score_slices import score_slices
    from imbalance_lab.evaluation.stored_slices import read_slices

    if not (columns := slice_columns(config)):
        return None
    return score_slices(test, read_slices(directory.slices, columns, test.predictions.index), postprocessor)
