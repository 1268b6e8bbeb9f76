"""The scores of probabilities of runs of an earlier release, computed again from their predictions.

Their `metrics.json` has no log loss, and the Brier score of a binary task is summed over both classes there: twice
today's, which is that of the positive class. Only runs that store both in one form can be compared.
"""

from typing import Any

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_files import Split

SPLITS: tuple[Split, Split] = ("val", "test")


def with_todays_losses(scores: dict[str, Any], run: RunDirectory, test: Predictions | None) -> dict[str, Any]:
    """The content of `metrics.json` with today's log loss and Brier score; without them where there are no predictions.

    Args:
        scores: the content.
        run: the directory.
        test: its test predictions; None if there are none.

    Raises:
        UsageError: if the predictions of validation are damaged.
    """
    if "log_loss" in scores["test"] or "brier_score" not in scores["test"]:
        return scores
    found = dict(scores)
    for split in SPLITS:
        if scores[split] is None:
            continue
        kept = {name: value for name, value in scores[split].items() if name != "brier_score"}
        found[split] = kept | _losses(test if split == "test" else _read(run, split))
    return found


def _read(run: RunDirectory, split: Split) -> Predictions | None:
    return run.read_predictions(split) if run.predictions(split).exists() else None


def _losses(predictions: Predictions | None) -> dict[str, float]:
    if predictions is None:
        return {}
    evaluation = Evaluation(predictions, [0] * len(predictions.classes))  # the counts do not matter to these scores
    return {name: float(losses.mean()) for name, losses in evaluation.losses.items()}
