"""The layout of report.html for few and many classes, any names, three widths and both color schemes."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.browser import Opened, needs_browser
from tests.helpers.layout import layout_problems
from tests.helpers.runs import HOSTILE, rewritten

pytestmark = needs_browser

LONG = ("wide " * 40, "W" * 200, "شبكة عصبية لتصنيف الصور النادرة", "🦜 scarlet macaw 🦜", "a\tb\u202ec", *HOSTILE)
CASES = {
    "2": ("genuine", "fraud"),
    "10": tuple(f"species {c}" for c in range(10)),
    "100": tuple(f"Larus argentatus subspecies {c:03}" for c in range(100)),
    "1000": tuple(f"class {c}" for c in range(1000)),
    "hostile": LONG,
}


@pytest.fixture(scope="module", params=[*CASES, "multilabel"])
def opened(
    request: pytest.FixtureRequest,
    browser: Any,
    finished_run: Path,
    label_sweep: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Opened:
    """One page for each case, opened once."""
    if request.param == "multilabel":
        return Opened(browser, label_sweep / "sigmoid_focal" / "report.html")
    directory = tmp_path_factory.mktemp("run")
    return Opened(
        browser, rewritten(finished_run, directory, CASES[request.param], n=max(400, 2 * len(CASES[request.param])))
    )


def test_nothing_is_clipped_beyond_the_screen_overlapping_or_faint(opened: Opened) -> None:
    assert layout_problems(opened) == []


def test_a_page_is_small_and_ready_soon(opened: Opened) -> None:
    file = Path(opened.page.url.removeprefix("file://"))
    assert file.stat().st_size < 6e6
    assert opened.seconds < 3  # 1 s on an idle machine
