"""The layout of an opened page, measured by the sizes and colors of what the browser has drawn.

It serves every page: report, comparison and watch.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.helpers.browser import Opened

WIDTHS, SCHEMES = (1400, 1024, 400), ("light", "dark")

MEASURE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8").rstrip().removesuffix(";")
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FITTED = """() => [...document.querySelectorAll(".js-plotly-plot")].every((plot) => {
  const drawn = plot.querySelector(".main-svg");
  return !drawn || !plot.clientWidth || plot.layout.width || Math.abs(drawn.clientWidth - plot.clientWidth) <= 2;
})"""


def resize(opened: Opened, width: int, scheme: str = "light") -> None:
    """Show the page at another width and in another scheme, without loading it again; Plotly follows after 0.1 s."""
    from playwright.sync_api import TimeoutError as TooLate

    opened.page.emulate_media(color_scheme=scheme)
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.evaluate(FRAMES)
    with suppress(TooLate):  # a plot that never fits is then found as beyond the screen
        opened.page.wait_for_function(FITTED, timeout=1500)
    opened.page.evaluate(FRAMES)


def layout_problems(
    opened: Opened, widths: Sequence[int] = WIDTHS, schemes: Sequence[str] = SCHEMES, *, most: int = 12
) -> list[str]:
    """What is wrong with a page at each width and in each scheme, at most so many lines each; empty if nothing is.

    Wrong is: an element whose content is wider than itself, unless it scrolls, or ends in "…" and has a title; an
    element beyond the screen; texts of a plot that lie on each other, or outside of it; text with a contrast below
    4.5 : 1 to what is behind it, in plots too; a message of the console; a request for anything but the page.
    """
    found = [f"message: {each}" for each in opened.complaints]
    found += [f"request: {url}" for url in opened.requests if url != opened.page.url and not url.startswith("data:")]
    for scheme in schemes:
        for width in widths:
            resize(opened, width, scheme)
            lines: list[str] = opened.page.evaluate(MEASURE)
            left_out = [f"{len(lines) - most} more"] if len(lines) > most else []
            found += [f"{width} px, {scheme}: {line}" for line in lines[:most] + left_out]
    return found + [f"message: {each}" for each in opened.complaints if f"message: {each}" not in found]
