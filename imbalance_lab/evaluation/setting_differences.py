"""Differences between settings by every score and by class, each family of tests corrected by Holm's method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.evaluation.comparison_data import ComparisonData, label
from imbalance_lab.evaluation.setting_comparison import compare_settings
from imbalance_lab.metrics import Comparison, holm

CLASS = "auroc/class/"
"""The beginning of the keys of the classes' AUROC."""


@dataclass(frozen=True)
class SettingDifferences:
    """Setting a against setting b on test: positive differences are for a.

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
    """The pairs of `ComparisonData.setting_comparisons`, compared by the scores called ``keys`` and by class.

    Settings with common replicates are compared over these; single runs on their test examples, by the scores that
    `imbalance_lab.evaluation.comparison.RunComparison` has.
    """
    classes = dict.fromkeys(key for each in data.settings for key in each.scores if key.startswith(CLASS))
    scores = {key: _corrected({key: _comparisons(data, key)}) for key in keys}
    of_classes = _corrected({key: _comparisons(data, key) for key in classes})
    return tuple(
        SettingDifferences(
            pair.a,
            pair.b,
            {key: found[key, pair.a] for key, found in scores.items() if (key, pair.a) in found},
            {key.removeprefix(CLASS): of_classes[key, pair.a] for key in classes if (key, pair.a) in of_classes},
        )
        for pair in data.setting_comparisons
    )


def _comparisons(data: ComparisonData, key: str) -> dict[str, Comparison]:
    """Of each pair that has this score on both sides, by the name of its first setting."""
    if not data.setting_comparisons:
        return {}
    reference = data.setting_comparisons[0].b
    repeated = {reference, *(each.a for each in data.setting_comparisons if each.unit == "seeds")}
    settings = [each for each in data.settings if each.name in repeated]
    over_replicates = {each.a: each for each in compare_settings(settings, key, reference)}
    run_names = {each.name: label(each.runs[0].name) for each in data.settings}
    of_runs = {(each.a, each.b): {**each.scores, **_by_key(each.classes)} for each in data.comparisons}
    found = {}
    for pair in data.setting_comparisons:
        if pair.unit == "seeds" and over_replicates[pair.a].unit == "seeds":
            found[pair.a] = over_replicates[pair.a].compared.comparison
        elif key in (of_pair := of_runs.get((run_names[pair.a], run_names[pair.b]), {})):
            found[pair.a] = of_pair[key].comparison
    return found


def _by_key(classes: Mapping[str, Compared]) -> dict[str, Compared]:
    return {f"{CLASS}{name}": compared for name, compared in classes.items()}


def _corrected(family: Mapping[str, Mapping[str, Comparison]]) -> dict[tuple[str, str], Compared]:
    """All comparisons of a family, by key and the name of the first setting."""
    flat = {(key, a): each for key, found in family.items() for a, each in found.items()}
    adjusted = holm([each.p for each in flat.values()])
    return {place: Compared(each, p) for (place, each), p in zip(flat.items(), adjusted, strict=True)}
