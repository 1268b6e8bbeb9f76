"""The baselines in report.html, in a real browser: of one run on a table, opened once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.browser import Opened, needs_browser
from tests.helpers.layout import layout_problems

pytestmark = needs_browser


@pytest.fixture(scope="module")
def opened(browser: Any, purchases_run: Path) -> Opened:
    return Opened(browser, purchases_run / "report.html")


def cells(opened: Opened) -> list[list[str]]:
    rows = opened.page.locator("#baselines tbody tr").all()
    return [[" ".join(cell.split()) for cell in row.locator("td").all_inner_texts()] for row in rows]


def test_the_table_has_the_run_and_each_baseline_compared_by_the_chosen_score(
    opened: Opened, purchases_run: Path
) -> None:
    assert opened.complaints == []
    found = json.loads((purchases_run / "metrics.json").read_text())["baselines"]
    shown = cells(opened)
    assert [row[0].split(" ")[0] for row in shown] == ["this", "class", "logistic", "gradient"]
    assert shown[0][1].replace(" ", "").startswith(f"{found['run']['auroc']['value']:.3f}[")
    assert shown[0][2] == ""
    for row, model in zip(shown[1:], found["models"], strict=True):
        assert model["about"] in row[0]
        compared = model["differences"]["auroc"]
        assert f"{abs(compared['difference']):.3f}" in row[2]
        assert "p " in row[2]
    opened.page.locator("#baselines-choices select").select_option("brier_score")
    for row, model in zip(cells(opened)[1:], found["models"], strict=True):
        assert f"{abs(model['differences']['brier_score']['difference']):.4f}" in row[5]
        assert row[4].startswith(f"{model['scores']['brier_score']['value']:.4f}")
    opened.page.locator("#baselines-choices select").select_option("auroc")


def test_the_verdict_speaks_of_them(opened: Opened) -> None:
    verdict = opened.page.locator("#verdict").inner_text()
    assert "By AUROC, the model " in verdict
    assert "logistic regression (" in verdict


def test_it_fits_a_phone_and_a_wide_screen_in_light_and_dark(opened: Opened) -> None:
    assert layout_problems(opened, widths=(400, 1280)) == []
    assert opened.page.locator("#baselines-section").is_visible()
