"""Gains and enrichment, counted example by example."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from imbalance_lab.evaluation.gains import SHARES, gains
from imbalance_lab.metrics import Ranking, rank, wilson_interval


def ranked(scores: np.ndarray, positive: np.ndarray) -> Ranking:
    return rank(scores[positive], scores[~positive])


def test_counts_the_positives_among_the_first() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(1000) < 0.04
    scores = (rng.normal(size=1000) + positive).astype(np.float32)
    found = gains(1, ranked(scores, positive))
    order = np.argsort(-scores)
    for each in found.enrichments:
        hits = int(positive[order][: each.n_flagged].sum())
        assert each.found == pytest.approx(hits)
        assert each.recall == pytest.approx(hits / positive.sum())
        assert each.lift == pytest.approx(hits / each.n_flagged / positive.mean())
        low, high = wilson_interval(hits, int(positive.sum())) or (0, 1)
        rarest, _ = wilson_interval(int(positive.sum()), 1000) or (0, 1)
        assert each.recall_interval == pytest.approx((low, min(high, each.n_flagged / 1000 / rarest)))
    assert [each.share for each in found.enrichments] == list(SHARES)


def test_ties_are_broken_at_random_on_average() -> None:
    scores, positive = np.zeros(100, np.float32), np.arange(100) < 10
    found = gains(0, ranked(scores, positive))
    assert [each.lift for each in found.enrichments] == pytest.approx([1] * len(found.enrichments))
    assert np.interp(0.37, found.flagged, found.recall) == pytest.approx(0.37)


def test_a_perfect_ranking_finds_one_over_the_prevalence() -> None:
    positive = np.arange(1000) < 50
    found = gains(0, ranked(positive.astype(np.float32), positive))
    by_share = {each.share: each for each in found.enrichments}
    assert by_share[0.01].lift == pytest.approx(20)
    assert by_share[0.05].recall == 1
    assert by_share[0.1].lift == pytest.approx(10)


def test_few_examples_have_few_shares() -> None:
    found = gains(0, ranked(np.arange(30, dtype=np.float32), np.arange(30) > 25))
    assert [each.n_flagged for each in found.enrichments] == [2, 3, 6]  # 5, 10 and 20 %
    assert len({each.n_flagged for each in found.enrichments}) == 3


@pytest.mark.parametrize(("n", "prevalence", "shift"), [(3000, 0.02, 3.0), (400, 0.3, 3.0)])
def test_intervals_cover_the_truth_and_no_lift_is_impossible(n: int, prevalence: float, shift: float) -> None:
    """Scores N(0, 1) and N(shift, 1): the threshold of a share, and with it the true recall, is known."""
    rng, truth = np.random.default_rng(0), {}
    for share in (0.01, 0.05, 0.1):
        at = brentq(lambda x, q=share: norm.sf([x - shift, x]) @ [prevalence, 1 - prevalence] - q, -9, 9)
        truth[share] = norm.sf(at - shift)
    covered: dict[float, list[bool]] = {share: [] for share in truth}
    for _ in range(300):
        positive = rng.random(n) < prevalence
        found = gains(1, ranked((rng.normal(size=n) + shift * positive).astype(np.float32), positive))
        rarest, _ = wilson_interval(int(positive.sum()), n) or (0, 1)
        for each in found.enrichments:
            low, high = each.recall_interval
            assert low - 1e-12 <= each.recall <= high + 1e-12
            assert each.lift_interval[1] <= 1 / rarest + 1e-9
            if each.share in truth:
                covered[each.share].append(low <= truth[each.share] <= high)
    assert all(np.mean(each) > 0.93 for each in covered.values())
