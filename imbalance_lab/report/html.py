"""One self-contained HTML file from a body, a script and data: no network, nothing beside it."""

import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="data">{data}</script>
<script>{plotly}</script>
<script>
{shared}
</script>
<script>
{script}
</script>
</body>
</html>
"""


def render_page(name: str, title: str, data: dict[str, Any]) -> str:
    """The page of ``assets/NAME.html`` and ``assets/NAME.js``, with plain ``data`` for the script."""
    return PAGE.format(
        title=html.escape(title),
        style=_asset("page.css"),
        body=_asset(f"{name}.html"),
        # "<" would let a class called "</script>" end the data.
        data=json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        plotly=_plotly(),
        shared=_asset("page.js"),
        script=_asset(f"{name}.js"),
    )


def _asset(name: str) -> str:
    return files("imbalance_lab.report").joinpath("assets", name).read_text(encoding="utf-8").rstrip()


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
