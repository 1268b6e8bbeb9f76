"""A training in two stages: what stage 2 changed, on validation and test, with paired tests on the test examples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imbalance_lab.class_counts import ShotGroup
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.baselines import RANKED
from imbalance_lab.evaluation.comparison import Compared, compare, correct
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RESTORE, RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.evaluation.shot_groups import score_shot_groups
from imbalance_lab.metrics.compare_rankings import pair_rankings
from imbalance_lab.posthoc import log_odds


@dataclass(frozen=True)
class StageScores:
    """The scores of the model of one stage, before post-processing: the decision is the most probable class.

    Args:
        epoch: whose model it is, counted from 1 over both stages; None if unknown.
        val, test: "balanced_accuracy", "accuracy", "auroc" and "average_precision"; the last two are macro, or of a
            binary task of the positive class.
        recall: mean over the classes of each group, on test.
    """

    epoch: int | None
    val: Mapping[str, Score]
    test: Mapping[str, Score]
    recall: Mapping[ShotGroup, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        splits = {"val": self.val, "test": self.test}
        return {
            "epoch": self.epoch,
            **{name: {key: score.as_json() for key, score in scores.items()} for name, scores in splits.items()},
            "recall_by_shot_group": {group: defined(value) for group, value in self.recall.items()},
        }


@dataclass(frozen=True)
class StageReport:
    """Both stages of a run.

    Args:
        stage_1, stage_2: their scores.
        differences: by the names of the scores, stage 2 minus stage 1 on the same test examples.
        of_class: the positive class of a binary task, which AUROC and AP are of; None where they are macro.
    """

    stage_1: StageScores
    stage_2: StageScores
    differences: Mapping[str, Compared]
    of_class: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The content of ``stages`` in `metrics.json`."""
        return {
            "stage_1": self.stage_1.as_json(),
            "stage_2": self.stage_2.as_json(),
            "differences": {name: compared.as_json() for name, compared in self.differences.items()},
        }


def read_stage_1(
    run: RunDirectory, metadata: Mapping[str, Any], val: Predictions | None, test: Predictions
) -> tuple[Predictions | None, Predictions] | None:
    """The stored predictions of stage 1's best model for validation and test; None for a run of one stage.

    Args:
        run: its directory.
        metadata: its content.
        val, test: the run's own predictions, which are those of stage 2; ``val`` is None without such a split.

    Raises:
        UsageError: naming a file that is missing, damaged, or of other examples.
    """
    if not metadata.get("stage_1"):
        return None
    return None if val is None else _read(run, "val", val), _read(run, "test", test)


def _read(run: RunDirectory, split: Split, own: Predictions) -> Predictions:
    """The predictions of stage 1 for a split, which are of the same examples as the run's ``own``."""
    stored = run.read_predictions(split, "stage_1")
    if stored.task != own.task or not np.array_equal(stored.index, own.index):
        path = run.predictions(split, "stage_1")
        raise UsageError(f"{path} is of another run, it has other examples or classes: {RESTORE}")
    return stored


def compare_stages(
    val: Evaluation | None,
    test: Evaluation,
    stage_1: tuple[Predictions | None, Predictions],
    metadata: Mapping[str, Any],
) -> StageReport:
    """Score both stages, and compare them in pairs.

    Args:
        val, test: of the run's own model, that of stage 2; ``val`` is None without a validation split.
        stage_1: the predictions of stage 1's model for validation and test.
        metadata: of the run, with the epochs of both models.
    """
    val_1, test_1 = (None if each is None else replace(test, predictions=each) for each in stage_1)
    assert test_1 is not None
    positive = test.predictions.task.positive
    return StageReport(
        stage_1=_score(metadata["stage_1"].get("epoch"), val_1, test_1),
        stage_2=_score(metadata.get("epoch"), val, test),
        differences=_differences(test.predictions, test_1.predictions),
        of_class=None if positive is None else test.predictions.classes[positive],
    )


def _score(epoch: int | None, val: Evaluation | None, test: Evaluation) -> StageScores:
    recall = {each.group: each.recall for each in score_shot_groups(test)}
    return StageScores(epoch, _scores(val), _scores(test), recall)


def _scores(evaluation: Evaluation | None) -> dict[str, Score]:
    if evaluation is None:
        return dict.fromkeys(("balanced_accuracy", "accuracy", "auroc", "average_precision"), Score(math.nan))
    positive = evaluation.predictions.task.positive
    macro = {"auroc": evaluation.macro_auroc, "average_precision": evaluation.macro_average_precision}
    if positive is not None:
        of_class = evaluation.classes[positive]
        macro = {"auroc": of_class.auroc, "average_precision": of_class.average_precision}
    return {"balanced_accuracy": evaluation.balanced_accuracy, "accuracy": evaluation.accuracy, **macro}


def _differences(stage_2: Predictions, stage_1: Predictions) -> dict[str, Compared]:
    """Each score is tested on its own."""
    found = dict(compare(stage_2, stage_1).scores)
    positive = stage_2.task.positive
    if positive is not None:
        after, before = (log_odds(each.logits, each.task.activation) for each in (stage_2, stage_1))
        for name in RANKED:
            found[name] = correct([pair_rankings(after, before, stage_2.target, name).classes[positive]])[0]
    return found
