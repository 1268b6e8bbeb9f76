"""Curves over replicates, against the areas that vertical averaging keeps, and values computed by hand."""

import numpy as np
import pytest

from imbalance_lab.evaluation.comparison_curves import mean_auroc_history, mean_pr, mean_roc
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.metrics import Ranking, rank_one_vs_rest


def ranking(scores: list[float], target: list[int]) -> Ranking:
    """Of the positives, which are 1 in ``target``."""
    values = np.array(scores, np.float64)
    return rank_one_vs_rest(np.stack([-values, values], 1), np.array(target))[1]


def replicates(n: int, ties: bool) -> list[Ranking]:
    rng = np.random.default_rng(n)
    target = (rng.random(400) < 0.1).astype(int)
    scores = [rng.normal(target * (0.5 + seed)) for seed in range(n)]
    return [ranking((each.round(0) if ties else each).tolist(), target.tolist()) for each in scores]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_areas_are_the_mean_scores(n: int, ties: bool) -> None:
    runs = replicates(n, ties)
    roc, pr = mean_roc(runs), mean_pr(runs)
    assert np.trapezoid(roc.mean, roc.x) == pytest.approx(np.mean([run.auroc for run in runs]), abs=1e-12)
    assert pr.mean.mean() == pytest.approx(np.mean([run.average_precision for run in runs]), abs=1e-12)
    assert (roc.n, pr.n) == (n, n)


def test_one_replicate_is_its_own_curve() -> None:
    (run,) = replicates(1, ties=True)
    curve, roc = run.curve(), mean_roc([run])
    np.testing.assert_array_equal(roc.low, roc.high)
    points = set(zip(roc.x.tolist(), roc.mean.tolist(), strict=True))
    # Where the curve rises in several steps at one place, only its ends are kept.
    for fpr in np.unique(curve.fp / run.n_negative):
        tpr = curve.tp[curve.fp / run.n_negative == fpr] / run.n_positive
        assert {(fpr, tpr.min()), (fpr, tpr.max())} <= points


def test_the_range_holds_every_replicate() -> None:
    runs = replicates(5, ties=False)
    roc = mean_roc(runs)
    for run in runs:
        curve = run.curve()
        fpr, tpr = curve.fp / run.n_negative, curve.tp / run.n_positive
        high = np.array([roc.high[roc.x == x].max() for x in fpr])
        low = np.array([roc.low[roc.x == x].min() for x in fpr])
        assert (low <= tpr + 1e-12).all()
        assert (tpr <= high + 1e-12).all()
    assert (roc.low <= roc.mean).all()
    assert (roc.mean <= roc.high).all()


def test_values_computed_by_hand() -> None:
    target = [1, 0, 1, 0]
    first, last = ranking([4, 3, 2, 1], target), ranking([1, 2, 3, 4], target)
    roc = mean_roc([first, last])
    # First: 0 → ½ at 0, ½ → 1 at ½. Last: 0 at 0, 0 → ½ at ½, ½ → 1 at 1.
    assert roc.x.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert roc.mean.tolist() == [0, 0.25, 0.25, 0.75, 0.75, 1]
    assert roc.low.tolist() == [0, 0, 0, 0.5, 0.5, 1]
    pr = mean_pr([first, last])
    assert pr.x.tolist() == [0.5, 1]
    assert pr.mean.tolist() == [(1 + 1 / 2) / 2, (2 / 3 + 2 / 4) / 2]


def test_other_positives_are_no_replicates() -> None:
    with pytest.raises(ValueError, match=r"the same positives, got \[1, 2\]"):
        mean_pr([ranking([3, 2, 1], [1, 0, 1]), ranking([3, 2, 1], [1, 0, 0])])
    with pytest.raises(ValueError, match="one replicate or more"):
        mean_roc([])


def test_epochs_that_every_replicate_logged_are_averaged() -> None:
    def history(*auroc: float | None) -> EpochHistory:
        nothing = (None,) * len(auroc)
        return EpochHistory(tuple(range(1, len(auroc) + 1)), auroc, nothing, nothing, 0)

    mean = mean_auroc_history([history(0.5, 0.7, None, 0.9), history(0.7, 0.8, 0.85)])  # the second stopped early
    assert mean.x.tolist() == [1, 2]
    np.testing.assert_allclose(mean.mean, [0.6, 0.75])
    np.testing.assert_allclose(mean.high, [0.7, 0.8])
    assert mean_auroc_history([]).n == 0
    assert len(mean_auroc_history([history(None), history(0.5)]).x) == 0
