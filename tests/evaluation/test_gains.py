"""Gains and enrichment, counted example by example."""

import numpy as np
import pytest

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
        assert each.recall_interval == pytest.approx(wilson_interval(hits, int(positive.sum())))
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
