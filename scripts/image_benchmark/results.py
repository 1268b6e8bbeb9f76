"""What is measured: the scores of one method with one seed."""

from dataclasses import dataclass

import numpy as np

from image_benchmark.stored_run import StoredRun
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.scores import AT_RECALL, MAX_FPR, defined
from imbalance_lab.metrics import macro, precision_at_recall

Scores = dict[str, float | None]
"""By name; None where undefined."""


@dataclass(frozen=True)
class ImageResult:
    """One method with one seed.

    Attributes:
        set: the name of the set.
        method: its name.
        variant: what differs from the paper's defaults, as overrides; empty for these.
        seed: of the subset and of the training.
        test, val: scores, see `score`.
        cpu_seconds: of processor time, for the whole run; with imports in the first run of a process.
        epochs: that were trained.
        overrides: the words of the command line.
        commit: of the code.
        machine: that ran it.
    """

    set: str
    method: str
    variant: str
    seed: int
    test: Scores
    val: Scores
    cpu_seconds: float
    epochs: int
    overrides: list[str]
    commit: str
    machine: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What is measured once."""
        return self.set, self.method, self.variant, self.seed


def score(run: StoredRun, overrides: list[str]) -> tuple[Scores, Scores]:
    """The scores on validation and on test, after the post-processing that the overrides choose."""
    postprocessor = fit_postprocessing(compose_config(overrides), run.val, run.train_prior, head=run.head)
    val, test = (Evaluation(adjusted(each, postprocessor), run.train_counts) for each in (run.val, run.test))
    return _scores(val), _scores(test)


def _scores(found: Evaluation) -> Scores:
    """Scores of all classes against the rest; of two classes those of the positive one."""
    made, task = found.decisions, found.predictions.task
    rankings = [found.rankings[c] for c in task.reported_classes]
    values = {
        "accuracy": float(made.correct.mean()),
        "balanced_accuracy": made.balanced_accuracy,
        "worst_class_recall": float(np.nanmin(made.recall)),
        "auroc": macro([each.auroc for each in rankings]),
        "ap": macro([each.average_precision for each in rankings]),
        "partial_auroc": macro([each.partial_auroc(MAX_FPR) for each in rankings]),
        "precision_at_recall": macro([precision_at_recall(each, AT_RECALL) for each in rankings]),
        "ece": found.probability_scores["calibration_error"],
        "log_loss": found.probability_scores["log_loss"],
        "brier": found.probability_scores["brier_score"],
    }
    values |= {f"recall_{group}": value for group, value in found.shot_group_recall().items()}
    return {name: defined(value) for name, value in values.items()}
