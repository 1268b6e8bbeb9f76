"""One self-contained HTML file from a template, scripts and data: it loads nothing else, neither files nor network."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from imbalance_lab.report.palette import DARK, LIGHT

SHARED_SCRIPTS = ("dom", "colors", "plot", "table", "choices")
SCRIPTS = {
    "report": (
        "report_classes",
        "report_decision",
        "report_baselines",
        "report_stages",
        "report_curves",
        "report_confusion",
        "report_distributions",
        "report_slices",
        "report_training",
        "report_counts",
        "report_benefit",
    ),
    "comparison": (
        "comparison_axis",
        "comparison_lines",
        "comparison_whiskers",
        "comparison_settings",
        "comparison_runs",
        "comparison_study",
        "comparison_swept",
        "comparison_curves",
        "comparison_differences",
    ),
    "watch": ("watch_shares", "watch_thresholds"),
    "cross_validation": ("folds_scores", "folds_curves"),
}
"""The scripts of each page, in the order in which they run; they share one scope."""

STRICT, READY, DRAW = Markup('"use strict";'), Markup('document.body.dataset.ready = "yes";'), Markup("drawAll();")


def render_page(name: str, texts: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The page of ``templates/NAME.html`` with the scripts that `SCRIPTS` lists for it.

    Args:
        name: "report", "comparison", "watch" or "cross_validation".
        texts: what the template shows, escaped.
        data: plain values that the script draws; the template sees them too.
    """
    own = [_asset(f"{script}.js") for script in (*SHARED_SCRIPTS, *SCRIPTS[name])]
    palettes = Markup("const PALETTES = {};").format(_json({"light": LIGHT.as_json(), "dark": DARK.as_json()}))
    script = Markup("\n").join([STRICT, palettes, *own, READY])
    template = _environment().get_template(f"{name}.html")
    return template.render(
        **{**texts, **data},
        style=_asset("page.css"),
        data=_json(data),
        scripts=(script, _plotly(), DRAW),
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
