"""The baselines of a table, trained on the same rows as the net, from raw columns: nothing of the net is used."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbalance_lab.data import Splits
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.data.tables import Rows
from imbalance_lab.text import visible
from imbalance_lab.training.baselines.class_prior import fit_class_prior
from imbalance_lab.training.baselines.examples import FittedModel, Logits, TableExamples
from imbalance_lab.training.baselines.gradient_boosting import fit_gradient_boosting
from imbalance_lab.training.baselines.logistic_regression import fit_logistic_regression

SEED = 0
"""Of the rows that are drawn: the same in every run, so that runs on the same splits have the same baselines."""

TIME_LIMIT = 60.0
"""Seconds after which gradient boosting adds no trees."""

Fit = Callable[[TableExamples, TableExamples], FittedModel]


@dataclass(frozen=True)
class FittedBaseline:
    """A trained baseline with what it says of the examples.

    Args:
        key: "class_prior", "logistic_regression" or "gradient_boosting".
        about: how it was trained.
        seconds: how long that took.
        logits: by split, "val" and "test", of all its rows, (N, C) float32; softmax, or sigmoid of labels.
    """

    key: str
    about: str
    seconds: float
    logits: Mapping[str, NDArray[np.float32]]


class FittedBaselines(NamedTuple):
    """The baselines that could be trained, and why others could not, by key."""

    fitted: tuple[FittedBaseline, ...]
    left_out: dict[str, str]


def has_baselines(splits: Splits) -> bool:
    """Whether the data are rows of a table, which alone have baselines."""
    return isinstance(splits.input_schema, TableSchema) and isinstance(splits.train, Rows)


def fit_baselines(splits: Splits, *, threads: int | None = None, seconds: float = TIME_LIMIT) -> FittedBaselines:
    """Train class prior, logistic regression and gradient boosting on the training rows of a table.

    What they choose, a penalty or a number of trees, they choose on the validation split. In a multilabel task each
    label has models of its own. A baseline that fails is left out and stops nothing.

    Args:
        splits: see `has_baselines`.
        threads: how many work; as many as torch uses if None.
        seconds: see `TIME_LIMIT`.
    """
    threads = threads or torch.get_num_threads()
    limit = seconds / (len(splits.classes) if splits.is_multilabel else 1)
    fits: dict[str, Fit] = {
        "class_prior": lambda train, _: fit_class_prior(train),
        "logistic_regression": partial(fit_logistic_regression, seed=SEED),
        "gradient_boosting": partial(fit_gradient_boosting, seed=SEED, threads=threads, seconds=limit),
    }
    fitted, left_out = [], {}
    for key, fit in fits.items():
        started = time.perf_counter()
        try:
            about, logits = _fit_labels(splits, fit) if splits.is_multilabel else _fit_classes(splits, fit)
            if not all(np.isfinite(each).all() for each in logits.values()):
                raise ValueError("its scores are not finite")
        except Exception as error:  # whatever goes wrong in another library, the run goes on
            left_out[key] = visible(" ".join(f"{error}".split()) or type(error).__name__)
        else:
            found = {split: each.astype(np.float32) for split, each in logits.items()}
            fitted.append(FittedBaseline(key, about, time.perf_counter() - started, found))
    return FittedBaselines(tuple(fitted), left_out)


def _fit_classes(splits: Splits, fit: Fit) -> tuple[str, dict[str, Logits]]:
    """How the model was trained, and its logits by split."""
    train, val = (_examples(splits, split) for split in ("train", "val"))
    model = fit(train, val)
    return model.about, {split: model.logits(_rows(splits, split)) for split in ("val", "test")}


def _fit_labels(splits: Splits, fit: Fit) -> tuple[str, dict[str, Logits]]:
    """A model for each label; its log-odds are the label's logit."""
    models = [fit(_examples(splits, "train", c), _examples(splits, "val", c)) for c in range(len(splits.classes))]
    logits: dict[str, Logits] = {}
    for split in ("val", "test"):
        rows = _rows(splits, split)
        both = [model.logits(rows) for model in models]
        logits[split] = np.stack([of_label[:, 1] - of_label[:, 0] for of_label in both], 1)
    return f"one for each label; of the first: {models[0].about}", logits


def _rows(splits: Splits, split: str) -> NDArray[np.float32]:
    source = splits.parts[split]
    assert isinstance(source, Rows)
    return source.inputs.numpy()


def _examples(splits: Splits, split: str, label: int | None = None) -> TableExamples:
    """The rows of a split with their classes, or with one of their labels as 0 and 1."""
    schema, target = splits.input_schema, splits.parts[split].targets.numpy()
    assert isinstance(schema, TableSchema)
    classes = (target, len(splits.classes)) if label is None else (np.ascontiguousarray(target[:, label]), 2)
    return TableExamples(_rows(splits, split), classes[0], len(schema.numbers), classes[1])
