"""Differences between settings by every score and by class, each family of tests corrected by Holm's method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbalance_lab.evaluation.comparison import Compared, RunComparison, correct
from imbalance_lab.evaluation.comparison_data import ComparisonData, label
from imbalance_lab.evaluation.setting_comparison import compare_pair, compare_settings
from imbalance_lab.evaluation.settings import Setting

CLASS = "auroc/class/"
"""The beginning of the keys of the classes' AUROC."""


@dataclass(frozen=True)
class SettingDifferences:
    """Setting a against setting b on test: positive differences say that the score of a is higher.

    Args:
        a, b: names of the settings.
        scores: by key; the family of each score is all pairs.
        classes: differences of AUROC by class name; their family is all classes of all pairs.
    """

    a: str
    b: str
    scores: Mapping[str, Compared]
    classes: Mapping[str, Compared]


def setting_differences(data: ComparisonData, keys: Sequence[str]) -> tuple[SettingDifferences, ...]:
    """The pairs of `ComparisonData.setting_comparisons`, compared by the scores called ``keys`` and by class."""
    if not data.setting_comparisons:
        return ()
    reference = data.setting_comparisons[0].b
    of_runs = _run_comparisons(data)
    scores = {key: {} if _is_known(of_runs, key) else _compared(data, key, reference) for key in keys}
    classes = _class_differences(data, reference)
    found = []
    for pair in data.setting_comparisons:
        runs = of_runs.get(pair.a)
        known = {} if runs is None else dict(runs.scores)
        by_key = {key: scores[key].get(pair.a) or known.get(key) for key in keys}
        found.append(
            SettingDifferences(
                pair.a,
                pair.b,
                {key: each for key, each in by_key.items() if each is not None},
                classes.get(pair.a, {}) if runs is None else runs.classes,
            )
        )
    return tuple(found)


def _compared(data: ComparisonData, key: str, reference: str) -> dict[str, Compared]:
    """Each setting against the reference, by its name."""
    pairs = data.setting_comparisons if key == data.score else compare_settings(data.settings, key, reference)
    return {each.a: each.compared for each in pairs}


def _run_comparisons(data: ComparisonData) -> dict[str, RunComparison]:
    """Each setting against the reference where all settings are single runs, which are compared already."""
    if any(len(each.runs) != 1 for each in data.settings):
        return {}
    by_run = {label(each.runs[0].name): each.name for each in data.settings}
    reference = data.setting_comparisons[0].b
    return {by_run[each.a]: each for each in data.comparisons if by_run.get(each.b) == reference}


def _is_known(of_runs: Mapping[str, RunComparison], key: str) -> bool:
    return bool(of_runs) and all(key in each.scores for each in of_runs.values())


def _class_differences(data: ComparisonData, reference: str) -> dict[str, dict[str, Compared]]:
    """The differences of the AUROC of each class over common replicates, by setting and class name."""
    by_name: dict[str, Setting] = {each.name: each for each in data.settings}
    keys = dict.fromkeys(key for each in data.settings for key in each.scores if key.startswith(CLASS))
    repeated = [each.a for each in data.setting_comparisons if each.unit != "examples"]
    places = [(name, key) for name in repeated for key in keys]
    pairs = [compare_pair(by_name[name], by_name[reference], key)[0] for name, key in places]
    differences: dict[str, dict[str, Compared]] = {}
    for (name, key), compared in zip(places, correct(pairs), strict=True):
        differences.setdefault(name, {})[key.removeprefix(CLASS)] = compared
    return differences
