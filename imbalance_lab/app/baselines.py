"""The key ``baselines``: class prior, logistic regression and gradient boosting beside the net, for tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from imbalance_lab.app.build import instantiate_part
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.text import split_override

if TYPE_CHECKING:
    from imbalance_lab.data import Splits
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.stored_baselines import StoredBaselines
    from imbalance_lab.posthoc import PostProcessor


def check_baselines(config: DictConfig, splits: "Splits", overrides: Sequence[str]) -> None:
    """Raise an error if the command line asks for baselines of data that have none; by default they are left out.

    Raises:
        UsageError: saying which data have them.
    """
    from imbalance_lab.training.baselines import has_baselines

    is_asked_for = "baselines" in {split_override(each)[0].lstrip("+") for each in overrides}
    if config.get("baselines") and is_asked_for and not has_baselines(splits):
        raise UsageError("baselines=true needs the rows of a table, as of data=table: leave it out")


def write_baselines(
    directory: RunDirectory, config: DictConfig, splits: "Splits", val: "Predictions | None", test: "Predictions"
) -> list[dict[str, str]]:
    """Train the baselines of a table and store their predictions; return what the run's metadata say of them.

    Nothing for other data, without a validation split, with ``baselines=false``, and for a job that only tests a model.

    Args:
        directory: of the run.
        config: its configuration.
        splits: its data.
        val, test: its own predictions: the baselines' are of the same examples.
    """
    from imbalance_lab.evaluation.predictions import positions_of
    from imbalance_lab.evaluation.stored_baselines import baseline_predictions
    from imbalance_lab.training.baselines import fit_baselines, has_baselines

    if splits.val is None or val is None or not (config.fit and config.get("baselines") and has_baselines(splits)):
        return []
    found = fit_baselines(splits)
    for each in found.fitted:
        for split, own, source in (("val", val, splits.val), ("test", test, splits.test)):
            at = positions_of(own.index, source.index.numpy())
            stored = baseline_predictions(own, each.logits[split][at], splits.is_multilabel)
            stored.write(directory.baseline_predictions(each.key, "val" if split == "val" else "test"))
    left_out = [{"key": key, "left_out": reason} for key, reason in found.left_out.items()]
    return [{"key": each.key, "about": each.about} for each in found.fitted] + left_out


def fit_baseline_postprocessing(
    config: DictConfig, found: "StoredBaselines", train_counts: Sequence[int]
) -> "list[PostProcessor]":
    """The configured calibration and prior correction for each baseline, on its own validation predictions.

    A baseline for which they cannot be fitted stays as it is.
    """
    return [_fit(config, each.val, train_counts) for each in found.stored]


def _fit(config: DictConfig, val: "Predictions", train_counts: Sequence[int]) -> "PostProcessor":
    from imbalance_lab.posthoc import NoCalibration, NoPriorCorrection, fit_postprocessor

    total = sum(train_counts)
    prior = None if val.task.is_multilabel else tuple(count / total for count in train_counts)
    keys = {"rule": "operating_point", "calibration": "calibration", "prior_correction": "prior_correction"}
    options = {name: instantiate_part(config, key) for name, key in keys.items()}
    fitted_on: dict[str, Any] = {
        "logits": val.logits,
        "target": val.target,
        "classes": val.task.classes,
        "train_prior": prior,
        "activation": val.task.activation,
    }
    try:
        return fit_postprocessor(**fitted_on, **options)
    except (ValueError, TypeError):
        options |= {"calibration": NoCalibration(), "prior_correction": NoPriorCorrection()}
        return fit_postprocessor(**fitted_on | {"train_prior": None}, **options)
