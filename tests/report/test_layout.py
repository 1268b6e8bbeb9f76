"""The layout of report.html for few and many classes, any names, three widths and both color schemes."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.browser import Opened, needs_browser
from tests.helpers.layout import WIDTHS, layout_problems, resize
from tests.helpers.runs import HOSTILE, rewritten

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore:Glyph .* missing")]  # emoji in the figures

LONG = ("wide " * 40, "W" * 200, "شبكة عصبية لتصنيف الصور النادرة", "🦜 scarlet macaw 🦜", "a\tb\u202ec", *HOSTILE)
CASES = {
    "2": ("genuine", "fraud"),
    "100": tuple(f"Larus argentatus subspecies {c:03}" for c in range(100)),
    "1000": tuple(f"class {c}" for c in range(1000)),
    "hostile": LONG,
}


@pytest.fixture(scope="module")
def open_case(
    browser: Any, finished_run: Path, label_sweep: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Opened]:
    """The page of a case, written and opened once."""

    @cache
    def write_and_open(case: str) -> Opened:
        if case == "multilabel":
            return Opened(browser, label_sweep / "sigmoid_focal" / "report.html")
        if case == "trained":
            return Opened(browser, finished_run / "report.html")
        classes = CASES[case]
        file = rewritten(finished_run, tmp_path_factory.mktemp("run"), classes, n=max(400, 2 * len(classes)))
        return Opened(browser, file)

    return write_and_open


MANY = [pytest.param(case, marks=pytest.mark.exhaustive) for case in ("100", "1000")]


@pytest.fixture(scope="module", params=["2", "hostile", *MANY, "multilabel", "trained"])
def opened(request: pytest.FixtureRequest, open_case: Callable[[str], Opened]) -> Opened:
    """One page for each case."""
    return open_case(request.param)


@pytest.mark.exhaustive
def test_nothing_is_clipped_beyond_the_screen_overlapping_or_faint(opened: Opened) -> None:
    assert layout_problems(opened, schemes=("light",)) == []
    assert layout_problems(opened, widths=(1400,), schemes=("dark",)) == []  # another scheme is other colors only
    resize(opened, 1400)


def test_tables_scroll_on_a_phone_only_and_show_it(opened: Opened) -> None:
    for width in WIDTHS:
        resize(opened, width)
        scrollers = opened.page.locator(".scroll")
        sizes = scrollers.evaluate_all(
            "nodes => nodes.map(node => [node.id, node.scrollWidth - node.clientWidth, node.matches('.more-right')])"
        )
        assert all(hidden <= 1 or width == 400 for _, hidden, _ in sizes), (width, sizes)
        assert all((hidden > 1) == is_shown for _, hidden, is_shown in sizes), (width, sizes)
    table = opened.page.locator("#classes, #enrichment").first  # a binary task has no table of classes
    name = table.locator("td").first
    before = name.bounding_box()
    table.evaluate("node => node.scrollTo({left: node.scrollWidth})")
    opened.page.wait_for_selector("#classes:not(.more-right), #enrichment:not(.more-right)")
    assert name.bounding_box() == before  # the names stay in sight


def test_plots_side_by_side_have_one_size_and_baseline(opened: Opened) -> None:
    resize(opened, 1400)
    for left, right in (("roc", "pr"), ("reliability", "scores")):
        boxes = [opened.page.locator(f"#{plot}").bounding_box() for plot in (left, right)]
        for key in ("y", "width", "height"):
            assert boxes[0][key] == pytest.approx(boxes[1][key], abs=1), (left, key)


def test_headings_are_in_order_and_tables_have_captions(opened: Opened) -> None:
    levels = opened.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert opened.page.locator("table:not(:has(caption))").count() == 0
    assert opened.page.locator("th:not([scope])").count() == 0


def test_a_page_is_small_and_ready_soon(opened: Opened) -> None:
    file = Path(opened.page.url.removeprefix("file://"))
    assert file.stat().st_size < 6e6
    assert opened.seconds < 3  # 0.2 s on an idle machine; the plots follow


@pytest.mark.exhaustive
def test_a_page_of_a_thousand_classes_says_what_it_leaves_out(open_case: Callable[[str], Opened]) -> None:
    opened = open_case("1000")
    assert opened.traces("pr") >= 12
    for note in ("curves", "reliability", "scores"):
        assert "The 40 rarest of 1000 classes are shown." in opened.page.locator(f"#{note}-note").inner_text()
    assert "The 60 rarest of 1000 classes." in opened.page.locator("#counts-note").inner_text()
    assert "of 1000 classes" in opened.page.locator("#confusion-note").inner_text()
    assert opened.page.locator("#classes tbody tr").count() == 50
    opened.page.locator("#classes").get_by_role("button", name="Show all").click()
    assert opened.page.locator("#classes tbody tr").count() == 1000
    opened.page.get_by_label("find a class").first.fill("CLASS 99")
    found = opened.page.locator("#classes tbody td:first-child").all_inner_texts()
    assert [each.strip() for each in found] == ["class 99", *(f"class {c}" for c in range(990, 1000))]
    opened.page.get_by_label("find a class").first.fill("medium")
    groups = opened.page.locator("#classes tbody td:nth-child(3)").all_inner_texts()
    assert groups == ["medium"] * 81
