"""What a binary report says of its use: decision curve, gains, enrichment, and the sheet that is printed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbalance_lab.app.evaluate import RunResults, evaluate_run
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed
from tests.helpers.browser import Opened, needs_browser

pytestmark = needs_browser


def binary_run(source: Path, to: Path, share: float = 0.04) -> RunResults:
    """A run whose positive class, with a hostile name, has few examples."""
    rng = np.random.default_rng(0)
    for at, split in enumerate(("val", "test")):
        target = (rng.random(2500) < share).astype(np.int64)
        z = 2 * (rng.normal(size=2500) + 2 * target) - 2 + np.log(share / (1 - share))
        logits = np.stack([np.zeros(2500), 1.5 * z], 1).astype(np.float32)  # too extreme: calibration helps
        index = np.arange(2500) + 2500 * at
        Predictions.of(("legit", "<b>fraud</b>"), index, target, logits).write(to / "predictions" / f"{split}.parquet")
    about = RunDirectory(source).read_metadata() | {"train_counts": [9600, 400], "train_prior": None}
    RunDirectory(to).write_metadata(about)
    return evaluate_run(RunDirectory(to), composed("report.images=true"))


@pytest.fixture(scope="module")
def results(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResults, Path]:
    directory = tmp_path_factory.mktemp("binary")
    return binary_run(finished_run, directory), directory


@pytest.fixture(scope="module")
def opened(browser: Any, results: tuple[RunResults, Path]) -> Opened:
    return Opened(browser, results[1] / "report.html")


def test_the_decision_curve_is_drawn_with_its_band_and_the_threshold(
    opened: Opened, results: tuple[RunResults, Path]
) -> None:
    benefit = results[0].data.benefit
    assert benefit is not None
    curve = benefit.decision_curve
    assert curve.chosen is not None
    traces = opened.page.evaluate(
        "document.getElementById('benefit').data.map(({name, x, y}) => ({name, x: [...x], y: [...y]}))"
    )
    by_name = {each.get("name"): each for each in traces}
    np.testing.assert_allclose(by_name["model"]["y"], 1000 * np.array(curve.net_benefit), atol=1e-3)
    assert by_name["operating point"]["x"][0] == pytest.approx(curve.threshold[curve.chosen], rel=1e-4)
    band = traces[0]["y"]
    np.testing.assert_allclose(band, 1000 * np.array([*curve.high, *curve.low[::-1]]), atol=1e-3)
    assert (
        "Better than flagging everybody and than flagging nobody" in opened.page.locator("#benefit-note").inner_text()
    )


def test_enrichment_and_probabilities_are_tables(opened: Opened, results: tuple[RunResults, Path]) -> None:
    benefit = results[0].data.benefit
    assert benefit is not None
    rows = opened.page.locator("#enrichment tbody tr").all_inner_texts()
    assert len(rows) == len(benefit.gains.enrichments) == 7
    assert f"{benefit.gains.enrichments[-1].recall:.3f}" in rows[-1]
    assert "lower the Brier score" in opened.page.locator("#probability_scores-note").inner_text()
    assert opened.page.locator("#probability_scores tbody tr").count() == 5
    assert opened.page.evaluate("document.getElementById('reliability').data.length") == 3  # the raw one too


def test_it_prints_as_one_sheet_that_holds_everything(opened: Opened) -> None:
    page = opened.page
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1017})  # A4 less its margins, at 96 dots per inch
    sheet = page.locator("#checklist")
    box = sheet.bounding_box()
    assert box is not None
    assert box["height"] < 1017
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.locator("main > :visible").count() == 1
    text = sheet.inner_text()
    for measure in ("AUROC 0.", "intercept", "slope", "Net benefit", "Operating point", "<b>fraud</b>", "Prevalence"):
        assert measure in text
    assert sheet.locator("img").evaluate("image => image.naturalWidth") > 300
    page.emulate_media(media="screen")
    assert page.locator("#checklist").is_hidden()


def test_tables_and_figures_have_it_too(results: tuple[RunResults, Path]) -> None:
    directory = results[1]
    assert len((directory / "tables" / "decision_curve.csv").read_text().splitlines()) > 80
    assert len((directory / "tables" / "enrichment.csv").read_text().splitlines()) == 8
    for name in ("decision_curve", "gains"):
        assert (directory / "images" / f"{name}.svg").stat().st_size > 5000
