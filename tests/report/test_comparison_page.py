"""comparison.html in a real browser, of runs with made-up predictions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.sweep import group_by_test_set, rank_runs, read_run
from imbalance_lab.report.comparison_page import build_comparison_payload, build_comparison_texts, write_comparison
from tests.helpers.browser import Opened, needs_browser

CLASSES = ("common", "<b>rare</b>", "$x$")
COUNTS = [500, 50, 10]


def make(folder: Path, skill: float, overrides: list[str], first_index: int = 0) -> Path:
    """A finished run's directory; the higher the skill, the better the logits."""
    rng = np.random.default_rng(0)
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(json.dumps(overrides))
    scores = {}
    for split in ("val", "test"):
        target = np.arange(600) % 3
        logits = rng.normal(size=(600, 3)).astype(np.float32)
        logits[np.arange(600), target] += skill
        stored = Predictions.of(CLASSES, np.arange(600) + first_index, target, logits)
        stored.write(folder / "predictions" / f"{split}.parquet")
        scores[split] = Evaluation(stored, COUNTS).as_json()
    (folder / "metrics.json").write_text(json.dumps(scores))
    (folder / "metrics.csv").write_text("epoch,val/auroc/macro\n0,0.6\n1,0.7\n")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    sweep = tmp_path_factory.mktemp("sweep")
    for number, (skill, gamma, seed) in enumerate(
        [(0.5, 0, 0), (0.6, 0, 1), (2.0, "<i>2</i>", 0), (2.1, "<i>2</i>", 1)]
    ):
        make(sweep / str(number), skill, [f"loss.gamma={gamma}", f"seed={seed}", "max_epochs=3"])
    return rank_runs([read_run(folder) for folder in sweep.iterdir()])


@needs_browser
def test_the_page_shows_every_run_without_requests(browser: Any, runs: list[Any], tmp_path: Path) -> None:
    opened = Opened(browser, write_comparison(tmp_path / "comparison.html", compute_comparison_data(runs)))
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [opened.page.url]
    assert opened.page.locator("#runs tbody td:first-child").all_inner_texts() == ["3", "2", "1", "0"]
    assert opened.page.locator("#runs th").all_inner_texts()[:3] == ["run", "loss.gamma", "seed"]
    assert "<i>2</i>" in opened.page.locator("#runs").inner_text(), "a hostile override is text"
    assert opened.page.locator("#runs i").count() == 0
    assert {plot: opened.traces(plot) for plot in ("roc", "pr", "epochs", "swept", "parallel")} == {
        "roc": 4, "pr": 4, "epochs": 4, "swept": 2, "parallel": 4,
    }  # fmt: skip


@needs_browser
def test_a_class_and_a_pair_can_be_chosen(browser: Any, runs: list[Any], tmp_path: Path) -> None:
    page = Opened(browser, write_comparison(tmp_path / "comparison.html", compute_comparison_data(runs))).page
    assert page.locator("#class-choices option").all_inner_texts() == ["$x$", "<b>rare</b>", "common"]
    before = page.evaluate("document.getElementById('roc').data[0].y")
    page.locator("#class-choices select").select_option("0:0")
    assert page.evaluate("document.getElementById('roc').data[0].y") != before
    page.locator("#differences-choices select").select_option("2")
    assert "run 3 is better than run 0" in page.locator("#words").inner_text()


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(browser: Any, runs: list[Any], tmp_path: Path, scheme: str) -> None:
    opened = Opened(browser, write_comparison(tmp_path / "comparison.html", compute_comparison_data(runs)), 400, scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_verdict_is_about_the_best_run_on_validation(runs: list[Any]) -> None:
    data = compute_comparison_data(runs)
    texts = build_comparison_texts(data)
    assert texts["verdict"].startswith("Run 3 is best on validation")
    assert texts["verdict"].endswith("On test, all 3 other runs are distinguishable from it.")
    assert [each["b"] for each in build_comparison_payload(data)["differences"]] == ["run 3"] * 3
    assert len(texts["seeds"]) == 2


def test_a_baseline_takes_the_place_of_the_best(runs: list[Any]) -> None:
    data = compute_comparison_data(runs, "accuracy", "0")
    assert {each.b for each in data.comparisons} == {"run 0"}


def test_runs_on_other_examples_are_never_paired(runs: list[Any], tmp_path: Path) -> None:
    other = make(tmp_path / "other", 1.5, ["loss.gamma=9"], first_index=10_000)
    everyone = rank_runs([*runs, read_run(other)])
    assert sorted(len(group) for group in group_by_test_set(everyone)) == [1, 4]
    data = compute_comparison_data(everyone)
    assert all("other" not in each.a + each.b for each in data.comparisons)
    assert "2 different sets of examples" in build_comparison_texts(data)["verdict"]


@needs_browser
def test_multilabel_runs_are_compared(browser: Any, label_sweep: Path, tmp_path: Path) -> None:
    runs = rank_runs([read_run(folder) for folder in label_sweep.iterdir()])
    (together,) = group_by_test_set(runs)
    assert len(together) == 3
    opened = Opened(browser, write_comparison(tmp_path / "comparison.html", compute_comparison_data(runs)))
    assert opened.complaints == []
    assert opened.traces("roc") == opened.traces("pr") == 3
    assert opened.page.locator("#differences tbody tr").count() == 2
