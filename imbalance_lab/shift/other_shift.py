"""Has more changed than the class shares? A classifier two-sample test that is right under pure prior shift.

A classifier is trained on one half of the rows to tell the new ones from the reference's, whose classes have the
weights of the estimated shares; on the other half its score must not know them apart (Lopez-Paz & Oquab 2017, arXiv
1610.06545). Under prior shift the mean score of the new rows is Σ_k π_k m_k with the class-wise means m_k in the
reference. The shares π are estimated from the same rows; so the score is made independent of them: with the votes h
(`imbalance_lab.shift.share_interval`), whose mean in class k is 1 for k and 0 for the others, the remainder

    r(x) = s(x) − Σ_k m_k h_k(x)

has the mean 0 in every class, hence in every mixture of them, and a t-test of its mean needs no estimate of π.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbalance_lab.metrics.array_inputs import as_target
from imbalance_lab.posthoc.activation import validate_class_priors
from imbalance_lab.shift.estimate import PriorEstimate
from imbalance_lab.shift.feature_design import FeatureDesign, as_features, feature_design
from imbalance_lab.shift.share_interval import class_means
from imbalance_lab.shift.shift_test import MeanDifference, ShiftPart, ShiftTest, mean_difference
from imbalance_lab.task import Target
from imbalance_lab.validation import check_integer, check_number

Array = NDArray[np.float64]
MIN_ROWS = 4


def other_shift_test(
    reference_features: Any,
    reference_target: Target,
    features: Any,
    estimate: PriorEstimate | Sequence[float],
    *,
    categorical: Sequence[int] = (),
    level: float = 0.005,
    seed: int = 0,
) -> ShiftTest:
    """Test whether the features of each class are distributed in the new sample as in the reference.

    Two classifiers (logistic regression and gradient boosting) are each trained on either half and tested on the
    other; the p-value is 4 times the smallest (Bonferroni). Equal rows fall into the same half. ``parts`` compares
    every feature on its own, on all rows: which changed most.

    Args:
        reference_features: (N, F) numbers; NaN is missing.
        reference_target: class indices (N,).
        features: (M, F) of the new sample.
        estimate: the estimated shares of exactly these rows, from `estimate_prior_em` or `estimate_prior_bbse`; or
            known shares (C,).
        categorical: the columns whose numbers are codes of categories.
        level: the share of false alarms without other shift.
        seed: of the halves and of the boosting.

    Raises:
        TypeError, ValueError: for arrays that do not fit together, labels (N, C), or a class with fewer than 4 rows.
    """
    check_number("level", level, above=0, below=1)
    check_integer("seed", seed, minimum=0)
    reference, new = as_features(reference_features, "reference_features"), as_features(features, "features")
    target = _check_rows(reference, reference_target, new)
    prior, votes = _shares(estimate, target, len(new))
    design = feature_design(np.concatenate([reference, new]), categorical)
    stratum = np.concatenate([target, np.full(len(new), target.max() + 1)])
    parts = _feature_parts(design, stratum, prior, votes)
    if not design.values.shape[1]:
        return ShiftTest("other shift", 1.0, level, 0.0, parts)
    rng = np.random.default_rng(seed)
    first = split_in_halves(design.values, stratum, rng)
    found = [
        _remainder_difference(score[:, None], stratum[tested], prior, None if votes is None else votes[tested])
        for trained, tested in ((first, ~first), (~first, first))
        for score in _scores(design.values, stratum, prior, trained, tested, int(rng.integers(2**31)))
    ]
    p_value = min(1.0, len(found) * min(float(each.p_greater[0]) for each in found))
    return ShiftTest("other shift", p_value, level, max(float(each.t[0]) for each in found), parts)


def split_in_halves(rows: Array, stratum: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which rows are in the first half: half of each stratum, with equal rows on one side."""
    order = np.lexsort((rng.random(len(rows)), stratum))
    first = np.zeros(len(rows), bool)
    first[order[::2]] = True
    contiguous = np.ascontiguousarray(rows)
    keys = contiguous.view(np.dtype((np.void, contiguous.dtype.itemsize * rows.shape[1]))).ravel()
    _, index, group = np.unique(keys, return_index=True, return_inverse=True)
    return np.asarray(first[index][group])


def _check_rows(reference: Array, reference_target: Target, new: Array) -> NDArray[np.int64]:
    target = as_target(reference_target, "reference_target")
    if target.ndim != 1:
        raise ValueError(
            "other_shift_test needs one class a row, got labels "
            f"{target.shape}: for labels compare the features of each label's rows on their own"
        )
    if len(target) != len(reference) or new.shape[1] != reference.shape[1]:
        raise ValueError(
            f"reference_features {reference.shape}, reference_target {target.shape} and features {new.shape} must have "
            "the same rows and columns"
        )
    counts = np.bincount(target)
    few = np.flatnonzero(counts < MIN_ROWS)
    if target.min() < 0 or len(few) or len(new) < MIN_ROWS:
        raise ValueError(
            f"other_shift_test needs at least {MIN_ROWS} rows of every class and of the new sample, got "
            f"{counts.tolist()} and {len(new)}"
        )
    return target


def _shares(
    estimate: PriorEstimate | Sequence[float], target: NDArray[np.int64], n_new: int
) -> tuple[Array, Array | None]:
    """The shares (C,), and if they were estimated the votes of all rows (N + M, C)."""
    n_classes = int(target.max()) + 1
    prior = np.asarray(estimate.prior if isinstance(estimate, PriorEstimate) else estimate, np.float64)
    if len(prior) != n_classes:
        raise ValueError(f"the shares must be of {n_classes} classes, got {len(prior)}")
    if not isinstance(estimate, PriorEstimate):
        validate_class_priors("the shares", prior, "softmax")
        return prior, None
    if (len(estimate.reference_votes), len(estimate.votes)) != (len(target), n_new):
        raise ValueError(
            f"the estimate must be of the same rows, got {len(estimate.reference_votes)} and {len(estimate.votes)} "
            f"where the features have {len(target)} and {n_new}"
        )
    votes = np.concatenate([estimate.reference_votes, estimate.votes])
    return prior, None if np.isnan(votes).any() else votes


def _scores(
    design: Array,
    stratum: NDArray[np.int64],
    prior: Array,
    trained: NDArray[np.bool_],
    tested: NDArray[np.bool_],
    seed: int,
) -> list[Array]:
    """The probability of being new that classifiers of the trained rows give to the tested ones."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    counts = np.bincount(stratum[trained], minlength=len(prior) + 1)
    weight = np.append(prior / prior.sum(), 1.0) / np.maximum(counts, 1)
    of_row = weight[stratum[trained]]
    of_row *= len(of_row) / of_row.sum()
    is_new = stratum[trained] == len(prior)
    boosting = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False, random_state=seed
    )
    # Boosting needs no more than 33 values a column; by itself it would look for weighted percentiles, slowly.
    return [
        classifier.fit(x[trained], is_new, sample_weight=of_row).predict_proba(x[tested])[:, 1]
        for classifier, x in ((LogisticRegression(max_iter=200), design), (boosting, np.round(16 * design)))
    ]


def _remainder_difference(
    values: Array, stratum: NDArray[np.int64], prior: Array, votes: Array | None
) -> MeanDifference:
    """How the means of values (n, D) differ beyond what the class shares explain."""
    n_classes = len(prior)
    of_reference = stratum < n_classes
    if votes is not None:
        target = stratum[of_reference]
        means = class_means(values[of_reference], target)
        values = values - votes @ np.linalg.lstsq(class_means(votes[of_reference], target), means, rcond=None)[0]
    strata = [values[stratum == k] for k in range(n_classes)]
    return mean_difference(strata, prior, values[~of_reference])


def _feature_parts(
    design: FeatureDesign, stratum: NDArray[np.int64], prior: Array, votes: Array | None
) -> tuple[ShiftPart, ...]:
    if not design.values.shape[1]:
        return ()
    found = _remainder_difference(design.values, stratum, prior, votes)
    scale = design.values[stratum < len(prior)].std(0)
    p_values = np.minimum(1, found.p_two_sided * len(scale))
    parts = []
    for f in np.unique(design.feature):
        own = np.flatnonzero(design.feature == f)
        i = own[np.argmax(np.abs(found.t[own]))]
        difference = float(found.difference[i] / scale[i]) if scale[i] > 0 else float("inf")
        parts.append(ShiftPart(int(f), difference, float(found.t[i]), float(p_values[i]), design.aspects[i]))
    return tuple(sorted(parts, key=lambda part: -abs(part.z)))
