"""How often each class is predicted and flagged in an input, beside validation, for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.deployment.predict import PredictionSummary
from imbalance_lab.report.evaluation_table import LISTED, MAX_CLASSES
from imbalance_lab.report.terminal import plain_table


def prediction_table(
    summary: PredictionSummary, title: str, train_counts: Sequence[int], reported: Sequence[int]
) -> Table:
    """Per class: examples predicted and flagged, and flagged of 1,000 examples, here and on validation.

    Args:
        summary: what was predicted.
        title: above the table.
        train_counts: training examples of each class, (C,).
        reported: the classes that the task reports; of many, the rarest that were predicted or flagged are listed.
    """
    occurring = [c for c in reported if summary.classes[c].predicted or summary.classes[c].flagged]
    is_long = len(reported) > MAX_CLASSES
    shown = sorted(occurring, key=lambda c: train_counts[c])[:LISTED] if is_long else reported
    table = plain_table(title)
    table.add_name_column()
    table.add_number_columns(("predicted", 3), ("threshold", 4), ("flagged", 2), ("of 1,000", 0), ("on validation", 1))
    for rates in (summary.classes[c] for c in shown):
        table.add_row(
            rates.name,
            "–" if rates.predicted is None else f"{rates.predicted:,}",
            "–" if rates.threshold is None else f"{rates.threshold:.4f}",
            "–" if rates.flagged is None else f"{rates.flagged:,}",
            "–" if rates.flagged is None else f"{1000 * rates.flagged / rates.n:.2f}",
            "–" if rates.on_validation is None else f"{1000 * rates.on_validation[0] / rates.on_validation[1]:.2f}",
        )
    if is_long:
        of = f"{len(occurring)} classes that were predicted or flagged"
        table.caption = of if len(shown) == len(occurring) else f"the {len(shown)} rarest of {of}"
    return table


def difference_lines(summary: PredictionSummary, watch: str) -> list[str]:
    """What differs from validation by more than chance; ``watch`` is the command that looks into it."""
    different = [rates.name for rates in summary.classes if rates.differs]
    if not different:
        return []
    more = f" and {len(different) - 8} more" if len(different) > 8 else ""
    return [
        f"flagged more or less often than on validation, beyond chance: {', '.join(different[:8])}{more}; see {watch}"
    ]
