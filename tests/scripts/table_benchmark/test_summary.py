import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import wilcoxon
from table_benchmark.results import Result
from table_benchmark.summary import (
    behind_best,
    compare_with_peers,
    critical_difference,
    mean_scores,
    measured,
    rank_methods,
)

METHODS = ("A", "B", "C")
AUROC = {"t1": (0.9, 0.8, 0.7), "t2": (0.9, 0.9, 0.7), "t3": (0.6, 0.9, 0.6), "t4": (0.5, 0.6, 0.7)}


def result(table, method, value, split=0, seed=0, version="1"):
    return Result(table, split, seed, method, version, value, value / 2, 1, 1 - value, 0.1, 0.1, 1.0)


RESULTS = [result(t, m, v) for t, values in AUROC.items() for m, v in zip(METHODS, values, strict=True)]


def test_mean_ranks_by_hand():
    ranked = rank_methods(RESULTS, "auroc", list(AUROC), METHODS)
    # Ranks: 1 2 3; 1.5 1.5 3; 2.5 1 2.5; 3 2 1.
    assert ranked.mean_rank.tolist() == [8 / 4, 6.5 / 4, 9.5 / 4]
    assert rank_methods(RESULTS, "calibrated_log_loss", list(AUROC), METHODS).mean_rank.tolist() == [2, 1.625, 2.375]
    assert rank_methods(RESULTS, "log_loss", list(AUROC), METHODS).mean_rank.tolist() == [2, 2, 2], "all are equal"


def test_critical_difference_of_the_paper():
    """Demšar (2006), section 3.2.2: four classifiers on 14 data sets have CD = 1.25 at the 5 % level."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)
    assert math.isnan(critical_difference(4, 1))


def test_tables_that_a_method_lacks_are_left_out():
    without = [each for each in RESULTS if (each.table, each.method) != ("t2", "C")]
    assert rank_methods(without, "auroc", ["t1", "t2", "t9"], METHODS).tables == ("t1",)
    assert rank_methods(without, "auroc", ["t1", "t2"], METHODS[:2]).tables == ("t1", "t2")
    empty = rank_methods([], "auroc", ["t1"], METHODS)
    assert empty.tables == ()
    assert np.isnan([*empty.mean_rank, empty.friedman_p]).all()


def test_scores_are_means_over_splits_of_means_over_seeds_of_the_last_version():
    results = [
        result("t", "A", 0.0, version="old"),
        result("t", "A", 0.8, version="new"),
        result("t", "A", 0.6, seed=1, version="new"),
        result("t", "A", 0.3, split=1, version="new"),
    ]
    assert mean_scores(results, "auroc") == {("t", "A"): pytest.approx(0.5)}
    (found,) = measured(results)
    assert (found.version, found.tables, found.splits, found.seeds) == ("new", 1, 2, 1)


def test_wins_ties_and_losses_with_holm():
    ranked = rank_methods(RESULTS, "auroc", list(AUROC), METHODS)
    b, c = compare_with_peers(ranked, "A", "auroc")
    assert (b.peer, b.wins, b.ties, b.losses) == ("B", 1, 1, 2)
    assert (c.peer, c.wins, c.ties, c.losses) == ("C", 2, 1, 1)
    assert b.difference == pytest.approx((0.1 + 0 - 0.3 - 0.1) / 4)
    p = [float(wilcoxon(d).pvalue) for d in ([0.1, 0, -0.3, -0.1], [0.2, 0.2, 0, -0.2])]
    assert sorted([b.p, c.p]) == pytest.approx([min(1, 2 * min(p)), max(min(1, 2 * min(p)), max(p))])
    lower = compare_with_peers(
        rank_methods(RESULTS, "calibrated_log_loss", list(AUROC), METHODS), "A", "calibrated_log_loss"
    )
    assert [(each.wins, each.losses) for each in lower] == [(1, 2), (2, 1)], "a smaller loss wins"


def test_a_difference_below_half_a_thousandth_is_a_tie():
    results = [result("t", "A", 0.9), result("t", "B", 0.9004), result("u", "A", 0.9), result("u", "B", 0.9006)]
    (pair,) = compare_with_peers(rank_methods(results, "auroc", ["t", "u"], ["A", "B"]), "A", "auroc")
    assert (pair.wins, pair.ties, pair.losses) == (0, 1, 1)


def test_methods_that_never_differ_have_p_one():
    results = [result(t, m, 0.5) for t, m in product("tuv", "AB")]
    (pair,) = compare_with_peers(rank_methods(results, "auroc", list("tuv"), ["A", "B"]), "A", "auroc")
    assert (pair.ties, pair.p, pair.difference) == (3, 1, 0)


def test_how_far_behind_the_best_the_worst_first():
    gaps = behind_best(rank_methods(RESULTS, "auroc", list(AUROC), METHODS), "A")
    assert [(name, round(gap, 3), best) for name, gap, best in gaps] == [
        ("t3", 0.3, "B"),
        ("t4", 0.2, "C"),
        ("t2", 0.0, "B"),
        ("t1", -0.1, "B"),
    ]
