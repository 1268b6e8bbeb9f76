"""What stored thresholds will do under other class shares: their recall and precision there (label shift)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.metrics.distributions import normal_quantile, proportion_interval
from imbalance_lab.posthoc import Threshold
from imbalance_lab.posthoc.threshold import Scores, is_flagged
from imbalance_lab.shift.estimate import PriorEstimate
from imbalance_lab.task import Target

Array = NDArray[np.float64]
Interval = tuple[float, float]
LEVEL = 0.95


@dataclass(frozen=True)
class ExpectedRates:
    """What one class's threshold will do in the new population, with 95 % intervals.

    Args:
        log_odds: the threshold; +inf flags nothing.
        recall: the share of the class's rows that are flagged; label shift does not change it.
        precision: the share of the flagged rows that have the class; NaN if nothing is flagged.
        flagged: the share of all rows that are flagged.
    """

    log_odds: float
    recall: float
    recall_interval: Interval
    precision: float
    precision_interval: Interval
    flagged: float

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is null."""
        return {**asdict(self), "precision": None if np.isnan(self.precision) else self.precision}


def expected_rates(
    log_odds: Scores, target: Target, thresholds: Sequence[Threshold | str], estimate: PriorEstimate
) -> tuple[ExpectedRates | None, ...]:
    """The recall and precision of stored thresholds under the estimated shares; None for a class without a threshold.

    With the shares f_k of the reference rows of class k that are flagged, class c has the recall f_c and the precision
    π_c f_c / Σ_k π_k f_k. The interval of recall is Wilson's. That of precision combines, on the scale of log-odds, the
    intervals of f_c, of the false positive rate and of π_c (MOVER; Zou & Donner 2008).

    Args:
        log_odds: (N, C) of the reference, on the scale of the thresholds.
        target: class indices (N,), or under sigmoid 0/1 (N, C).
        thresholds: of each class, or why it has none.
        estimate: the shares of the new sample.

    Raises:
        TypeError, ValueError: for arrays that do not fit together.
    """
    log_odds, target = as_examples(log_odds, target, "log_odds")
    if not len(thresholds) == len(estimate.prior) == log_odds.shape[1]:
        raise ValueError(
            f"log_odds, thresholds and the estimate must be of the same classes, got {log_odds.shape[1]}, "
            f"{len(thresholds)} and {len(estimate.prior)} of them"
        )
    found: list[ExpectedRates | None] = []
    for c, threshold in enumerate(thresholds):
        if not isinstance(threshold, Threshold):
            found.append(None)
            continue
        flags = is_flagged(log_odds[:, c].astype(np.float32), np.float32(threshold.log_odds))
        stratum, shares, own = class_strata(target, estimate.prior, c)
        rates = _class_rates(flags, stratum, shares, own, estimate.interval[c])
        found.append(ExpectedRates(threshold.log_odds, *rates))
    return tuple(found)


def class_strata(target: Target, prior: Sequence[float], c: int) -> tuple[NDArray[np.int64], Array, int]:
    """The stratum of each row (N,), the shares of the strata (K,), and which stratum is class c.

    They are the classes; of labels, or a single logit, the rows without and with label c.
    """
    if target.ndim == 1 and len(prior) > 1 and abs(sum(prior) - 1) < 1e-6:
        return target.astype(np.int64, copy=False), np.asarray(prior, np.float64), c
    has = target[:, c] if target.ndim == 2 else target == (c if len(prior) > 1 else 1)
    return has.astype(np.int64), np.array([1 - prior[c], prior[c]]), 1


def _class_rates(
    flags: NDArray[np.bool_], stratum: NDArray[np.int64], shares: Array, own: int, share_interval: Interval
) -> tuple[float, Interval, float, Interval, float]:
    counts = np.bincount(stratum, minlength=len(shares))
    if not counts.all():
        raise ValueError(f"every class needs reference rows, got {counts.tolist()} of them")
    rates = np.bincount(stratum, flags, len(shares)) / counts
    others = np.where(np.arange(len(shares)) == own, 0, np.maximum(shares, 1e-12))
    others /= others.sum()
    recall, fpr, share = float(rates[own]), float(others @ rates), float(shares[own])
    recall_interval = proportion_interval(recall, int(counts[own]), normal_quantile(LEVEL))
    variance = float((others**2 * rates * (1 - rates) / counts).sum())
    # The number of rows of one class that would give the rate's variance.
    effective = fpr * (1 - fpr) / variance if variance > 0 else 1 / float((others**2 / counts).sum())
    fpr_interval = proportion_interval(fpr, effective, normal_quantile(LEVEL))
    flagged = share * recall + (1 - share) * fpr
    precision = share * recall / flagged if flagged > 0 else float("nan")
    half = (recall * counts[own] + 0.5) / (counts[own] + 1), (fpr * effective + 0.5) / (effective + 1)
    interval = _precision_interval(share, share_interval, half, recall_interval, fpr_interval)
    if not np.isnan(precision):
        interval = min(interval[0], precision), max(interval[1], precision)
    return recall, recall_interval, precision, interval, flagged


def _precision_interval(
    share: float, share_interval: Interval, rates: tuple[float, float], recall: Interval, fpr: Interval
) -> Interval:
    """MOVER of log-odds(share) + log recall − log fpr; ``rates`` are both with half a row more, so that none is 0."""
    if share_interval in ((0, 0), (1, 1)):
        return share_interval
    inside = share if 0 < share < 1 else float(np.mean(share_interval))
    with np.errstate(divide="ignore", invalid="ignore"):
        share_low, share_high = logit(share_interval)
        (recall_low, recall_high), (fpr_low, fpr_high) = np.log(recall), np.log(fpr)
    odds, log_recall, log_fpr = float(logit(inside)), *np.log(rates)
    center = odds + log_recall - log_fpr
    ends = (
        center - np.linalg.norm([odds - share_low, log_recall - recall_low, fpr_high - log_fpr]),
        center + np.linalg.norm([share_high - odds, recall_high - log_recall, log_fpr - fpr_low]),
    )
    return float(expit(ends[0])), float(expit(ends[1]))
