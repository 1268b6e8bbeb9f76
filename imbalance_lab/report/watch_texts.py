"""Sentences on a watched file that a person decides by; they claim no more than tests and intervals do."""

import math
from collections.abc import Sequence

from imbalance_lab.evaluation.column_changes import ColumnChange
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.watch_data import Proposal, WatchData
from imbalance_lab.report.terminal import interval

MAX_NAMES = 3
"""Classes and columns that a sentence names."""

MAX_LABELS = 2000
"""Rows that somebody may be asked to label at random."""


def verdict(data: WatchData) -> list[str]:
    """What has changed, the most important first, and what the stored thresholds will do there."""
    sentences = [_other(data), _shares(data)] if data.other_alarm else [_shares(data), _other(data)]
    expected = _expected(data)
    return [*sentences, *([expected] if expected else [])]


def advice(data: WatchData) -> list[str]:
    """What to do, the first thing first."""
    label = _labels(data)
    if data.other_alarm:
        return [
            "Do not act on the shares, rates and thresholds below yet: they hold only if nothing but the class shares "
            f"has changed. First {label}, and score them with imbalance-lab predict … --score.",
            "Look at the columns that differ most: an error in how the file was made shows there."
            if data.changes
            else "Look at some of the examples: an error in how they were made may show.",
            "If the labels confirm that the model has become worse, train again with examples like these.",
        ]
    caution = f"Nothing tells whether more has changed: {label} before anything expensive depends on it."
    skipped = [caution] if isinstance(data.other_shift, str) else []
    if not data.prior_shift.alarm:
        return ["Keep the thresholds." if skipped else "Keep the thresholds. No labels are needed now.", *skipped]
    use = (
        "Use the class priors and thresholds proposed below, or keep the stored ones if the expected rates will do."
        if isinstance(data.proposal, Proposal)
        else f"No thresholds are proposed: {data.proposal}."
    )
    return [use, *(skipped or [f"Labels are not needed for that; to confirm it later, {label}."])]


def percent(share: float, digits: int | None = None) -> str:
    """A share as text, with a digit more for each power of ten below 1 %.

    >>> percent(0.024), percent(0.0024), percent(0.5)
    ('2.4 %', '0.24 %', '50.0 %')
    """
    return f"{100 * share:.{_digits(share) if digits is None else digits}f} %"


def percent_interval(score: Score) -> str:
    """A share with its interval, in the same digits.

    >>> percent_interval(Score(0.024, (0.019, 0.03)))
    '2.4 % [1.9, 3.0]'
    """
    if score.interval is None:
        return percent(score.value)
    low, high = score.interval
    digits = _digits(max(score.value, high / 4))
    return f"{percent(score.value, digits)} [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


def column_value(change: ColumnChange, value: float) -> str:
    """A share, or a value of the column; a dash for undefined."""
    return percent(value) if change.is_share else "–" if math.isnan(value) else f"{value:.4g}"


def p_value(p: float) -> str:
    """Three digits; "< 0.001" below."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _digits(share: float) -> int:
    return next((digits for digits, least in enumerate((0.01, 0.001, 0.0001), 1) if share >= least), 4)


def _shares(data: WatchData) -> str:
    rows = f"{data.n_used:,} rows"
    if not data.prior_shift.alarm:
        c = data.rarest if data.focus is None else data.focus
        share = data.shares[c]
        return (
            f"The class shares are as expected, as far as {rows} can tell: {data.called(c)} "
            f"{percent_interval(share.em)}, expected {percent(share.expected)}."
        )
    changed = data.changed
    if data.positive is not None and changed:
        return f"{'By EM, the' if data.other_alarm else 'The'} share of {_change(data, data.positive)}."
    if not changed:
        return f"The class shares have changed ({p_value(data.prior_shift.p_value)}), but {rows} cannot tell which."
    named = "; ".join(_change(data, c) for c in changed[:MAX_NAMES])
    more = f"; and {len(changed) - MAX_NAMES} more" if len(changed) > MAX_NAMES else ""
    return f"The class shares have changed{', by EM' * data.other_alarm}: {named}{more}."


def _change(data: WatchData, c: int) -> str:
    share = data.shares[c]
    how = f"has {share.direction}" if share.direction else "may have moved"
    return f"{data.called(c)} {how} from {percent(share.expected)} to {percent_interval(share.em)}"


def _other(data: WatchData) -> str:
    test = data.other_shift
    if isinstance(test, str):
        return f"Whether anything else has changed was not tested: {test}."
    if not test.alarm:
        return f"No other change of the inputs was found among {data.n_compared:,} rows."
    columns = [each.column for each in data.changes if each.changed]
    where = f", most of all in {listed(columns)}" if columns else ""
    return f"More than the class shares has changed{where} ({p_value(test.p_value)}): EM cannot be trusted here."


def _expected(data: WatchData) -> str | None:
    """The rates of the threshold of the class in question, if anything has changed."""
    c = data.focus
    rates = None if c is None else data.stored[c].rates
    if c is None or rates is None or rates.precision.interval is None or not data.alarm:
        return None
    of = f"stored threshold of {data.called(c)}"
    what = f"If only the shares had changed, the {of} would have" if data.other_alarm else f"The {of} will have"
    before = f"{rates.measured_precision.value:.3f} on {data.measured_on}"
    return f"{what} precision {interval(rates.precision)} there ({before}) and recall {interval(rates.recall)}."


def _labels(data: WatchData) -> str:
    """Which rows to label, so that the class in question is among them."""
    c, n = data.rarest if data.focus is None else data.focus, data.labels_needed
    if n >= data.n_rows and n <= MAX_LABELS:
        return f"label all {n:,} rows"
    if n > MAX_LABELS:
        return f"label the 200 rows with the highest probability of {data.called(c)}, and 200 drawn at random"
    positives = round(n * data.shares[c].em.value)
    return f"label {n:,} rows drawn at random (about {positives:,} of {data.called(c)} are expected among them)"


def listed(names: Sequence[str]) -> str:
    """At most `MAX_NAMES` names, and how many more there are."""
    shown = [name or "(no name)" for name in names[:MAX_NAMES]]
    if len(names) > MAX_NAMES:
        shown.append(f"{len(names) - MAX_NAMES} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
