"""The columns of the table of settings, which the terminal and the exported files have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.score_keys import heading, is_lower_better
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.settings import Setting
from imbalance_lab.task import Task

GROUPS = ("many", "medium", "few")
SECOND = ("auroc", "average_precision", "balanced_accuracy", "accuracy")


@dataclass(frozen=True)
class ScoreColumn:
    """One test score of every setting.

    Args:
        key: of the score.
        title: its heading.
        scores: one a row of `ComparisonData.rows`, None where undefined.
    """

    key: str
    title: str
    scores: tuple[Score | None, ...]

    @property
    def best(self) -> set[int]:
        """The places of the settings with the best score, as it is printed; none if there is nothing to compare."""
        values = {place: round(each.value, 3) for place, each in enumerate(self.scores) if each is not None}
        if len(values) < 2:
            return set()
        top = min(values.values()) if is_lower_better(self.key) else max(values.values())
        return {place for place, value in values.items() if value == top}


def score_columns(data: ComparisonData) -> list[ScoreColumn]:
    """The score of the ranking first; then a chosen operating point, groups of classes, and further scores."""
    groups = [f"{name}/{group}" for name in ("recall", "auroc") for group in GROUPS]
    keys = [data.score, *_operating_point_keys(data), *groups, *SECOND]
    known = {key for setting in data.settings for key in setting.scores}
    return [
        ScoreColumn(key, heading(key), tuple(_score(setting, key) for setting in data.rows))
        for key in dict.fromkeys(keys)
        if key in known or key == data.score
    ]


def differences(data: ComparisonData) -> list[Compared | None]:
    """How each row differs from the setting that all are compared with; None for that one, and where undefined."""
    by_name = {each.a: each.compared for each in (*data.setting_comparisons, *data.baseline_comparisons)}
    found = [by_name.get(setting.name) for setting in data.rows]
    return [None if each is None or each.comparison.interval is None else each for each in found]


def reference(data: ComparisonData) -> str | None:
    """The name of the setting that the others are compared with."""
    comparisons = (*data.setting_comparisons, *data.baseline_comparisons)
    return comparisons[0].b if comparisons else None


def name_of(setting: Setting, data: ComparisonData) -> str:
    """The name of a setting in a table, which says of a baseline that it is one."""
    return f"baseline: {setting.name}" if setting in data.baselines else setting.name or "all runs"


def _score(setting: Setting, key: str) -> Score | None:
    return setting.scores.get(key)


def _operating_point_keys(data: ComparisonData) -> Sequence[str]:
    """Recall and precision of the positive class at its threshold, for runs of a binary task that chose one."""
    task = next((run.test.task for run in data.runs if run.test is not None), None)
    chosen = any(key.partition(".")[0] == "operating_point" for run in data.runs for key in run.overrides)
    if task is None or not chosen or task.kind != "binary":
        return ()
    return [f"{name}_at_threshold/class/{_positive(task)}" for name in ("recall", "precision")]


def _positive(task: Task) -> str:
    return task.classes[task.reported_classes[0]]
