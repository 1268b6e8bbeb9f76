"""The title and the sentences of a comparison, of settings with given scores."""

import pytest

from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_comparison import SettingComparison
from imbalance_lab.evaluation.settings import Setting
from imbalance_lab.metrics import Comparison, holm
from imbalance_lab.report.comparison_verdict import comparison_verdict


def compared(*p: float, score: str = "auroc", difference: float = -0.02) -> ComparisonData:
    """The best setting, a, and one other for each p."""
    names = "abcdefgh"[: len(p) + 1]
    interval = (difference - 0.01, difference + 0.01)
    settings = tuple(Setting(n, (("loss", n),), (), 3, Score(0.9), Score(0.9, (0.8, 0.95)), {}) for n in names)
    comparisons = [Comparison(difference, interval, each, 0) for each in p]
    pairs = tuple(
        SettingComparison(name, "a", Compared(each, adjusted), 3, "seeds")
        for name, each, adjusted in zip(names[1:], comparisons, holm(list(p)), strict=True)
    )
    return ComparisonData(
        runs=(), score=score, varied=("seed",), groups=(), histories={}, settings=settings,
        setting_comparisons=pairs, n_settings=len(settings), best_corrected=settings[0].test,
    )  # fmt: skip


def test_one_other_setting() -> None:
    first, second = comparison_verdict(compared(0.002))
    assert first == "a: AUROC 0.900 [0.800, 0.950] on test over 3 seeds, the best of 2 settings on validation."
    assert second == "It is better than b by 0.020 [0.010, 0.030] over 3 seeds (p = 0.002)."


@pytest.mark.parametrize(
    ("p", "last"),
    [
        ((0.001, 0.001), "Both other settings are distinguishable from it."),
        ((0.001, 0.001, 0.001), "All 3 other settings are distinguishable from it."),
        ((0.001, 0.9, 0.8), "2 of the 3 other settings are not distinguishable from it."),
        ((0.001, 0.9), "1 of the 2 other settings is not distinguishable from it."),
        ((0.7, 0.9), "None of the 2 other settings is distinguishable from it."),
    ],
)
def test_several_are_counted(p: tuple[float, ...], last: str) -> None:
    assert comparison_verdict(compared(*p))[-1] == last


def test_of_a_score_of_errors_the_lower_is_better() -> None:
    assert comparison_verdict(compared(0.002, score="brier_score"))[1].startswith("b is better than it by 0.020")


def test_nothing_is_claimed_of_no_scores() -> None:
    nothing = ComparisonData(runs=(), score="auroc", varied=(), groups=(), histories={})
    assert comparison_verdict(nothing) == ["No run has an AUROC on validation."]
