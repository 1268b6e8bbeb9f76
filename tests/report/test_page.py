"""report.html in a real browser: Debian's chromium, driven by Playwright."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.report.palette import DARK, LIGHT
from tests.conftest import composed
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.runs import HOSTILE, PLOTS, rewritten

pytestmark = needs_browser


def column(opened: Opened, heading: str) -> list[str]:
    """The cells of the class table under a heading."""
    headings = opened.page.locator("#classes th").all_inner_texts()
    at = [each.strip() for each in headings].index(heading) + 1
    cells: list[str] = opened.page.locator(f"#classes td:nth-child({at})").all_inner_texts()
    return cells


@pytest.fixture(scope="module")
def opened(browser: Any, finished_run: Path) -> Opened:
    return Opened(browser, finished_run / "report.html")


def test_the_page_opens_without_errors_or_requests(opened: Opened) -> None:
    assert opened.complaints == []
    asked = [url for url in opened.requests if not url.startswith("data:")]
    assert asked == [opened.page.url]


@pytest.mark.parametrize("plot", PLOTS)
def test_every_plot_is_drawn(opened: Opened, plot: str) -> None:
    assert opened.traces(plot) >= {"roc": 12, "pr": 12, "counts": 30}.get(plot, 1)


def test_numbers_are_those_of_metrics_json(opened: Opened, finished_run: Path) -> None:
    scores = json.loads((finished_run / "metrics.json").read_text())["test"]
    assert opened.page.locator(".figure b").all_inner_texts()[0] == f"{scores['auroc']['value']:.3f}"
    rarest_first = sorted(scores["classes"], key=lambda each: each["train_count"])
    shown = column(opened, "AUROC")
    for cell, each in zip(shown, rarest_first, strict=True):
        low, high = each["auroc"]["ci95"]
        assert "".join(cell.split()) == f"{each['auroc']['value']:.3f}[{low:.3f},{high:.3f}]"
    assert column(opened, "train") == [str(each["train_count"]) for each in rarest_first]


def test_a_heading_sorts_down_and_then_up_also_by_keyboard(browser: Any, finished_run: Path) -> None:
    opened = Opened(browser, finished_run / "report.html")
    heading = opened.page.locator("#classes th button", has_text="train")
    heading.click()
    down = [int(cell) for cell in column(opened, "train")]
    assert down == sorted(down, reverse=True)
    heading.press("Enter")
    assert [int(cell) for cell in column(opened, "train")] == down[::-1]
    assert opened.page.locator("th[aria-sort=ascending]").count() == 1


def test_switches_change_the_plots(browser: Any, finished_run: Path) -> None:
    page = Opened(browser, finished_run / "report.html").page
    page.get_by_label("logarithmic false positive rate").check()
    assert page.evaluate("document.getElementById('roc').layout.xaxis.type") == "log"
    page.locator("#confusion-choices select").select_option("counts")
    cells = page.evaluate("document.getElementById('confusion').data[0].z")
    assert np.sum(cells) == 445
    page.locator("#curves-choices select").select_option("3")
    assert [t["meta"]["class"] for t in page.evaluate("document.getElementById('roc').data") if "class" in t["meta"]][
        -1
    ] == 3
    chips = page.locator("#curves-choices .chip")
    if chips.count():
        chips.first.click()
        assert chips.first.get_attribute("aria-pressed") == "true"
    before = page.evaluate("document.getElementById('scores').data[1].customdata")
    page.locator("#scores-choices select").select_option("3")
    assert page.evaluate("document.getElementById('scores').data[1].customdata") != before
    page.locator("#reliability-choices select").select_option("2")
    assert page.evaluate("document.getElementById('reliability').data[1].x.length") >= 2


def test_hovering_shows_the_threshold_and_the_counts(opened: Opened) -> None:
    text = opened.page.evaluate("document.getElementById('roc').data.find((trace) => trace.text).text")
    assert text[0].startswith("threshold –")
    assert text[-1].endswith("of them false")
    assert "of 4" in text[-1]  # 43 to 45 positives a class


def traces(opened: Opened, plot: str) -> list[dict[str, Any]]:
    """The traces of a plot, as its script made them."""
    found: list[dict[str, Any]] = opened.page.evaluate(f"document.getElementById('{plot}').data")
    return found


@pytest.mark.parametrize("plot", ["roc", "pr"])
def test_the_rarest_class_is_on_top_with_its_band_and_its_operating_point(
    opened: Opened, finished_run: Path, plot: str
) -> None:
    scores = json.loads((finished_run / "metrics.json").read_text())
    classes = scores["test"]["classes"]
    rarest = min(range(len(classes)), key=lambda c: classes[c]["train_count"])
    lines = [trace for trace in traces(opened, plot) if "class" in trace["meta"]]
    assert lines[-1]["meta"]["class"] == rarest
    assert lines[-1]["line"]["width"] > max(trace["line"]["width"] for trace in lines[:-1])
    (band,) = [trace for trace in traces(opened, plot) if "band" in trace["meta"]]
    assert band["meta"]["band"] == rarest
    rings = [trace for trace in traces(opened, plot) if "ring" in trace["meta"]]
    point = scores["test_at_thresholds"][rarest]
    assert len(rings) == (not isinstance(point, str))
    for ring in rings:
        recall, precision = point["tp"] / point["n_positive"], point["tp"] / (point["tp"] + point["fp"])
        across, up = (point["fp"] / point["n_negative"], recall) if plot == "roc" else (recall, precision)
        assert (ring["x"][0], ring["y"][0]) == pytest.approx((across, up))


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_roc_and_pr_have_the_same_size_and_baseline(opened: Opened, width: int, scheme: str) -> None:
    before = opened.page.viewport_size
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.emulate_media(color_scheme=scheme)
    opened.page.wait_for_timeout(150)
    roc, pr = (opened.page.locator(f"#{plot} .nsewdrag").first.bounding_box() for plot in ("roc", "pr"))
    assert (roc["width"], roc["height"]) == pytest.approx((pr["width"], pr["height"]))
    assert width < 860 or roc["y"] == pytest.approx(pr["y"])
    strong = traces(opened, "roc")[-2]["line"]["color"]
    assert strong == (DARK if scheme == "dark" else LIGHT).chosen
    opened.page.set_viewport_size(before)
    opened.page.emulate_media(color_scheme="light")
    assert opened.complaints == []


@pytest.mark.parametrize(("first", "last", "ticks"), [(1, 1, [1]), (1, 3, [1, 2, 3]), (1, 200, [0, 50, 100, 150, 200])])
def test_ticks_of_epochs_are_whole(opened: Opened, first: int, last: int, ticks: list[int]) -> None:
    step = opened.page.evaluate(f"wholeStep({last - first})")
    start = first if last - first < 8 else 0
    assert list(range(start, last + 1, step)) == ticks


def test_mistakes_are_pictures(opened: Opened) -> None:
    pictures = opened.page.locator("#mistakes img")
    assert pictures.count() >= 1
    assert pictures.first.evaluate("picture => picture.naturalWidth") == 8


def test_hostile_names_stay_text(browser: Any, finished_run: Path, tmp_path: Path) -> None:
    opened = Opened(browser, rewritten(finished_run, tmp_path, HOSTILE))
    assert opened.complaints == []
    assert opened.page.evaluate("window.hit") is None
    names = opened.page.locator("#classes td:first-child > :first-child")
    assert names.all_inner_texts() == [name or "(no name)" for name in HOSTILE]
    assert opened.page.locator("#classes script, #classes img, #scores-choices img").count() == 0


def test_prediction_sets_are_a_table_with_what_they_promise(browser: Any, finished_run: Path, tmp_path: Path) -> None:
    rewritten(finished_run, tmp_path, HOSTILE)
    files = RunDirectory(tmp_path)
    stored = files.read_predictions("val")
    few = np.flatnonzero((stored.target > 1) | (np.arange(len(stored.target)) < 80))  # 10 each of the first two classes
    Predictions(stored.task, stored.index[few] + 9999, stored.target[few], stored.logits[few]).write(
        files.predictions("calibration")
    )
    results = evaluate_run(files, composed("conformal=class_conditional", "conformal.alpha=0.05"))
    opened = Opened(browser, tmp_path / "report.html")
    assert opened.complaints == []
    assert opened.page.evaluate("window.hit") is None
    rows = opened.page.locator("#sets tbody tr").all_inner_texts()
    assert results.data.prediction_sets is not None
    assert len(rows) == len(HOSTILE) + 1  # and the null cluster of the two
    assert f"{results.data.prediction_sets.classes[2].coverage.value:.3f}" in rows[2]
    assert "cluster null" in rows[0]
    note = opened.page.locator("#sets-note").inner_text()
    assert "at least 95 % have it in their set" in note
    assert "Classes of one cluster share a quantile" in note


def test_ten_classes_and_ten_thousand_examples_take_half_a_megabyte_beside_plotly(
    finished_run: Path, tmp_path: Path
) -> None:
    from plotly.offline import get_plotlyjs

    file = rewritten(finished_run, tmp_path, tuple("abcdefghij"), n=10_000)
    assert file.stat().st_size - len(get_plotlyjs().encode()) < 0.5e6


@pytest.mark.parametrize("loss", ["sigmoid_focal", pytest.param("auc_margin", marks=pytest.mark.exhaustive)])
def test_a_multilabel_page_has_everything_but_a_confusion_matrix(browser: Any, label_sweep: Path, loss: str) -> None:
    opened = Opened(browser, label_sweep / loss / "report.html")
    assert opened.complaints == []
    for plot in PLOTS:
        assert (opened.traces(plot) > 0) == (plot != "confusion"), plot
    assert opened.page.locator("#confusion-section").is_hidden()
    assert opened.page.locator("#mistakes-section").is_visible()
    assert "Each label is predicted on its own" in opened.page.locator("#classes-note").inner_text()
    assert "subset accuracy" in opened.page.locator("#headline").inner_text()
    assert opened.page.locator("#reliability-choices option").all_inner_texts() == ["dark", "strong"]
    labels = opened.page.locator("#mistakes figcaption b").all_inner_texts()
    assert all(each.startswith(("→ dark", "→ strong", "→ not dark", "→ not strong")) for each in labels)
    opened.page.locator("#scores-choices select").select_option("1")
    opened.page.locator("#reliability-choices select").select_option("1")
    assert opened.complaints == []
