"""What a user would train instead of a net on a table: class prior, logistic regression, gradient boosting."""

from imbalance_lab.training.baselines.examples import TableExamples
from imbalance_lab.training.baselines.fit import (
    FittedBaseline,
    FittedBaselines,
    fit_baselines,
    has_baselines,
)

__all__ = ["FittedBaseline", "FittedBaselines", "TableExamples", "fit_baselines", "has_baselines"]
