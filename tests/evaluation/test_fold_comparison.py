"""Cross-validated settings: compared fold by fold, and chosen on each fold's own validation."""

import numpy as np
import pytest
from scipy import stats

from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.fold_comparison import select_nested
from imbalance_lab.evaluation.sweep import rank_runs, read_sweep
from imbalance_lab.report.comparison_files import settings_csv
from imbalance_lab.report.comparison_page import build_comparison_payload, build_comparison_texts
from imbalance_lab.report.comparison_verdict import comparison_verdict
from tests.helpers.cross_validations import made_cross_validation
from tests.helpers.sweeps import made_run


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    for number, (gamma, skill) in enumerate([(0, 1.5), (1, 1.6), (2, 1.0)]):
        made_cross_validation(
            folder / str(number), [f"loss.gamma={gamma}", "cv.folds=5"], skill=skill, folds=5, seed=number
        )
    return folder


@pytest.fixture(scope="module")
def data(sweep):
    return compute_comparison_data(read_sweep(sweep))


def by_fold(run, split, key="auroc"):
    return np.array([fold.of(split)[key] for fold in run.folds.scores])


def test_settings_are_compared_by_the_corrected_t_test_of_their_folds(data):
    best = data.settings[0].runs[0]
    for each in data.setting_comparisons:
        (run,) = next(setting.runs for setting in data.settings if setting.name == each.a)
        difference = by_fold(run, "test") - by_fold(best, "test")
        error = np.sqrt((1 / 5 + 48 / 180) * difference.var(ddof=1))
        expected = 2 * stats.t(4).sf(abs(difference.mean()) / error)
        assert (each.unit, each.n) == ("folds", 5)
        assert each.compared.comparison.difference == pytest.approx(difference.mean())
        assert each.compared.comparison.p == pytest.approx(expected)
    assert data.groups[0].comparisons == ()  # no test on examples takes models of several folds for one


def test_nested_selection_takes_the_test_score_of_what_each_fold_has_chosen_on_its_validation(data):
    runs = [setting.runs[0] for setting in data.settings]
    val, test = (np.stack([by_fold(run, split) for run in runs]) for split in ("val", "test"))
    chosen = val.argmax(0)
    expected = test[chosen, np.arange(5)]
    assert len(set(chosen)) > 1  # or nothing is tested
    assert data.nested.score.value == pytest.approx(expected.mean())
    assert dict(data.nested.chosen) == {
        data.settings[place].name: count for place, count in enumerate(np.bincount(chosen)) if count
    }
    assert data.nested.n == 5
    assert data.best_corrected is None
    assert data.settings[0].val.value == pytest.approx(val.mean(1).max())


def test_nested_selection_of_a_loss_takes_the_lowest(sweep):
    data = compute_comparison_data(rank_runs(read_sweep(sweep), "log_loss"), "log_loss")
    runs = [setting.runs[0] for setting in data.settings]
    val, test = (np.stack([by_fold(run, split, "log_loss") for run in runs]) for split in ("val", "test"))
    assert data.nested.score.value == pytest.approx(test[val.argmin(0), np.arange(5)].mean())


def test_the_scores_of_several_seeds_are_averaged_fold_by_fold(tmp_path):
    for number, (gamma, seed) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        words = [f"loss.gamma={gamma}", f"seed={seed}"]
        made_cross_validation(tmp_path / str(number), words, skill=1.5 + gamma, seed=number)
    found = compute_comparison_data(read_sweep(tmp_path))
    (pair,) = found.setting_comparisons
    means = {setting.name: np.mean([by_fold(run, "test") for run in setting.runs], 0) for setting in found.settings}
    difference = means[pair.a] - means[pair.b]
    assert (pair.unit, pair.n) == ("folds", 4)
    assert pair.compared.comparison.difference == pytest.approx(difference.mean())
    assert found.settings[0].test.value == pytest.approx(means[found.settings[0].name].mean())
    low, high = found.settings[0].test.interval
    half = stats.t(3).ppf(0.975) * np.sqrt((1 / 4 + 1 / 3) * means[found.settings[0].name].var(ddof=1))
    assert low == pytest.approx(found.settings[0].test.value - half)
    assert high == pytest.approx(min(1, found.settings[0].test.value + half))


def test_other_folds_and_plain_runs_are_not_compared_fold_by_fold(tmp_path):
    made_cross_validation(tmp_path / "0", ["loss.gamma=0"], skill=2)
    made_cross_validation(tmp_path / "1", ["loss.gamma=1"], skill=2, folds=5)
    made_run(tmp_path / "2", ["loss.gamma=2"], skill=2, classes=("common", "rare"), counts=(200, 40))
    found = compute_comparison_data(read_sweep(tmp_path))
    assert {each.compared.comparison.interval for each in found.setting_comparisons} == {None}
    assert found.nested is None
    assert select_nested((), "auroc") is None


def test_page_table_and_sentences_say_what_is_over_the_folds(data):
    sentences = " ".join(comparison_verdict(data))
    assert "over 5 folds" in sentences
    assert "Nested selection, the setting of each fold chosen on that fold's validation: AUROC" in sentences
    texts = build_comparison_texts(data)
    assert "corrected resampled t" in texts["settings_note"] + texts["differences_note"]
    payload = build_comparison_payload(data)
    assert payload["settings"][1]["difference"]["unit"] == "folds"
    assert payload["curves"][0]["of_folds"]
    assert ",folds," in settings_csv(data)
