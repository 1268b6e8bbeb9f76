"""watch.html in a real browser, for findings that are made up."""

import re
from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.evaluation.column_changes import ColumnChange
from imbalance_lab.evaluation.watch_data import WatchData
from imbalance_lab.report.watch_page import build_watch_payload, build_watch_texts, write_watch_page
from imbalance_lab.report.watch_table import print_watch
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.runs import HOSTILE, TAGS
from tests.helpers.watched import CHANGES, THRESHOLD, share, shift_test, watched

ALARM = watched(other_shift=shift_test(0.0001), changes=CHANGES)
REFUSED = watched(other_shift="the data are gone", changes=(), proposal="no class has a threshold")


def opened_page(browser: Any, folder: Path, data: WatchData) -> Opened:
    """A page without errors, that has asked for nothing."""
    write_watch_page(folder / "watch.html", data)
    opened = Opened(browser, folder / "watch.html")
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [opened.page.url]
    return opened


def cells(opened: Opened, table: str, row: int) -> list[str]:
    """The texts of a row of a table."""
    found = opened.page.locator(f"#{table} tbody tr").nth(row).locator("td").all_inner_texts()
    return [re.sub(r"\s+", " ", cell).strip() for cell in found]


@needs_browser
def test_tables_and_plots_show_the_findings(browser: Any, tmp_path: Path) -> None:
    gone = share("stolen", 0.002, 0.0)
    shares = (share("legit", 0.988, 0.976), share("fraud", 0.01, 0.024), gone)
    opened = opened_page(browser, tmp_path, watched(shares, positive=1))
    assert opened.page.locator("#verdict").inner_text().startswith("The share of fraud has risen from 1.0 % to 2.4 %")
    score = "2.4 %[1.9, 2.9]"
    assert cells(opened, "shares-table", 1) == ["fraud risen", "1.0 %", "1.0 %", score, score]
    rates = ["0.700[0.600, 0.800]", "0.400[0.300, 0.500]", "0.610[0.520, 0.690]"]
    assert cells(opened, "stored", 1) == ["fraud", "0.2500", *rates, "28.3(27.5)"]
    assert cells(opened, "proposed", 1) == ["fraud", "0.2500", rates[0], rates[2], "28.3(27.5)"]
    assert opened.page.locator("#command").inner_text() == "imbalance-lab predict runs/1 april.csv"
    assert "deployment prior" not in opened.page.locator("#shares-table").inner_text()
    assert opened.traces("shares") == 4
    assert opened.traces("rates") == 5  # recall stays: it has no trace of its own for test
    assert opened.page.evaluate("document.getElementById('shares').layout.xaxis.type") == "log"
    assert opened.page.evaluate("document.getElementById('shares').data[2].x[0]") == pytest.approx(1e-4)  # of 0


@needs_browser
def test_an_alarm_is_seen_on_every_screen(browser: Any, tmp_path: Path) -> None:
    opened = opened_page(browser, tmp_path, ALARM)
    assert "do not trust them without labels" in opened.page.locator("#tests-section").inner_text()
    assert opened.page.locator("#verdict").get_attribute("class") == "verdict bad"
    assert [cells(opened, "changes", row) for row in range(3)] == [
        ["amount", "median", "31.25", "57.5", "p < 0.001"],
        ["device", "share of “web”", "20.0 %", "35.0 %", "p = 0.002"],
        ["age", "median", "1.5", "–", "p = 0.003"],
    ]
    for width, scheme in ((400, "dark"), (400, "light"), (1400, "dark")):
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.emulate_media(color_scheme=scheme)
        opened.page.wait_for_timeout(100)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []


@needs_browser
def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    classes = [share(name, 0.1, 0.2, expected=0.15) for name in HOSTILE]
    changes = tuple(ColumnChange(tag, "category", tag, 0.1, 0.2, 0.001, True) for tag in TAGS)
    found = {"column": TAGS[0], "run": TAGS[1], "notes": (TAGS[0],), "changes": changes}
    opened = opened_page(browser, tmp_path, watched(classes, other_shift=shift_test(0.001), **found))
    assert opened.page.evaluate("window.hit") is None
    names = opened.page.locator("#shares-table td:first-child > span:first-child").all_inner_texts()
    assert names == [name or "(no name)" for name in HOSTILE]
    assert opened.page.locator("main script, main img").count() == 0
    assert opened.page.locator("#changes td:first-child").all_inner_texts() == list(TAGS)
    assert "deployment prior" in opened.page.locator("#shares-table").inner_text()
    assert opened.page.evaluate("document.getElementById('shares').layout.xaxis.type") == "linear"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    write_watch_page(tmp_path / "watch.html", REFUSED)
    text = (tmp_path / "watch.html").read_text(encoding="utf-8")
    assert "the data are gone." in text
    assert "No class has a threshold." in text
    assert not re.search('<(pre|div)[^>]* id="(command|changes)"', text)


def test_a_thousand_classes_are_all_in_the_table_and_some_in_the_plot() -> None:
    classes = [share(f"class {c}", 0.001, 0.001 * (1 + (c % 7) / 10)) for c in range(1000)]
    data = watched(classes, stored=(THRESHOLD,) * 1000)
    payload = build_watch_payload(data)
    assert len(payload["classes"]) == len(payload["stored"]) == 1000
    assert payload["plotted"] == [c for c in range(1000) if c % 7 == 6][:40]
    assert "the 40 classes that differ most, the table all 1000" in build_watch_texts(data)["shares_note"]


@pytest.mark.parametrize("data", [watched(), ALARM, REFUSED], ids=["risen", "alarm", "refused"])
def test_the_terminal_shows_the_same_in_100_columns(data: WatchData, capsys: pytest.CaptureFixture[str]) -> None:
    print_watch(data)
    told = capsys.readouterr().out
    tables = [line for line in told.splitlines() if line.startswith(("class", "fraud", "legit"))]
    assert len(tables) >= 4
    assert not any(line.startswith("legit") for line in tables), "of a binary task the positive class"
    assert max(map(len, tables)) <= 100
    assert "2.4 % [1.9, 2.9]" in told
    assert "0.610 [0.520, 0.690]" in told
    assert ("imbalance-lab predict runs/1 april.csv" in told) == (data is not REFUSED)
    assert ("  amount: median 31.25 → 57.5" in told) == (data is ALARM)


def test_of_a_thousand_classes_the_terminal_lists_some_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    classes = [share(f"class {c}", 0.001, 0.001 * (1 + (c % 7) / 10)) for c in range(1000)]
    print_watch(watched(classes, positive=None, stored=(THRESHOLD,) * 1000))
    told = capsys.readouterr().out
    assert "the 15 of 1000 classes that differ most" in told
    assert len(told.splitlines()) < 75


def test_the_terminal_gets_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    classes = (share("a\x1b[2J", 0.99, 0.976), share("[red]\n", 0.01, 0.024))
    print_watch(watched(classes, column="x\x1b", notes=("\x07",)))
    told = capsys.readouterr().out
    assert not set("\x1b\x07") & set(told)
    assert "[red]\\n" in told
