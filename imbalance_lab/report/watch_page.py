"""`watch.html`: what is known about a file without labels, on one page."""

from pathlib import Path
from typing import Any

from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.threshold_rates import ThresholdForecast
from imbalance_lab.evaluation.watch_data import Proposal, WatchData
from imbalance_lab.files import atomic_write
from imbalance_lab.report.html import render_page
from imbalance_lab.report.terminal import number
from imbalance_lab.report.watch_table import shown_classes
from imbalance_lab.report.watch_texts import advice, column_value, listed, p_value, percent, verdict
from imbalance_lab.shift import ShiftTest

MAX_PLOTTED, MAX_CHANGES = 40, 20
"""Classes in the plots, and columns in the table of changes."""


def write_watch_page(path: Path, data: WatchData) -> None:
    """Write the page whole or not at all."""
    text = render_page("watch", build_watch_texts(data), build_watch_payload(data))
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def build_watch_texts(data: WatchData) -> dict[str, Any]:
    """What the page's template shows."""
    first, *rest = verdict(data)
    return {
        "title": data.file.name,
        "run": data.run,
        "verdict": first,
        "verdict_rest": rest,
        "is_trusted": not data.other_alarm,
        "advice": advice(data),
        "shares_note": _shares_note(data),
        "tests": _tests(data),
        "changes": _changes(data),
        "changes_note": _changes_note(data),
        "stored_note": _stored_note(data),
        "proposal": _proposal(data),
        "notes": data.notes,
        "about": _about(data),
        "footer": f"Imbalance Lab {data.version}. The same numbers are in watch.json beside this page.",
    }


def build_watch_payload(data: WatchData) -> dict[str, Any]:
    """What the page's script draws, as plain values."""
    proposal = data.proposal
    return {
        "headline": _headline(data),
        "classes": [{**each.as_json(), "disagree": each.estimates_disagree} for each in data.shares],
        "prior_alarm": data.prior_shift.alarm,
        "has_deploy_prior": any(each.expected != each.reference for each in data.shares),
        "reference": data.reference,
        "measured_on": data.measured_on,
        "plotted": shown_classes(data, MAX_PLOTTED),
        "stored": _thresholds(data.stored),
        "proposed": _thresholds(proposal.thresholds) if isinstance(proposal, Proposal) else [],
    }


def _thresholds(forecasts: tuple[ThresholdForecast, ...]) -> list[dict[str, Any]]:
    return [{"class": c, **each.as_json()} for c, each in enumerate(forecasts)]


def _headline(data: WatchData) -> list[dict[str, str]]:
    """The figures at the top: of the class in question, or of the rarest one."""
    c = data.rarest if data.focus is None else data.focus
    share, rates = data.shares[c], data.stored[c].rates
    name = data.called(c)
    cards = [
        ("rows", f"{data.n_rows:,}", ""),
        (f"share of {name}", percent(share.em.value), f"expected {percent(share.expected)}"),
    ]
    if rates is not None:
        precision, recall = rates.precision, rates.recall
        cards += [
            (f"precision expected for {name}", number(precision.value), _before(data, rates.measured_precision.value)),
            (f"recall expected for {name}", number(recall.value), _range(recall)),
            (f"flagged as {name}, of 1,000", f"{rates.found_flagged:.1f}", _before(data, rates.measured_flagged, 1)),
        ]
    return [{"name": title, "value": value, "note": note} for title, value, note in cards]


def _range(score: Score) -> str:
    return "" if score.interval is None else f"[{number(score.interval[0])}, {number(score.interval[1])}]"


def _before(data: WatchData, value: float, digits: int = 3) -> str:
    return "" if value != value else f"{value:.{digits}f} on {data.measured_on}"


def _shares_note(data: WatchData) -> str:
    left_out = len(data.shares) - len(shown_classes(data, MAX_PLOTTED))
    rows = f"all {data.n_rows:,} rows" if data.n_used == data.n_rows else f"{data.n_used:,} of {data.n_rows:,} rows"
    note = f"Estimated from {rows} with 95 % intervals. "
    if left_out:
        note += f"The plot shows the {MAX_PLOTTED} classes that differ most, the table all {len(data.shares)}. "
    if disagreeing := [each.name for each in data.shares if each.estimates_disagree]:
        note += f"EM and BBSE contradict each other on {listed(disagreeing)}: another sign that more has changed. "
    return note


def _tests(data: WatchData) -> list[dict[str, Any]]:
    """A row for each test: question, answer, and what that means."""
    prior, other = data.prior_shift, data.other_shift
    rows = [
        {
            "question": "Have the class shares changed?",
            **_answer(prior),
            "meaning": "The model's scores are distributed otherwise than on examples with the expected shares."
            if prior.alarm
            else "The model's scores are distributed as on examples with the expected shares.",
        }
    ]
    question = "Has anything else changed?"
    if isinstance(other, str):
        return [*rows, {"question": question, "answer": "not tested", "alarm": False, "p": "", "meaning": f"{other}."}]
    meaning = (
        "A classifier tells these rows from those of the run, even after their classes have the same shares. EM and "
        "BBSE assume that it cannot: do not trust them without labels."
        if other.alarm
        else "No classifier could tell these rows from those of the run, once their classes had the same shares. That "
        "is what EM and BBSE assume."
    )
    return [*rows, {"question": question, **_answer(other), "meaning": meaning}]


def _answer(test: ShiftTest) -> dict[str, Any]:
    return {"answer": "alarm" if test.alarm else "no alarm", "alarm": test.alarm, "p": p_value(test.p_value)}


def _changes(data: WatchData) -> list[dict[str, Any]]:
    """The columns that differ most: those that have changed, or else the first few."""
    found = [each for each in data.changes if each.changed] or list(data.changes[:3])
    return [
        {
            "column": each.column or "(no name)",
            "what": f"share of “{each.category}”" if each.what == "category" else _WHAT[each.what],
            "reference": column_value(each, each.reference),
            "new": column_value(each, each.new),
            "p": p_value(each.p_value),
            "changed": each.changed,
        }
        for each in found[:MAX_CHANGES]
    ]


_WHAT = {"median": "median", "half width": "half the distance of the quartiles", "missing": "share of missing values"}


def _changes_note(data: WatchData) -> str:
    changed = [each for each in data.changes if each.changed]
    note = f"Columns of {data.n_compared:,} rows, against those of the run with the estimated class shares. "
    if not changed:
        return f"{note}None differs significantly; these differ most."
    return note + (f"The {MAX_CHANGES} of {len(changed)} that differ most." if len(changed) > MAX_CHANGES else "")


def _stored_note(data: WatchData) -> str:
    note = (
        f"With 95 % intervals. Recall is expected to stay as it is on {data.measured_on}, precision follows the class "
        "shares. Flagged: of 1,000 rows of the file, in brackets the expected number."
    )
    warning = " These expectations hold only if nothing but the class shares has changed."
    return note + warning * data.other_alarm


def _proposal(data: WatchData) -> dict[str, Any]:
    if isinstance(data.proposal, str):
        return {"reason": f"{data.proposal[:1].upper()}{data.proposal[1:]}.", "note": "", "command": ""}
    prior = ", ".join(percent(share) for share in data.proposal.prior)
    shares = f" ({prior})" if len(data.proposal.prior) <= 4 else ""
    return {
        "reason": "",
        "note": f"Chosen by {data.proposal.rule} for the class shares that EM estimates{shares}. They are for "
        "probabilities adjusted to these shares: the numbers cannot be compared with the stored thresholds.",
        "command": data.proposal.command,
    }


def _about(data: WatchData) -> list[tuple[str, str]]:
    return [
        ("file", data.file.path),
        ("rows", f"{data.n_rows:,}; {data.n_used:,} for the shares, {data.n_compared:,} for the test of other changes"),
        ("compared with", f"{data.n_reference:,} {data.reference} examples of {data.run}"),
        ("created", data.created),
        ("seed", str(data.seed)),
    ]
