"""What is measured: the scores of one method with one seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from image_benchmark.stored_run import StoredRun
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.scores import AT_RECALL, MAX_FPR, defined
from imbalance_lab.metrics import Ranking, macro, precision_at_recall

HARDEST = 0.5
"""The share of positives, and that of negatives, which are the hardest to rank: those of the two-way partial AUROC."""

BUDGET = 0.05
"""The share of all examples that may be flagged where recall is measured."""

Rates = NDArray[np.floating]
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
    priors = np.array(run.train_counts) / sum(run.train_counts)
    return _scores(val, priors), _scores(test, priors)


def two_way_partial_auroc(ranking: Ranking, hardest: float) -> float:
    """AUROC among the share ``hardest`` of positives that scores lowest and that of negatives that scores highest."""
    tpr, fpr = _rates(ranking)
    lowest, end = 1 - hardest, hardest  # the area above the one rate and left of the other
    first, stop = int(np.searchsorted(tpr, lowest, "right")), int(np.searchsorted(fpr, end, "right"))
    begin = np.interp(lowest, tpr[first - 1 : first + 1], fpr[first - 1 : first + 1])
    if begin >= end:
        return 0.0
    last = np.interp(end, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    heights = np.array([lowest, *tpr[first:stop], last]) - lowest
    return float(np.trapezoid(heights, [begin, *fpr[first:stop], end])) / hardest**2


def recall_at_budget(ranking: Ranking, budget: float, prior: float) -> float:
    """The share of positives that is flagged where a share of all examples is, of which ``prior`` are positive."""
    tpr, fpr = _rates(ranking)
    return float(np.interp(budget, prior * tpr + (1 - prior) * fpr, tpr))


def _rates(ranking: Ranking) -> tuple[Rates, Rates]:
    """True and false positive rates at the vertices of the ROC curve."""
    curve = ranking.curve()
    return curve.tp / ranking.n_positive, curve.fp / ranking.n_negative


def _scores(found: Evaluation, priors: Rates) -> Scores:
    """Scores of all classes against the rest; of two classes those of the positive one."""
    made, task = found.decisions, found.predictions.task
    rankings = [found.rankings[c] for c in task.reported_classes]
    at_budget = [recall_at_budget(found.rankings[c], BUDGET, float(priors[c])) for c in task.reported_classes]
    values = {
        "accuracy": float(made.correct.mean()),
        "balanced_accuracy": made.balanced_accuracy,
        "worst_class_recall": float(np.nanmin(made.recall)),
        "auroc": macro([each.auroc for each in rankings]),
        "ap": macro([each.average_precision for each in rankings]),
        "partial_auroc": macro([each.partial_auroc(MAX_FPR) for each in rankings]),
        "two_way_partial_auroc": macro([two_way_partial_auroc(each, HARDEST) for each in rankings]),
        "recall_at_budget": macro(at_budget),
        "precision_at_recall": macro([precision_at_recall(each, AT_RECALL) for each in rankings]),
        "ece": found.probability_scores["calibration_error"],
        "log_loss": found.probability_scores["log_loss"],
        "brier": found.probability_scores["brier_score"],
    }
    values |= {f"recall_{group}": value for group, value in found.shot_group_recall().items()}
    return {name: defined(value) for name, value in values.items()}
