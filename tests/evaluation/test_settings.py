import json

import numpy as np
import pytest
from scipy import stats

from imbalance_lab.evaluation.comparison import correct
from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.score_keys import nearest, stored_scores
from imbalance_lab.evaluation.setting_names import short_values
from imbalance_lab.evaluation.sweep import rank_runs, read_run
from imbalance_lab.metrics import Comparison, holm
from imbalance_lab.metrics.replicates import replicate_mean
from tests.helpers.sweeps import CLASSES, made_run


def runs_of(folder, settings, score="auroc", **options):
    """Runs of (overrides, skill, seed of the logits)."""
    for number, (overrides, skill, seed) in enumerate(settings):
        made_run(folder / str(number), overrides, skill=skill, seed=seed, **options)
    return rank_runs([read_run(each) for each in folder.iterdir()], score)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    settings = [([f"loss.gamma={g}", f"seed={s}"], 0.8 + 0.3 * g, 10 * g + s) for g in range(3) for s in range(4)]
    return runs_of(tmp_path_factory.mktemp("sweep"), settings)


def values(data, name, key="auroc", split="test"):
    (setting,) = (each for each in data.settings if each.name == name)
    return {run.overrides["seed"]: run.score(split, key).value for run in setting.runs}


@pytest.mark.parametrize("score", ["auroc", "macro_f1", "recall/few", "auroc/class/$x$"])
def test_settings_are_compared_as_scipy_compares_pairs(sweep, score):
    data = compute_comparison_data(rank_runs(sweep, score), score)
    best = data.settings[0].name
    for each in data.setting_comparisons:
        a, b = values(data, each.a, score), values(data, best, score)
        expected = stats.ttest_rel([a[s] for s in sorted(a)], [b[s] for s in sorted(a)])
        assert (each.b, each.n, each.unit) == (best, 4, "seeds")
        assert each.compared.comparison.p == pytest.approx(expected.pvalue)
        assert each.compared.comparison.interval == pytest.approx(
            tuple(expected.confidence_interval(each.compared.level))
        )


def test_the_best_mean_on_validation_comes_first_and_lower_is_better_for_errors(sweep):
    for score, ordered in (("auroc", lambda v: -v), ("brier_score", lambda v: v)):
        data = compute_comparison_data(rank_runs(sweep, score), score)
        means = [ordered(np.mean(list(values(data, each.name, score, "val").values()))) for each in data.settings]
        assert means == sorted(means)
        assert data.n_settings == 3


def test_adjusted_p_and_interval_never_contradict():
    rng = np.random.default_rng(0)
    for _ in range(200):
        family = [
            replicate_mean(rng.normal(rng.choice([0, 1.5]), 1, 4).tolist(), [[s] for s in range(4)]) for _ in range(6)
        ]
        found = correct([lambda level, m=m: Comparison(m.mean, m.interval(level), m.p, 0) for m in family])
        assert [each.adjusted_p for each in found] == holm([m.p for m in family])
        for each in found:
            low, high = each.comparison.interval
            assert (each.adjusted_p < 0.05) == (not low <= 0 <= high) == each.is_distinguishable
            assert each.level >= 0.95


def test_single_runs_are_compared_on_the_test_examples(tmp_path):
    runs = runs_of(tmp_path, [(["loss=focal"], 1.0, 0), (["loss=cross_entropy"], 2.0, 1)])
    for score in ("auroc", "average_precision", "accuracy", "balanced_accuracy", "recall/few", "auroc/class/$x$"):
        (found,) = compute_comparison_data(runs, score).setting_comparisons
        a, b = (next(r for r in runs if f"loss={r.overrides['loss']}" == name) for name in (found.a, found.b))
        difference = a.score("test", score).value - b.score("test", score).value
        assert found.unit == "examples"
        assert found.compared.comparison.difference == pytest.approx(difference), score
        assert found.compared.comparison.interval is not None
    (untested,) = compute_comparison_data(runs, "classwise_calibration_error").setting_comparisons
    assert untested.compared.comparison.interval is None


def test_replicates_on_other_test_examples_are_not_paired(tmp_path):
    for number, first in enumerate((0, 0, 9000, 9000)):
        made_run(
            tmp_path / str(number),
            [f"data.path={first}", f"seed={number % 2}"],
            skill=1,
            seed=number,
            first_index=first,
        )
    data = compute_comparison_data([read_run(each) for each in tmp_path.iterdir()])
    assert [each.compared.comparison.interval for each in data.setting_comparisons] == [None]


def test_a_repeated_run_is_no_replicate(tmp_path):
    data = compute_comparison_data(runs_of(tmp_path, [(["loss=focal", "seed=0"], 1.0, s) for s in range(3)]))
    assert [each.n for each in data.settings] == [1, 1, 1]
    assert {each.name for each in data.settings} == {"run 0", "run 1", "run 2"}


def test_what_changes_no_result_makes_no_setting(tmp_path):
    overrides = [["seed=0", "num_workers=2"], ["seed=1", "logger=csv"], ["seed=2"]]
    (setting,) = compute_comparison_data(runs_of(tmp_path, [(o, 1.0, s) for s, o in enumerate(overrides)])).settings
    assert (setting.name, setting.n) == ("", 3)


def test_the_interval_of_the_best_is_wider_below_the_more_settings_there_were(sweep):
    few, many = (
        compute_comparison_data([run for run in sweep if run.overrides["loss.gamma"] in kept])
        for kept in (("2",), ("0", "1", "2"))
    )
    (low, high), (lower, higher) = few.best_corrected.interval, many.best_corrected.interval
    assert (few.n_settings, many.n_settings) == (1, 3)
    assert lower < low <= few.settings[0].test.interval[0]
    assert higher == pytest.approx(high)


def test_every_score_of_the_file_has_a_key(sweep):
    content = json.loads((sweep[0].directory.path / "metrics.json").read_text())
    content["val_at_thresholds"] = [{"recall": 0.5, "precision": None}, "no positives", {"recall": 0.25}]
    found = stored_scores(content, "val")
    assert found["recall/few"].value == content["val"]["recall_by_shot_group"]["few"]
    assert found[f"auroc/class/{CLASSES[1]}"].value == content["val"]["classes"][1]["auroc"]["value"]
    assert found["recall_at_threshold/class/common"].value == 0.5
    assert f"recall_at_threshold/class/{CLASSES[1]}" not in found
    assert found[f"recall_at_threshold/class/{CLASSES[2]}"].value == 0.25
    assert nearest("recal/few", list(found))[0] == "recall/few"


@pytest.mark.parametrize(
    "given",
    [
        ["/a/b/" + "x" * 40 + f"/{name}.csv" for name in ("one", "two")],
        ["y" * 50 + end + "y" * 50 for end in "ab"],
        ["'a b/c.csv'", "a b/c.csv"],
        ["", "a", "/"],
    ],
)
def test_different_values_stay_different(given):
    short = short_values(given)
    assert len(set(short.values())) == len(given)
    assert list(short) == given
