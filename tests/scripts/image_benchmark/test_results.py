import numpy as np
import pytest
from image_benchmark.results import recall_at_budget, two_way_partial_auroc
from sklearn.metrics import roc_auc_score, roc_curve

from imbalance_lab.metrics import rank


def scores(seed, *, ties=False):
    """Scores of an even number of positives and of negatives, which overlap more or less."""
    generator = np.random.default_rng(seed)
    n, m = 2 * generator.integers(1, 20, 2)
    positive, negative = generator.normal(seed % 4 - 1, 1, n), generator.normal(0, 1, m)
    return (positive.round(), negative.round()) if ties else (positive, negative)


@pytest.mark.parametrize("seed", range(20))
def test_the_two_way_partial_auroc_is_that_of_the_hardest_half_of_each(seed):
    positive, negative = scores(seed)
    hard = np.sort(positive)[: len(positive) // 2], np.sort(negative)[len(negative) // 2 :]
    target = np.repeat([1, 0], [len(hard[0]), len(hard[1])])
    wanted = roc_auc_score(target, np.concatenate(hard))
    assert two_way_partial_auroc(rank(positive, negative), 0.5) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("hardest", [0.3, 0.5])
@pytest.mark.parametrize("seed", range(8))
def test_with_ties_it_is_the_area_in_the_corner_of_the_roc_curve(seed, hardest):
    positive, negative = scores(seed, ties=True)
    fpr, tpr, _ = roc_curve(np.repeat([1, 0], [len(positive), len(negative)]), np.concatenate([positive, negative]))
    grid = (np.arange(100_000) + 0.5) / 100_000 * hardest
    wanted = np.clip(np.interp(grid, fpr, tpr) - (1 - hardest), 0, None).mean() / hardest
    assert two_way_partial_auroc(rank(positive, negative), hardest) == pytest.approx(wanted, abs=1e-4)


def test_recall_at_a_budget_counts_positives_by_their_prior():
    # Two of four positives and one of ten negatives are above 0.5: 10 % · 2/4 + 90 % · 1/10 of all examples.
    positive, negative = np.array([0.9, 0.8, 0.3, 0.2]), np.array([0.6, *np.linspace(0.1, 0.01, 9)])
    assert recall_at_budget(rank(positive, negative), 0.14, prior=0.1) == pytest.approx(0.5)
    assert recall_at_budget(rank(positive, negative), 0.025, prior=0.1) == pytest.approx(0.25)
    assert recall_at_budget(rank(positive, negative), 1, prior=0.1) == 1
