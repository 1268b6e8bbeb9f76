"""Thresholds for other class shares: a threshold rule applied to a reference sample with these shares."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_examples
from imbalance_lab.posthoc import AlertBudget, MaxF1, Threshold, ThresholdError, ThresholdRule
from imbalance_lab.posthoc.threshold import Scores
from imbalance_lab.shift.expected_rates import class_strata
from imbalance_lab.task import Target, one_hot

Array = NDArray[np.float64]
REPEATED_ROWS = 1_000_000


def propose_thresholds(
    rule: ThresholdRule, log_odds: Scores, target: Target, prior: Sequence[float]
) -> tuple[Threshold | str, ...]:
    """The thresholds that ``rule`` chooses for other class shares; for a class that gets none, why.

    A rule that holds under prior shift (minimum recall, minimum cost) sees the reference as it is. `MaxF1` and
    `AlertBudget`, which promise nothing, see its rows repeated until the classes have the new shares. Any other rule
    sees a selection of the rows: what it guarantees depends on their number, and a repeated row is no new evidence. The
    counts in the result are those of the reference as it is.

    Args:
        rule: as in ``operating_point``.
        log_odds: (N, C) of the reference, adjusted to the new shares.
        target: class indices (N,), or under sigmoid 0/1 (N, C).
        prior: the new shares (C,).

    Raises:
        TypeError, ValueError: for arrays that do not fit together.
    """
    log_odds, target = as_examples(log_odds, target, "log_odds")
    if len(prior) != log_odds.shape[1]:
        raise ValueError(f"prior must have a share for each of {log_odds.shape[1]} classes, got {len(prior)}")
    positive = one_hot(target, len(prior)) if len(prior) > 1 or target.ndim == 2 else (target == 1)[:, None]
    found: list[Threshold | str] = []
    for c in range(len(prior)):
        scores, stratum = log_odds[:, c].astype(np.float32), class_strata(target, prior, c)
        try:
            rows = _rows_for(rule, scores, positive[:, c], stratum[0], stratum[1])
            found.append(rule(scores[rows], positive[rows, c]).on(scores, positive[:, c]))
        except ThresholdError as error:
            found.append(str(error))
    return tuple(found)


def _rows_for(
    rule: ThresholdRule, scores: Scores, positive: NDArray[np.bool_], stratum: NDArray[np.int64], shares: Array
) -> NDArray[np.int64]:
    """The rows of the reference that the rule sees, some of them repeated or left out."""
    holds = getattr(rule, "holds_under_prior_shift", None)
    if holds is not None and holds(len(shares)):
        return np.arange(len(scores))
    counts = np.bincount(stratum, minlength=len(shares))
    if isinstance(rule, MaxF1 | AlertBudget):
        rule(scores, positive)  # raises if the reference itself has too few rows
        size = max(len(scores), REPEATED_ROWS)
    else:
        size = int(np.min(counts[shares > 0] / shares[shares > 0]))
    wanted = np.round(shares * size).astype(int)
    return np.concatenate([_systematic(scores, np.flatnonzero(stratum == k), n) for k, n in enumerate(wanted)])


def _systematic(scores: Scores, rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """N of the rows, evenly over their order by score, so that no luck of the draw comes in."""
    ordered = rows[np.argsort(scores[rows], kind="stable")]
    return ordered[((np.arange(n) + 0.5) * len(rows) / max(n, 1)).astype(np.int64)]
