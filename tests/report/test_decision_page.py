"""The operating point on `report.html`, in a real browser."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.app.print_results import print_results
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.task import Task
from tests.conftest import composed
from tests.helpers.browser import Opened, needs_browser

pytestmark = needs_browser

HOSTILE = "<img src=x onerror=window.hit=1> " + "a" * 100


def run_of(source: Path, to: Path, task: Task, n_positive: int, n: int, *overrides: str) -> Path:
    """A run of a rare last class, and others at random; the most probable class is never the rare one."""
    rng = np.random.default_rng(0)
    for at, split in enumerate(("val", "test")):
        target = np.where(np.arange(n) < n_positive, task.num_classes - 1, np.arange(n) % (task.num_classes - 1))
        logits = rng.normal(size=(n, task.num_classes)) + 2 * np.eye(task.num_classes)[target]
        logits[:, -1] -= 9
        Predictions(task, np.arange(n) + at * n, target, logits.astype(np.float32)).write(
            to / "predictions" / f"{split}.parquet"
        )
    about = RunDirectory(source).read_metadata()
    about |= {"train_counts": [500] * (task.num_classes - 1) + [15], "train_prior": None}
    RunDirectory(to).write_metadata(about)
    results = evaluate_run(RunDirectory(to), composed(*overrides), overrides)
    print_results(results, "Test scores")
    return to


@pytest.fixture(scope="module")
def binary(browser: Any, finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Opened, Path]:
    task = Task("binary", ("ok", HOSTILE), positive=1)
    run = run_of(finished_run, tmp_path_factory.mktemp("binary"), task, 60, 900)
    return Opened(browser, run / "report.html"), run


def test_a_binary_report_shows_the_counts_of_its_threshold(binary: tuple[Opened, Path]) -> None:
    opened, run = binary
    scores = json.loads((run / "metrics.json").read_text())
    assert scores["decisions"] == {"by": "thresholds", "rule": "max F1"}
    assert scores["positive"] == HOSTILE
    assert scores["test"]["classes"][1]["recall"]["value"] == 0  # of the most probable class
    (test, val) = (scores[f"{split}_at_thresholds"][1] for split in ("test", "val"))
    assert (test["n_positive"], val["n_positive"]) == (60, 60)
    cells = [int(text) for text in opened.page.locator("#decision .four b").all_inner_texts()]
    assert cells == [test["tp"], 60 - test["tp"], test["fp"], 840 - test["fp"]]
    recall = opened.page.locator("#decision .rates tbody tr").first.locator("td").all_inner_texts()
    assert [text[:5] for text in recall] == [f"{test['recall']:.3f}", f"{val['recall']:.3f}"]
    cards = opened.page.locator("#headline b").all_inner_texts()
    assert cards[:2] == [f"{test['recall']:.3f}", f"{test['precision']:.3f}"]
    assert cards[3] == f"{1000 * (test['tp'] + test['fp']) / 900:.0f}"
    assert cards[4] == f"{scores['test']['classes'][1]['auroc']['value']:.3f}"
    assert "macro" not in opened.page.locator("#headline").inner_text()
    verdict = opened.page.locator("#verdict").inner_text()
    assert verdict.startswith(f"Finds {test['tp']} of 60 “<img src=x")


def test_one_class_is_ranked_and_none_is_mirrored(binary: tuple[Opened, Path]) -> None:
    opened, _ = binary
    payload = json.loads(opened.page.locator("#data").inner_text())
    assert [each["class"] for each in payload["curves"]] == [1]
    assert [each["class"] for each in payload["scores"]] == [1]
    assert opened.page.locator("#point-section").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_nothing_of_the_decision_is_clipped(binary: tuple[Opened, Path], width: int, scheme: str) -> None:
    opened, _ = binary
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.emulate_media(color_scheme=scheme)
    assert opened.complaints == []
    assert opened.page.evaluate("window.hit") is None
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = "[...document.querySelectorAll('#decision .scroll, .cards .figure, .four td')]"
    assert opened.page.evaluate(f"{clipped}.filter((each) => each.scrollWidth > each.clientWidth + 1).length") == 0


def test_chosen_thresholds_of_several_classes_lead_and_reasons_are_said_once(
    browser: Any, finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tuple(f"Larus argentatus subspecies number {c:02d} of the north" for c in range(30))
    task = Task("multiclass", names)
    overrides = ("operating_point=max_f1", "operating_point.min_positives=25")
    run = run_of(finished_run, tmp_path, task, 5, 725, *overrides)  # 24 or 25 of each other class
    scores = json.loads((run / "metrics.json").read_text())
    assert (scores["decisions"]["by"], scores["positive"]) == ("thresholds", None)
    having = [each for each in scores["test_at_thresholds"] if isinstance(each, dict)]
    opened = Opened(browser, run / "report.html")
    assert opened.complaints == []
    section = opened.page.locator("#point-section")
    assert section.locator("tbody tr").count() == len(having)
    n = 30 - len(having)
    reason = f"{n} of 30 classes have no threshold: max F1 needs 25 positives on validation (they have 5 to 24)."
    assert section.locator("p.missing").all_inner_texts() == [reason]
    assert opened.page.locator("#headline b").all_inner_texts()[1] == f"{len(having)} of 30"
    assert opened.page.evaluate("(each => each.scrollWidth <= each.clientWidth)(document.getElementById('point'))")
    shown = capsys.readouterr().out
    assert shown.count("no threshold") == 1
    assert f"at the thresholds  max F1: {len(having)} of 30 classes have one" in shown
