"""A real browser for the pages: Debian's chromium, driven by Playwright."""

import shutil
from pathlib import Path
from typing import Any

import pytest

BROWSERS = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

needs_browser = pytest.mark.skipif(not BROWSERS, reason="no browser is installed (Debian's package chromium)")

WATCH = """new MutationObserver(() => {
  if (document.body?.dataset.ready) window.readyAfter ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });"""
"""Notes when a page can be used: its plots follow."""


class Opened:
    """A page, with what it complained of and asked for, and the seconds until it could be used, without its plots."""

    def __init__(self, browser: Any, file: Path, width: int = 1400, scheme: str = "light") -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(WATCH)
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("body[data-drawn=yes]", timeout=20000)
        self.seconds = self.page.evaluate("window.readyAfter") / 1000

    def traces(self, plot: str) -> int:
        """Lines, bars or cells that a plot has drawn."""
        marks = ".scatterlayer .trace, .barlayer .point, .heatmaplayer image"
        found: int = self.page.locator(f"#{plot}").locator(marks).count()
        return found
