"""Baselines in a comparison: each once, compared with the best setting in pairs, and not among the settings tried."""

from pathlib import Path

import pytest

from imbalance_lab.evaluation.comparison import compare
from imbalance_lab.evaluation.comparison_data import ComparisonData, compute_comparison_data
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.sweep import rank_runs, read_run
from imbalance_lab.report.comparison_files import runs_csv, settings_csv, settings_latex, settings_markdown
from imbalance_lab.report.comparison_page import build_comparison_payload, build_comparison_texts
from imbalance_lab.report.comparison_table import settings_table
from imbalance_lab.report.comparison_verdict import comparison_verdict
from tests.helpers.sweeps import made_run, with_baselines

CLASSES, COUNTS = ("legit", "fraud"), (450, 50)
NAMES = ["class prior", "logistic regression", "gradient boosting"]


def swept(folder: Path, overrides: dict[str, list[str]], seed: int = 5) -> ComparisonData:
    made = [
        with_baselines(made_run(folder / name, words, skill=1, seed=at, classes=CLASSES, counts=COUNTS), seed)
        for at, (name, words) in enumerate(overrides.items())
    ]
    return compute_comparison_data(rank_runs([read_run(path) for path in made]))


@pytest.fixture(scope="module")
def singles(tmp_path_factory: pytest.TempPathFactory) -> ComparisonData:
    return swept(tmp_path_factory.mktemp("s"), {"0": ["loss=focal"], "1": ["loss=poly"], "2": ["loss=ldam"]})


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> ComparisonData:
    runs = {f"{loss}{seed}": [f"loss={loss}", f"seed={seed}"] for loss in ("focal", "poly") for seed in (0, 1, 2)}
    return swept(tmp_path_factory.mktemp("r"), runs)


def test_each_is_there_once_and_is_no_setting_that_was_tried(singles: ComparisonData, seeds: ComparisonData) -> None:
    for data, n in ((singles, 3), (seeds, 2)):
        assert [each.name for each in data.baselines] == NAMES
        assert len(data.settings) == data.n_settings == n
        assert [each.n for each in data.baselines] == [1, 1, 1]
        assert not data.baselines_differ
        assert data.best is not None


def test_single_runs_are_compared_on_their_examples_with_holm_over_the_baselines(singles: ComparisonData) -> None:
    best = singles.settings[0].runs[0].test
    assert best is not None
    for setting, pair in zip(singles.baselines, singles.baseline_comparisons, strict=True):
        model = setting.runs[0].test
        assert model is not None
        expected = compare(model, best).scores["auroc"].comparison
        assert pair.b == singles.settings[0].name
        assert pair.unit == "examples"
        assert pair.compared.comparison.p == pytest.approx(expected.p)
        assert pair.compared.comparison.difference == pytest.approx(expected.difference)
        assert pair.compared.adjusted_p >= expected.p
    assert singles.baselines[0].test.interval is None
    assert singles.baselines[1].test.interval is not None


def test_replicates_are_compared_over_their_seeds_with_the_one_baseline(seeds: ComparisonData) -> None:
    best, boosting = seeds.settings[0], seeds.baselines[2]
    compared = seeds.baseline_comparisons[2]
    assert compared.unit == "seeds"
    assert compared.n == 3
    assert compared.compared.comparison.difference == pytest.approx(boosting.test.value - best.test.value)
    assert boosting.test.interval is not None  # over the test examples: it is one model


def test_runs_on_other_splits_have_other_baselines_which_are_left_out(tmp_path: Path) -> None:
    paths = [
        with_baselines(made_run(tmp_path / str(at), [f"seed={at}"], skill=1, classes=CLASSES, counts=COUNTS), at)
        for at in range(2)
    ]
    data = compute_comparison_data(rank_runs([read_run(path) for path in paths]))
    assert data.baselines == ()
    assert data.baselines_differ
    assert "have different baselines" in str(settings_table(data).caption)
    assert "have different baselines" in build_comparison_texts(data)["settings_note"]


def test_runs_without_baselines_are_compared_with_those_of_others(tmp_path: Path) -> None:
    first = with_baselines(made_run(tmp_path / "a", ["loss=a"], skill=1, classes=CLASSES, counts=COUNTS))
    second = made_run(tmp_path / "b", ["loss=b"], skill=1, seed=1, classes=CLASSES, counts=COUNTS)
    assert len(compute_comparison_data([read_run(first), read_run(second)]).baselines) == 3
    assert compute_comparison_data([read_run(second)]).baselines == ()
    RunDirectory(first).baseline_predictions("class_prior", "val").unlink()
    assert [each.name for each in compute_comparison_data([read_run(first)]).baselines] == NAMES[1:]


def test_every_table_marks_them(singles: ComparisonData, seeds: ComparisonData) -> None:
    for data in (singles, seeds):
        lines = settings_csv(data).splitlines()
        assert [line.split(",")[0] for line in lines[-3:]] == [f"baseline: {name}" for name in NAMES]
        assert len(lines) == 1 + len(data.settings) + 3
        assert "baseline: logistic regression" in settings_markdown(data)
        assert "baseline: logistic regression" in settings_latex(data)
        assert "baseline" not in runs_csv(data)
        table = settings_table(data)
        assert list(table.columns[0]._cells)[-3:] == NAMES
        assert {len(column._cells) for column in table.columns} == {len(data.rows)}
        page = build_comparison_payload(data)
        assert len(page["settings"]) == len(data.settings)
        assert [row["name"] for row in page["baselines"]] == NAMES
        assert all(row["is_baseline"] and row["difference"] for row in page["baselines"])


def test_the_verdict_says_how_the_best_stands_to_those_that_learn(singles: ComparisonData) -> None:
    found = " ".join(comparison_verdict(singles))
    assert "By AUROC, it " in found
    assert "beats logistic regression (by 0." in found
    assert "class prior" not in found


def test_a_single_run_is_compared_with_its_baselines_only(tmp_path: Path) -> None:
    data = swept(tmp_path, {"0": ["loss=focal"]})
    assert len(data.baseline_comparisons) == 3
    assert "difference [CI]" in [str(column.header) for column in settings_table(data).columns]
    assert "difference to all runs" in settings_markdown(data)
