"""One self-contained HTML file from a template, scripts and data: it loads nothing else, neither files nor network."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

SHARED_SCRIPTS = ("page.js",)


def render_page(name: str, texts: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The page of ``templates/NAME.html`` with the script ``assets/NAME.js``.

    Args:
        name: of the template and the script.
        texts: what the template shows, escaped.
        data: plain values that the script draws; the template sees them too.
    """
    scripts = (_plotly(), *(_asset(file) for file in (*SHARED_SCRIPTS, f"{name}.js")))
    template = _environment().get_template(f"{name}.html")
    return template.render(
        **{**texts, **data},
        style=_asset("page.css"),
        data=_json(data),
        scripts=scripts,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("imbalance_lab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _json(data: Mapping[str, Any]) -> Markup:
    """As the content of a script element: a class named "</script>" must not end it."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _asset(name: str) -> Markup:
    """One of the package's own files, which are trusted."""
    return Markup(files("imbalance_lab.report").joinpath("assets", name).read_text(encoding="utf-8").rstrip())


@cache
def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
