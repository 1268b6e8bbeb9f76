"""The settings of `comparison.html` as plain values: their texts, scores, and differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.score_keys import heading, is_lower_better
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_differences import SettingDifferences
from imbalance_lab.evaluation.setting_names import short_values
from imbalance_lab.evaluation.settings import REPLICATES, Setting
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.task import Task
from imbalance_lab.text import visible

GROUPS = ("recall/many", "recall/medium", "recall/few")
RUN_SCORES = ("auroc", "average_precision", "balanced_accuracy", "accuracy")
"""The scores of single runs, and of differences, beside the one that settings are ranked by."""


@dataclass(frozen=True)
class SweptKeys:
    """Keys of overrides with short texts for their values.

    Args:
        keys: as they were given.
        short: a short text for each key: its last part, where three or more vary and their last parts differ.
        values: by key, a short text for each value.
    """

    keys: tuple[str, ...]
    short: dict[str, str]
    values: dict[str, dict[str, str]]

    def texts(self, overrides: dict[str, str]) -> list[list[str]]:
        """The short and the whole text of the value of each key."""
        return [
            [visible(self.values[key][overrides[key]]) or "(empty)", visible(overrides[key])]
            if key in overrides
            else ["default", "default"]
            for key in self.keys
        ]

    def label(self, overrides: dict[str, str]) -> str:
        """``KEY=VALUE`` with the short texts, for a legend."""
        return visible(
            " ".join(f"{self.short[key]}={self.values[key][overrides[key]]}" for key in self.keys if key in overrides)
        )

    def as_json(self) -> list[dict[str, str]]:
        """The keys, short and whole."""
        return [{"short": visible(self.short[key]), "full": visible(key)} for key in self.keys]


def swept_keys(overrides: Sequence[dict[str, str]]) -> SweptKeys:
    """The keys of overrides of several settings or runs, in the order in which they were given."""
    keys = tuple(dict.fromkeys(key for each in overrides for key in each))
    last = [key.rpartition(".")[2] for key in keys]
    is_clear = len(keys) > 2 and len(set(last)) == len(keys)
    values = {key: short_values([each[key] for each in overrides if key in each]) for key in keys}
    return SweptKeys(keys, dict(zip(keys, last if is_clear else keys, strict=True)), values)


def setting_rows(data: ComparisonData) -> list[dict[str, Any]]:
    """The settings, best on validation first, with their difference to the reference."""
    keys = swept_keys([dict(each.overrides) for each in data.settings])
    return [_setting_row(each, data, keys) for each in data.settings]


def baseline_rows(data: ComparisonData) -> list[dict[str, Any]]:
    """The baselines, as the settings; their names stand in place of the swept values."""
    rows = [_setting_row(each, data, swept_keys([])) for each in data.baselines]
    return [{**row, "is_baseline": True, "runs": []} for row in rows]


def _setting_row(setting: Setting, data: ComparisonData, keys: SweptKeys) -> dict[str, Any]:
    comparisons = (*data.setting_comparisons, *data.baseline_comparisons)
    compared = next((each for each in comparisons if each.a == setting.name), None)
    given = dict(setting.overrides)
    return {
        "name": visible(setting.name),
        "label": keys.label(given) or visible(setting.name),
        "full": visible("\n".join(f"{key}={value}" for key, value in setting.overrides), keep="\n"),
        "values": keys.texts(given),
        "n": setting.n,
        "val": score_json(setting.val),
        "test": score_json(setting.test),
        "further": {each["key"]: score_json(setting.scores.get(each["key"])) for each in further_columns(data)},
        "runs": [_replicate(run, data.score) for run in setting.runs],
        "is_reference": bool(comparisons) and setting.name == comparisons[0].b,
        "difference": None
        if compared is None
        else {**compared.compared.as_json(), "n": compared.n, "unit": compared.unit},
    }


def further_columns(data: ComparisonData) -> list[dict[str, Any]]:
    """The scores beside the one that settings are ranked by: by shot group, or of a binary task at its threshold."""
    task = compared_task(data)
    titles = {key: key.removeprefix("recall/") for key in GROUPS}
    if task is not None and task.positive is not None:
        name = task.classes[task.positive]
        titles = {f"{each}_at_threshold/class/{name}": f"{each} at threshold" for each in ("recall", "precision")}
    present = [key for key in titles if any(key in each.scores for each in data.settings)]
    return [{"key": key, "title": titles[key], "lower_is_better": is_lower_better(key)} for key in present]


def compared_task(data: ComparisonData) -> Task | None:
    """The task of the runs; None if none has predictions, or if they have several."""
    tasks = {each.predictions.task for group in data.groups for each in group.evaluations.values()}
    return tasks.pop() if len(tasks) == 1 else None


def run_rows(data: ComparisonData, keys: SweptKeys) -> list[dict[str, Any]]:
    """The single runs, best on validation first."""
    rows = []
    for run in data.runs:
        val = run.score("val", data.score)
        rows.append(
            {
                "name": visible(run.name),
                "values": keys.texts(run.overrides),
                "val": None if val is None else val.value,
                "test": {key: score_json(run.score("test", key)) for key in run_scores(data.score)},
            }
        )
    return rows


def run_scores(score: str) -> tuple[str, ...]:
    """The keys of the scores shown beside each other: the ranking score first."""
    return (score, *(key for key in RUN_SCORES if key != score))


def score_columns(keys: Sequence[str]) -> list[dict[str, Any]]:
    """Columns of scores with their headings."""
    return [{"key": key, "title": visible(heading(key)), "lower_is_better": is_lower_better(key)} for key in keys]


def difference_rows(differences: Sequence[SettingDifferences], data: ComparisonData) -> list[dict[str, Any]]:
    """The differences to the reference by score and by class, the rarest class first."""
    classes = _rarest_classes(data)
    return [
        {
            "a": visible(each.a),
            "b": visible(each.b),
            "scores": {key: compared.as_json() for key, compared in each.scores.items()},
            "classes": [{"name": name, **each.classes[name].as_json()} for name in classes if name in each.classes],
        }
        for each in differences
        if any(compared.comparison.interval is not None for compared in each.scores.values())
    ]


def _rarest_classes(data: ComparisonData) -> list[str]:
    """The names of the classes that are reported, of each test set the rarest first."""
    names: dict[str, None] = {}
    for group in data.groups:
        for each in list(group.evaluations.values())[:1]:
            task = each.predictions.task
            names |= dict.fromkeys(task.classes[c] for c in group.rarest_ranked if c in task.reported_classes)
    return list(names)


def score_json(score: Score | None) -> dict[str, Any] | None:
    """A score as plain values; None where it is undefined."""
    content = None if score is None else score.as_json()
    return None if content is None or content["value"] is None else content


def _replicate(run: Run, score: str) -> dict[str, Any]:
    tested = run.score("test", score)
    label = " ".join(f"{key}={run.overrides[key]}" for key in REPLICATES if key in run.overrides)
    return {"label": visible(label or f"run {run.name}"), "value": None if tested is None else tested.value}
