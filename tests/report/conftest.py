"""One browser for all tests of pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.browser import BROWSERS, FLAGS


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless; each test opens pages of its own."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=BROWSERS[0], args=FLAGS)
        yield launched
        launched.close()
