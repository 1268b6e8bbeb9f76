"""Settings compared on test: in pairs over their common replicates, or on the test examples of single runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from imbalance_lab.evaluation.comparison import Compared, compare
from imbalance_lab.evaluation.settings import Setting, replicate
from imbalance_lab.metrics import Comparison, holm, over_seeds
from imbalance_lab.metrics.distributions import student_p_value
from imbalance_lab.metrics.significance import undefined_comparison

Unit = Literal["seeds", "examples"]


@dataclass(frozen=True)
class SettingComparison:
    """Setting a against setting b: positive differences are for a.

    Args:
        a, b: names of the settings.
        compared: the mean difference of the test score with interval and p.
        n: common replicates.
        unit: what the interval is over: "seeds" (replicates), or "examples" of a single pair of runs.
    """

    a: str
    b: str
    compared: Compared
    n: int
    unit: Unit


def compare_settings(
    settings: Sequence[Setting], score: str = "auroc", baseline: str | None = None
) -> tuple[SettingComparison, ...]:
    """Every other setting against the one called ``baseline``, or against the first; corrected by Holm's method."""
    reference = next((each for each in settings if each.name == baseline), settings[0] if settings else None)
    others = [each for each in settings if each is not reference]
    if reference is None:
        return ()
    found = [(each.name, *_compare_pair(each, reference, score)) for each in others]
    adjusted = holm([comparison.p for _, comparison, _, _ in found])
    return tuple(
        SettingComparison(name, reference.name, Compared(comparison, p), n, unit)
        for (name, comparison, n, unit), p in zip(found, adjusted, strict=True)
    )


def _compare_pair(a: Setting, b: Setting, score: str) -> tuple[Comparison, int, Unit]:
    of_b = {replicate(run): run for run in b.runs}
    pairs = [(run, of_b[replicate(run)]) for run in a.runs if replicate(run) in of_b]
    scored = [(x.score("test", score), y.score("test", score)) for x, y in pairs]
    differences = [x.value - y.value for x, y in scored if x is not None and y is not None]
    if len(differences) > 1:
        mean, ends, n = over_seeds(differences)
        assert ends is not None
        error = (ends[1] - ends[0]) / 2
        from imbalance_lab.metrics.distributions import student_quantile

        p = student_p_value(mean / (error / student_quantile(0.95, n - 1)), n - 1) if error > 0 else 1.0
        return Comparison(mean, ends, p, 0), n, "seeds"
    for x, y in pairs[:1]:
        if x.test is not None and y.test is not None:
            scores = compare(x.test, y.test).scores
            if score in scores:
                return scores[score].comparison, 1, "examples"
    return undefined_comparison(0), len(differences), "examples"
