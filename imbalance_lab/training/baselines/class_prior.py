"""The class prior: every row has the class shares of the training rows as its probabilities."""

import numpy as np

from imbalance_lab.training.baselines.examples import FittedModel, Logits, Rows, TableExamples


def fit_class_prior(train: TableExamples) -> FittedModel:
    """The class shares; a class without a training row counts as half a row."""
    counts = np.bincount(train.target, minlength=train.num_classes).astype(np.float64)
    shares = np.log(np.maximum(counts, 0.5) / len(train))

    def logits(rows: Rows) -> Logits:
        return np.tile(shares, (len(rows), 1))

    return FittedModel(logits, "the class shares of the training rows")
