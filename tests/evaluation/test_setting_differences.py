"""Differences by score and class, against means computed here and against the comparison of single runs."""

from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.evaluation.comparison_data import ComparisonData, compute_comparison_data
from imbalance_lab.evaluation.setting_differences import setting_differences
from imbalance_lab.evaluation.sweep import rank_runs, read_run
from tests.helpers.sweeps import CLASSES, made_run


def compared(folder: Path, seeds: int) -> ComparisonData:
    """Three settings of so many seeds each."""
    for number, seed in np.ndindex(3, seeds):
        overrides = [f"loss.gamma={number}", f"seed={seed}"]
        made_run(folder / f"{number}-{seed}", overrides, skill=1 + number / 3, seed=seed + 10 * number)
    return compute_comparison_data(rank_runs([read_run(each) for each in folder.iterdir()]))


def test_replicates_are_averaged_in_pairs(tmp_path: Path) -> None:
    data = compared(tmp_path, seeds=3)
    settings = {each.name: each for each in data.settings}
    for each in setting_differences(data, ["auroc", "accuracy", "recall/few"]):
        assert set(each.scores) == {"auroc", "accuracy", "recall/few"}
        for key, found in each.scores.items():
            means = [settings[name].scores[key].value for name in (each.a, each.b)]
            assert found.comparison.difference == pytest.approx(means[0] - means[1])
        assert set(each.classes) == set(CLASSES)
        assert all(found.adjusted_p >= found.comparison.p for found in each.classes.values())


def test_single_runs_are_compared_on_their_examples(tmp_path: Path) -> None:
    data = compared(tmp_path, seeds=1)
    by_run = {each.a: each for each in data.comparisons}
    names = {each.name: f"run {each.runs[0].name}" for each in data.settings}
    for each in setting_differences(data, ["auroc", "accuracy"]):
        assert each.scores["accuracy"] == by_run[names[each.a]].scores["accuracy"]
        assert each.classes == by_run[names[each.a]].classes


def test_nothing_is_compared_with_itself() -> None:
    nothing = ComparisonData(runs=(), score="auroc", varied=(), groups=(), histories={})
    assert setting_differences(nothing, ["auroc"]) == ()
