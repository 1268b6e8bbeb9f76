"""How often each class is predicted and flagged in an input, beside validation, for the terminal."""

from rich.table import Table

from imbalance_lab.deployment.predict import PredictionSummary
from imbalance_lab.report.terminal import plain_table


def prediction_table(summary: PredictionSummary, title: str) -> Table:
    """Per class: examples predicted and flagged, and flagged of 1,000 examples, here and on validation."""
    table = plain_table(title)
    table.add_column("class", overflow="ellipsis", max_width=22, no_wrap=True)
    for heading in ("predicted", "threshold", "flagged", "of 1,000", "on validation"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rates in summary.classes:
        table.add_row(
            rates.name,
            "–" if rates.predicted is None else f"{rates.predicted:,}",
            "–" if rates.threshold is None else f"{rates.threshold:.4f}",
            "–" if rates.flagged is None else f"{rates.flagged:,}",
            "–" if rates.flagged is None else f"{1000 * rates.flagged / rates.n:.2f}",
            "–" if rates.on_validation is None else f"{1000 * rates.on_validation[0] / rates.on_validation[1]:.2f}",
        )
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
