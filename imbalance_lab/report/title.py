"""The title of a run's page: what the run is, in full and as short as a heading may be."""

from datetime import datetime
from typing import Any

from imbalance_lab.evaluation.report_data import RunRecord
from imbalance_lab.evaluation.run_title import RunTitle
from imbalance_lab.text import shorten_middle, split_override, visible

MAX_PART, MAX_OVERRIDE = 48, 44
"""Characters of a part of the title, and of an override below it."""


def page_title(run: RunRecord) -> dict[str, Any]:
    """``title``, ``title_full``, and (short, full) texts: ``title_overrides``, ``title_place`` (directory and date).

    A run without a configuration is called by its directory.
    """
    known = run.title or RunTitle((), ())
    parts = [visible(part) for part in known.parts] or [run.name]
    overrides = [(_shortened(visible(each)), visible(each)) for each in known.overrides]
    directory = [] if not known.parts else [(shorten_middle(run.name, MAX_PART), run.name)]
    day = [] if run.started is None else [_day(run.started)]
    return {
        "title": " · ".join(shorten_middle(part, MAX_PART) for part in parts),
        "title_full": " · ".join(parts),
        "title_overrides": overrides,
        "title_place": directory + [(each, each) for each in day],
    }


def _shortened(override: str) -> str:
    """A long value is shortened, its key only if it is long itself."""
    key, value = split_override(override)
    return shorten_middle(f"{key}={shorten_middle(value, max(12, MAX_OVERRIDE - len(key)))}", MAX_OVERRIDE + 12)


def _day(started: str) -> str:
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M}"
    except ValueError:
        return started
