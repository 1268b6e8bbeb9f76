"""The baselines of runs as rows of their comparison: each once, where all runs have the same.

Runs on the same splits have the same baselines, whatever their seed: then each is one more row, beside the settings but
not among those that were tried, and compared with the same setting as they are. Runs whose splits differ have different
baselines; those are in the report of each run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_comparison import SettingComparison, compare_settings
from imbalance_lab.evaluation.settings import REPLICATES, Setting, replicate
from imbalance_lab.evaluation.stored_baselines import ListedBaseline
from imbalance_lab.evaluation.sweep import Run

UNDEFINED = Score(float("nan"))


def find_baselines(runs: Sequence[Run], score: str) -> tuple[tuple[Setting, ...], bool]:
    """The baselines that all ``runs`` which have any share, and whether there are others.

    Args:
        runs: without damage.
        score: what settings are ranked by.

    Raises:
        UsageError: if the predictions of a baseline are damaged.
    """
    with_baselines = [run for run in runs if run.baselines and run.test is not None]
    if not with_baselines:
        return (), False
    first = with_baselines[0]
    if any(_identity(run) != _identity(first) for run in with_baselines):
        return (), True
    return tuple(_setting(each, first, runs, score) for each in first.baselines), False


def compare_baselines(
    baselines: Sequence[Setting], reference: Setting | None, score: str
) -> tuple[SettingComparison, ...]:
    """Each baseline against the setting that all others are compared with, corrected by Holm's method over them."""
    return () if reference is None else compare_settings([reference, *baselines], score)


def _identity(run: Run) -> tuple[Any, ...]:
    """Equal for runs with the same baselines, to the last digit, and the same training counts."""
    return [(each.key, each.digests) for each in run.baselines], _counts(run)


def _setting(listed: ListedBaseline, of_run: Run, runs: Sequence[Run], score: str) -> Setting:
    """A baseline as a setting whose replicates are one model: a seed changes nothing of it."""
    assert of_run.test is not None
    baseline = listed.read(of_run.directory, of_run.test)
    splits = {"val": baseline.val, "test": baseline.test}
    scores = {split: _scores(each, _counts(of_run)) for split, each in splits.items()}
    replicates = dict.fromkeys(replicate(run) for run in runs)
    models = [
        Run(
            of_run.directory,
            baseline.name,
            {key: value for key, value in zip(REPLICATES, values, strict=True) if value is not None},
            scores,
            "baseline",
            test=baseline.test,
        )
        for values in replicates
    ]
    one = models[0]
    return Setting(
        name=baseline.name,
        overrides=(),
        runs=tuple(models),
        n=1,
        val=one.score("val", score) or UNDEFINED,
        test=one.score("test", score) or UNDEFINED,
        scores=one.scores_of("test"),
    )


def _scores(predictions: Predictions, train_counts: Sequence[int]) -> dict[str, Any]:
    """As in `metrics.json`; what ranks all examples alike has no interval, as its AUROC is no estimate."""
    scores = Evaluation(predictions, train_counts).as_json()
    if (predictions.logits == predictions.logits[:1]).all():
        for each in (scores, *scores["classes"]):
            for name in ("auroc", "average_precision"):
                each[name] = {**each[name], "ci95": None}
    return scores


def _counts(run: Run) -> list[int]:
    content: Mapping[str, Any] = run.scores or {}
    return [each["train_count"] for each in content["test"]["classes"]]
