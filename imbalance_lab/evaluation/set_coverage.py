"""What prediction sets do on test: how often they hold the true class, class by class, and how large they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import ClassQuantile, PostProcessor


@dataclass(frozen=True)
class ClassCoverage:
    """The sets of the test examples of one class, or label.

    Args:
        name: of the class.
        quantile: how its place in a set is decided.
        n: its test examples.
        coverage: the share of them whose set has the class.
        mean_size: the mean number of classes in their sets; NaN without examples.
    """

    name: str
    quantile: ClassQuantile
    n: int
    coverage: Score
    mean_size: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "n_calibration": self.quantile.n_class,
            "cluster": self.quantile.cluster,
            "min_probability": self.quantile.min_probability,
            "n": self.n,
            "coverage": self.coverage.as_json(),
            "mean_size": defined(self.mean_size),
        }


@dataclass(frozen=True)
class ClusterCoverage:
    """The sets of the test examples of all classes that share a quantile, to which alone the guarantee is given."""

    name: str
    classes: tuple[str, ...]
    n_calibration: int
    n: int
    coverage: Score

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "classes": list(self.classes),
            "n_calibration": self.n_calibration,
            "n": self.n,
            "coverage": self.coverage.as_json(),
        }


@dataclass(frozen=True)
class SetCoverage:
    """The prediction sets of the test split.

    Args:
        alpha: the share of a class's examples that may be missed.
        n: test examples.
        mean_size: the mean number of classes in a set.
        single, empty: the shares of sets of one class, and of none.
        classes: (C,) results.
        clusters: results of the clusters.
    """

    alpha: float
    n: int
    mean_size: float
    single: Score
    empty: Score
    classes: tuple[ClassCoverage, ...]
    clusters: tuple[ClusterCoverage, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `metrics.json`."""
        return {
            "alpha": self.alpha,
            "n": self.n,
            "mean_size": defined(self.mean_size),
            "single": self.single.as_json(),
            "empty": self.empty.as_json(),
            "classes": [each.as_json() for each in self.classes],
            "clusters": [each.as_json() for each in self.clusters],
        }


def score_sets(postprocessor: PostProcessor, predictions: Predictions) -> SetCoverage | None:
    """The prediction sets of these examples, which they were not fitted on; None if there are no sets."""
    fitted = postprocessor.prediction_sets
    if fitted is None:
        return None
    sets, positive = postprocessor.sets(predictions.logits), predictions.task.one_hot(predictions.target)
    size, covered, n = sets.sum(1), (sets & positive).sum(0), positive.sum(0)
    classes = tuple(
        ClassCoverage(name, quantile, int(n[c]), _share(covered[c], n[c]), _mean(size[positive[:, c]]))
        for c, (name, quantile) in enumerate(zip(predictions.classes, fitted.quantiles, strict=True))
    )
    names = sorted(
        {each.cluster for each in fitted.quantiles if each.cluster is not None}, key=lambda name: (len(name), name)
    )
    return SetCoverage(
        alpha=fitted.alpha,
        n=len(sets),
        mean_size=_mean(size),
        single=_share((size == 1).sum(), len(sets)),
        empty=_share((size == 0).sum(), len(sets)),
        classes=classes,
        clusters=tuple(_cluster(name, classes, covered) for name in names),
    )


def _cluster(name: str, classes: Sequence[ClassCoverage], covered: NDArray[np.int64]) -> ClusterCoverage:
    members = [c for c, each in enumerate(classes) if each.quantile.cluster == name]
    n = sum(classes[c].n for c in members)
    named = tuple(classes[c].name for c in members)
    return ClusterCoverage(name, named, classes[members[0]].quantile.n, n, _share(covered[members].sum(), n))


def _share(part: int | np.integer[Any], n: int | np.integer[Any]) -> Score:
    """A proportion with its Wilson interval; undefined without trials."""
    return Score(int(part) / int(n) if n else math.nan, wilson_interval(int(part), int(n)))


def _mean(values: NDArray[np.int64]) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean()) if len(values) else math.nan
