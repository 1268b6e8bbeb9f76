"""Fitted prediction sets: the classes that are plausible for an example, each by a quantile of its own or a shared one.

A class is in the set of an example if its log-odds are at least those of the class's quantile. That is the score 1 − p
of LAC (Sadinle, Lei & Wasserman 2019) below its quantile: log-odds order examples as p does, and never saturate.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import expit

from imbalance_lab.validation import check_integer, check_list, check_number

NULL_CLUSTER = "null"
"""The cluster of the classes that have too few examples to be compared with others."""


@dataclass(frozen=True)
class ClassQuantile:
    """The quantile of one class.

    Args:
        log_odds: the lowest log-odds with which the class is in a set.
        n_class: calibration examples of the class.
        n: calibration examples that the quantile is of.
        cluster: the name of the cluster whose classes share the quantile; None for a quantile of the class's own.
    """

    log_odds: float
    n_class: int
    n: int
    cluster: str | None = None

    def __post_init__(self) -> None:
        check_number("log_odds of a quantile", self.log_odds)
        check_integer("n_class", self.n_class, minimum=0)
        check_integer("n", self.n, minimum=1)
        if self.cluster is not None and not isinstance(self.cluster, str):
            raise TypeError(f"cluster must be a name, got {self.cluster!r}")

    @property
    def min_probability(self) -> float:
        """The lowest probability with which the class is in a set."""
        return float(expit(self.log_odds))


@dataclass(frozen=True)
class ClassConditionalSets:
    """Prediction sets that hold the true class of at least 1 − ``alpha`` of the examples of each class.

    The guarantee is P(y ∈ set | y = c) ≥ 1 − alpha, over the calibration and the new example, for a class with a
    quantile of its own; classes of a cluster have it together, P(y ∈ set | y in the cluster) ≥ 1 − alpha, not each on
    its own. It needs examples that are exchangeable with the calibration split *within a class*. So it survives
    label shift, where the shares of the classes change and p(x | c) does not; it does not survive a change of p(x | c).

    A prior correction is a part of the score, as fixed as the net: whichever class priors it stands for, sets with it
    cover as promised, and only their sizes differ. But quantiles of one correction are not those of another. So sets
    keep the ``offset`` that they were fitted with, and another choice of class priors later does not change them.

    For labels a set has the labels that are possible: of the examples *with* a label, at least 1 − alpha have it in
    their set. Nothing is promised for all labels of an example together, or for those without the label.

    Args:
        alpha: the share of a class's examples that may be missed, in (0, 1).
        offset: (C,) the prior correction's offset to the calibrated logits that the scores were computed with.
        quantiles: (C,) one for each class.

    Raises:
        TypeError, ValueError: for arguments that do not fit.
    """

    alpha: float
    offset: tuple[float, ...]
    quantiles: tuple[ClassQuantile, ...]

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, above=0, below=1)
        offset = tuple(check_number("offset", each) for each in check_list("offset", self.offset, len(self.quantiles)))
        object.__setattr__(self, "offset", offset)

    @property
    def log_odds(self) -> list[float]:
        """The log-odds of each class's quantile, (C,)."""
        return [each.log_odds for each in self.quantiles]

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values, with the names of the classes for the reader."""
        rows = [
            {"name": name, "min_probability": each.min_probability, **asdict(each)}
            for name, each in zip(classes, self.quantiles, strict=True)
        ]
        return {"alpha": self.alpha, "offset": list(self.offset), "classes": rows}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ClassConditionalSets":
        """Read what `as_json` returned."""
        fields = ClassQuantile.__dataclass_fields__
        quantiles = tuple(ClassQuantile(**{name: row[name] for name in fields}) for row in content["classes"])
        return cls(content["alpha"], tuple(content["offset"]), quantiles)
