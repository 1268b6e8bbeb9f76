"""The table of the classes with many, medium and few training examples, as plain values for the page's script."""

from typing import Any

from imbalance_lab.evaluation.report_data import ReportData
from imbalance_lab.evaluation.scores import defined


def shot_group_rows(data: ReportData) -> list[dict[str, Any]]:
    """A row for each group; none where all classes are in one, whose means are the macro scores."""
    if len(data.shot_groups) < 2:
        return []
    many, few = data.test.limits
    ranges = {"many": f"more than {many:,}", "medium": f"{few:,} to {many:,}", "few": f"fewer than {few:,}"}
    return [
        {
            "group": each.group,
            "range": ranges[each.group],
            "n_classes": each.n_classes,
            "n_tested": each.n_tested,
            "n_train": each.n_train,
            "n_test": each.n_test,
            "recall": defined(each.recall),
            "auroc": defined(each.auroc),
            "average_precision": defined(each.average_precision),
        }
        for each in data.shot_groups
    ]
