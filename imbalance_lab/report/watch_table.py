"""What was found in a watched file, in the terminal."""

from rich.table import Table

from imbalance_lab.evaluation.threshold_rates import ThresholdForecast
from imbalance_lab.evaluation.watch_data import Proposal, WatchData
from imbalance_lab.report.evaluation_table import LISTED, MAX_CLASSES
from imbalance_lab.report.terminal import console, interval, number, plain_table
from imbalance_lab.report.watch_texts import advice, column_value, p_value, percent, percent_interval, verdict

MAX_COLUMNS = 5
"""Changed columns that have a line."""


def print_watch(data: WatchData) -> None:
    """Print the shares, the tests, the thresholds, and what to do."""
    out = console()
    for sentence in verdict(data):
        out.print(sentence, soft_wrap=True)
    out.print()
    out.print(shares_table(data))
    out.print()
    for line in test_lines(data):
        out.print(line, soft_wrap=True)
    shown = shown_classes(data)
    if any(each.rates for each in data.stored):
        out.print()
        out.print(thresholds_table("Stored thresholds, as expected in the file", data, data.stored, shown))
    if isinstance(data.proposal, Proposal):
        out.print()
        title = f"Proposed thresholds for the estimated shares: {data.proposal.rule}"
        out.print(thresholds_table(title, data, data.proposal.thresholds, shown))
        out.print(data.proposal.command, soft_wrap=True)
    out.print()
    for sentence in advice(data):
        out.print(f"→ {sentence}", soft_wrap=True)
    for note in data.notes:
        out.print(f"note: {note}", style="yellow", soft_wrap=True)


def shown_classes(data: WatchData, most: int | None = None) -> list[int]:
    """The ``most`` classes whose shares differ most by a factor, in class order; None for what a terminal lists."""
    if most is None:
        most = MAX_CLASSES if len(data.shares) <= MAX_CLASSES else LISTED
    order = sorted(range(len(data.shares)), key=lambda c: -data.shares[c].ratio)
    return sorted(order[:most])


def shares_table(data: WatchData) -> Table:
    """Per class: the share in training, as expected, and estimated by both methods."""
    table = plain_table(f"Class shares of {data.file.name}: {data.n_used:,} of {data.n_rows:,} rows")
    table.add_name_column()
    table.add_number_columns(("training", 2), ("expected", 3), ("EM [95 % CI]", 1), ("BBSE [95 % CI]", 4))
    shown = shown_classes(data)
    for share in (data.shares[c] for c in shown):
        cells = (
            percent(share.train),
            percent(share.expected),
            percent_interval(share.em),
            percent_interval(share.bbse),
        )
        table.add_row(share.name, *cells, style="yellow" if share.direction and data.prior_shift.alarm else None)
    if len(shown) < len(data.shares):
        table.caption = f"the {len(shown)} of {len(data.shares)} classes that differ most; all of them in the page"
    return table


def test_lines(data: WatchData) -> list[str]:
    """Both tests, and the columns that have changed."""
    prior, other = data.prior_shift, data.other_shift
    lines = [f"shift of the class shares: {'ALARM' if prior.alarm else 'no alarm'}, {p_value(prior.p_value)}"]
    if isinstance(other, str):
        return [*lines, f"other shift: not tested: {other}"]
    lines.append(f"other shift: {'ALARM' if other.alarm else 'no alarm'}, {p_value(other.p_value)}")
    for each in [change for change in data.changes if change.changed][:MAX_COLUMNS]:
        what = f"share of {each.category}" if each.what == "category" else each.what
        before, after = (column_value(each, value) for value in (each.reference, each.new))
        lines.append(f"  {each.column}: {what} {before} → {after}")
    return lines


def thresholds_table(title: str, data: WatchData, thresholds: tuple[ThresholdForecast, ...], shown: list[int]) -> Table:
    """Per class: what the threshold does on labelled examples, and what to expect of it in the file."""
    table = plain_table(title)
    table.add_name_column()
    table.add_number_columns(("threshold", 0), ("recall [95 % CI]", 4), (f"precision on {data.measured_on}", 3))
    table.add_number_columns(("expected [95 % CI]", 1), ("flagged ‰", 2))
    for c in shown:
        each, rates = thresholds[c], thresholds[c].rates
        if rates is None or each.threshold is None:
            table.add_row(data.shares[c].name, *"–––––")
            continue
        precision = (number(rates.measured_precision.value), interval(rates.precision))
        cells = (f"{each.threshold:.4f}", interval(rates.recall), *precision, f"{rates.found_flagged:.1f}")
        table.add_row(data.shares[c].name, *cells)
    return table
