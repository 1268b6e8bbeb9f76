"""watch.html in a real browser, for findings that are made up."""

import re
from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.evaluation.column_changes import ColumnChange
from imbalance_lab.report.watch_page import write_watch_page
from imbalance_lab.report.watch_table import print_watch
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.runs import HOSTILE, TAGS
from tests.helpers.watched import CHANGES, THRESHOLD, share, shift_test, watched

ALARM = watched(other_shift=shift_test(0.0001), changes=CHANGES)
REFUSED = watched(other_shift="the data are gone", changes=(), proposal="no class has a threshold")


def opened_page(browser: Any, folder: Path, data: Any, width: int = 1400, scheme: str = "light") -> Opened:
    write_watch_page(folder / "watch.html", data)
    return Opened(browser, folder / "watch.html", width, scheme)


@needs_browser
def test_numbers_are_those_of_the_findings(browser: Any, tmp_path: Path) -> None:
    opened = opened_page(browser, tmp_path, watched())
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [opened.page.url]
    assert opened.page.locator("#verdict").inner_text().startswith("The share of fraud has risen from 1.0 % to 2.4 %")
    cells = opened.page.locator("#shares-table tbody tr").nth(1).locator("td").all_inner_texts()
    shown = [re.sub(r"\s+", " ", cell).strip() for cell in cells]
    assert shown == ["fraud risen", "1.0 %", "1.0 %", "2.4 % [1.9, 2.9]", "2.4 % [1.9, 2.9]"]
    cells = opened.page.locator("#stored tbody tr").nth(1).locator("td").all_inner_texts()
    shown = [re.sub(r"\s+", " ", cell).strip() for cell in cells]
    interval = ["0.700 [0.600, 0.800]", "0.400 [0.300, 0.500]", "0.610 [0.520, 0.690]"]
    assert shown == ["fraud", "0.2500", *interval, "28.3 (27.5)"]
    assert opened.page.locator("#command").inner_text() == "imbalance-lab predict runs/1 april.csv"
    assert "deployment prior" not in opened.page.locator("#shares-table").inner_text()


@needs_browser
def test_plots_show_every_estimate(browser: Any, tmp_path: Path) -> None:
    opened = opened_page(browser, tmp_path, watched((share("legit", 0.99, 0.976), share("fraud", 0.01, 0.0))))
    assert opened.traces("shares") == 4
    assert opened.traces("rates") == 5  # recall stays, so it has no trace of its own for test
    kinds = opened.page.evaluate("document.getElementById('shares').layout.xaxis.type")
    assert kinds == "log"
    assert opened.page.evaluate("document.getElementById('shares').data[2].x[0]") == pytest.approx(1e-4)  # 0 is placed
    even = opened_page(browser, tmp_path, watched((share("a", 0.5, 0.6), share("b", 0.5, 0.4, expected=0.3))))
    assert even.page.evaluate("document.getElementById('shares').layout.xaxis.type") == "linear"
    assert "deployment prior" in even.page.locator("#shares-table").inner_text()


@needs_browser
@pytest.mark.parametrize("data", [ALARM, REFUSED], ids=["alarm", "refused"])
def test_what_is_missing_or_changed_is_said(browser: Any, tmp_path: Path, data: Any) -> None:
    opened = opened_page(browser, tmp_path, data)
    assert opened.complaints == []
    text = opened.page.locator("main").inner_text()
    if data is ALARM:
        assert "do not trust them without labels" in text
        assert opened.page.locator("#verdict").get_attribute("class") == "verdict bad"
        assert opened.page.locator("#changes tbody tr").all_inner_texts() == [
            "amount\tmedian\t31.25\t57.5\tp < 0.001",
            "device\tshare of “web”\t20.0 %\t35.0 %\tp = 0.002",
            "age\tmedian\t1.5\t–\tp = 0.003",
        ]
    else:
        assert "not tested" in text
        assert "No class has a threshold." in text
        assert opened.page.locator("#command, #changes").count() == 0


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1400, "dark")])
def test_nothing_is_wider_than_the_screen(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    opened = opened_page(browser, tmp_path, ALARM, width, scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []


@needs_browser
def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    classes = [share(name, 0.1, 0.2) for name in HOSTILE]
    changes = tuple(ColumnChange(tag, "category", tag, 0.1, 0.2, 0.001, True) for tag in TAGS)
    data = watched(
        classes, column=TAGS[0], run=TAGS[1], changes=changes, other_shift=shift_test(0.001), notes=(TAGS[0],)
    )
    opened = opened_page(browser, tmp_path, data)
    assert opened.complaints == []
    assert opened.page.evaluate("window.hit") is None
    names = opened.page.locator("#shares-table td:first-child > span:first-child").all_inner_texts()
    assert names == [name or "(no name)" for name in HOSTILE]
    assert opened.page.locator("main script, main img").count() == 0
    assert opened.page.locator("#changes td:first-child").all_inner_texts() == list(TAGS)


@needs_browser
def test_a_thousand_classes(browser: Any, tmp_path: Path) -> None:
    classes = [share(f"class {c}", 0.001, 0.001 * (1 + (c % 7) / 10)) for c in range(1000)]
    data = watched(classes, stored=(THRESHOLD,) * 1000)
    opened = opened_page(browser, tmp_path, data)
    assert opened.complaints == []
    assert "The plot shows the 40 classes that differ most, the table all 1000." in opened.page.content()
    assert len(opened.page.evaluate("document.getElementById('shares').data[0].x")) == 40


@pytest.mark.parametrize("data", [watched(), ALARM, REFUSED], ids=["risen", "alarm", "refused"])
def test_the_terminal_shows_the_same_in_100_columns(data: Any, capsys: pytest.CaptureFixture[str]) -> None:
    print_watch(data)
    told = capsys.readouterr().out
    tables = [line for line in told.splitlines() if line.startswith(("class", "fraud", "legit"))]
    assert len(tables) >= 6
    assert max(map(len, tables)) <= 100
    assert "2.4 % [1.9, 2.9]" in told
    assert "0.610 [0.520, 0.690]" in told
    assert ("imbalance-lab predict runs/1 april.csv" in told) == (data is not REFUSED)
    assert ("  amount: median 31.25 → 57.5" in told) == (data is ALARM)


def test_the_terminal_gets_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_watch(
        watched((share("a\x1b[2J", 0.99, 0.976), share("[red]\n", 0.01, 0.024)), column="x\x1b", notes=("\x07",))
    )
    told = capsys.readouterr().out
    assert not set("\x1b\x07") & set(told)
    assert "[red]\\n" in told
