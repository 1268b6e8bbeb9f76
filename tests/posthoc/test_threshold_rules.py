import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, norm

from imbalance_lab.metrics import net_benefit
from imbalance_lab.posthoc import (
    AlertBudget,
    MaxF1,
    MaxFPR,
    MinCost,
    MinPrecision,
    MinRecall,
    Threshold,
    ThresholdError,
    examples_needed,
    flag_highest,
)

RULES = [MaxF1(), MinRecall(0.8), MaxFPR(0.1), MinPrecision(0.3), AlertBudget(50, 1000), MinCost(1, 9)]


def examples(n_positive=60, n_negative=400, seed=0, lead=2.0):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(lead, 1, n_positive), rng.normal(0, 1, n_negative)]).astype(np.float32)
    return scores, np.arange(len(scores)) < n_positive


def lower_bound(successes, n, confidence):
    """Clopper & Pearson's one-sided lower bound, as a quantile of the beta distribution."""
    return 0.0 if successes == 0 else beta.ppf(1 - confidence, successes, n - successes + 1)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_counts_and_scores_match_the_threshold(rule):
    scores, positive = examples()
    threshold = rule(scores, positive)
    flagged = scores >= threshold.log_odds
    tp, fp = (flagged & positive).sum(), (flagged & ~positive).sum()
    assert (threshold.tp, threshold.fp, threshold.n_positive, threshold.n_negative) == (tp, fp, 60, 400)
    assert (threshold.recall, threshold.precision, threshold.fpr) == (tp / 60, tp / (tp + fp), fp / 400)
    assert threshold.f1 == pytest.approx(
        2 * threshold.recall * threshold.precision / (threshold.recall + threshold.precision)
    )
    assert threshold.threshold == pytest.approx(1 / (1 + np.exp(-threshold.log_odds)))
    assert (threshold.flags(scores) == flagged).all()


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_invariant_to_example_order(rule):
    scores, positive = examples()
    order = np.random.default_rng(1).permutation(len(scores))
    assert rule(scores[order], positive[order]) == rule(scores, positive)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_json_round_trip(rule):
    threshold = rule(*examples())
    stored = json.loads(json.dumps(threshold.as_json(), allow_nan=False))
    assert Threshold.from_json(stored) == threshold
    assert stored["rule"] == str(rule)


def test_undefined_scores_are_null():
    stored = Threshold("max F1", 0.5, 0, 0, 0, 10).as_json()
    assert (stored["recall"], stored["precision"], stored["f1"], stored["fpr"]) == (None, None, None, 0)


@pytest.mark.parametrize("at_least", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_min_recall_is_the_highest_threshold_with_sufficient_lower_bound(at_least, confidence):
    scores, positive = examples()
    threshold = MinRecall(at_least, confidence)(scores, positive)
    good = [t for t in scores[positive] if lower_bound((scores[positive] >= t).sum(), 60, confidence) >= at_least]
    assert threshold.log_odds == max(good)


@pytest.mark.parametrize("at_most", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_max_fpr_is_the_lowest_threshold_with_sufficient_upper_bound(at_most, confidence):
    scores, positive = examples()
    threshold = MaxFPR(at_most, confidence)(scores, positive)
    negatives = scores[~positive]
    upper = {fp: beta.ppf(confidence, fp + 1, 400 - fp) for fp in range(400)}
    assert upper[threshold.fp] <= at_most
    assert upper[threshold.fp + 1] > at_most
    assert threshold.log_odds == np.nextafter(max(negatives[negatives < threshold.log_odds]), np.float32(np.inf))


@pytest.mark.parametrize("at_least", [0.3, 0.6])
def test_min_precision_has_the_highest_recall_with_sufficient_lower_bound(at_least):
    scores, positive = examples()
    threshold = MinPrecision(at_least)(scores, positive)
    good = []
    for t in scores[positive]:
        tp, flagged = (scores[positive] >= t).sum(), (scores >= t).sum()
        if lower_bound(tp, flagged, 0.95) >= at_least:
            good.append(tp)
    assert threshold.tp == max(good)


def test_recall_guarantee_holds_at_its_confidence():
    # 4000 validations of 40 positives; the true recall of a threshold t is P(N(0, 1) ≥ t).
    rng = np.random.default_rng(0)
    rule = MinRecall(0.8, 0.9)
    thresholds = [rule(rng.normal(size=40).astype(np.float32), np.ones(40, bool)) for _ in range(4000)]
    kept = np.mean([norm.sf(threshold.log_odds) >= 0.8 for threshold in thresholds])
    exact = beta.sf(0.8, thresholds[0].tp, 40 - thresholds[0].tp + 1)
    assert exact >= 0.9
    assert kept == pytest.approx(exact, abs=0.015)


def test_fpr_guarantee_holds_at_its_confidence():
    rng = np.random.default_rng(0)
    rule = MaxFPR(0.05, 0.9)
    kept = np.mean(
        [
            norm.sf(rule(rng.normal(size=150).astype(np.float32), np.zeros(150, bool)).log_odds) <= 0.05
            for _ in range(4000)
        ]
    )
    assert 0.9 - 0.015 <= kept <= 0.97


def test_the_empirical_threshold_fails_about_half_of_the_time():
    rng = np.random.default_rng(0)
    empirical = [norm.sf(np.sort(rng.normal(size=40))[-32]) >= 0.8 for _ in range(4000)]
    assert np.mean(empirical) < 0.6


@given(
    st.lists(st.integers(-3, 3), min_size=30, max_size=60),
    st.lists(st.integers(-3, 3), min_size=60, max_size=90),
)
def test_guarantees_hold_with_ties(positive, negative):
    scores = np.array([*positive, *negative], np.float32)
    is_positive = np.arange(len(scores)) < len(positive)
    recall = MinRecall(0.9)(scores, is_positive)
    assert lower_bound(recall.tp, recall.n_positive, 0.95) >= 0.9
    fpr = MaxFPR(0.05)(scores, is_positive)
    assert beta.ppf(0.95, fpr.fp + 1, fpr.n_negative - fpr.fp) <= 0.05
    budget = AlertBudget(50, 1000)(scores, is_positive)
    assert (budget.tp + budget.fp) * 1000 <= 50 * len(scores)


@pytest.mark.parametrize(
    ("rule", "positives", "needed"),
    [
        (MinRecall(0.9), True, 29),
        (MinRecall(0.9, 0.99), True, 44),
        (MaxFPR(0.05), False, 59),
        (MinPrecision(0.9), True, 29),
        (MaxF1(), True, 20),
    ],
    ids=str,
)
def test_raises_with_one_example_fewer_than_needed(rule, positives, needed):
    kind = "positives" if positives else "negatives"
    sizes = (lambda n: (n, 100)) if positives else (lambda n: (100, n))
    with pytest.raises(ThresholdError, match=f"{rule} needs {needed} {kind} on validation, the class has {needed - 1}"):
        rule(*examples(*sizes(needed - 1), lead=20))
    assert rule(*examples(*sizes(needed), lead=20)).recall == 1


def test_examples_needed_is_the_smallest_sufficient_number():
    for rate in (0.5, 0.9, 0.97, 0.999):
        n = examples_needed(rate)
        assert lower_bound(n, n, 0.95) >= rate > lower_bound(n - 1, n - 1, 0.95)


def test_unreachable_precision_raises_and_names_the_best():
    with pytest.raises(
        ThresholdError, match=r"no threshold reaches it; the best has \d+ true positives among \d+ flagged"
    ):
        MinPrecision(0.9)(*examples(lead=0))


@pytest.mark.parametrize(("k", "per", "flagged"), [(10, 460, 10), (5, 100, 23), (1, 460, 1), (460, 460, 460)])
def test_uses_the_whole_budget(k, per, flagged):
    scores, positive = examples()
    threshold = AlertBudget(k, per)(scores, positive)
    assert threshold.tp + threshold.fp == flagged
    assert (threshold.flags(scores) == flag_highest(scores, flagged)).all()


def test_ties_beyond_the_budget_are_excluded():
    scores, positive = np.array([3, 2, 2, 1], np.float32), np.array([True, False, True, False])
    assert AlertBudget(2, 4)(scores, positive).log_odds == 3
    assert AlertBudget(3, 4)(scores, positive).log_odds == 2
    all_tied = AlertBudget(2, 4)(np.zeros(4, np.float32), positive)
    assert (all_tied.tp, all_tied.fp) == (0, 0)
    with pytest.raises(ThresholdError, match="needs 250 examples on validation, the class has 4"):
        AlertBudget(4, 1000)(scores, positive)


def test_flag_highest_flags_exactly_k():
    scores = np.array([1, 3, 2, 3, 2], np.float32)
    assert flag_highest(scores, 3).tolist() == [False, True, True, True, False]
    assert flag_highest(scores, 9).all()
    assert not flag_highest(scores, 0).any()


def test_minimum_cost_on_calibrated_probabilities():
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-2, 2, 50_000).astype(np.float32)
    positive = rng.random(50_000) < 1 / (1 + np.exp(-log_odds))
    threshold = MinCost(1, 4)(log_odds, positive)
    assert threshold.threshold == pytest.approx(0.2)

    def cost(t):
        return (log_odds[~positive] >= t).sum() + 4 * (log_odds[positive] < t).sum()

    elsewhere = [cost(threshold.log_odds + d) for d in (-1.5, -0.8, 0.8, 1.5)]
    assert cost(threshold.log_odds) < min(elsewhere)
    # Net benefit at t* is the same cost.
    p = 1 / (1 + np.exp(-log_odds.astype(float)))
    saved = 4 * positive.sum() - cost(threshold.log_odds)
    assert net_benefit(p, positive.astype(int), 0.2 - 1e-12) * 50_000 * 4 == pytest.approx(saved, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MinRecall(1.0), "min_recall must be a finite number in \\(0, 1\\), got 1"),
        (lambda: MinRecall(0.9, confidence=95), "confidence must be a finite number .* got 95"),
        (lambda: MaxFPR("0.1"), "max_fpr must be .* got '0.1'"),
        (lambda: MinPrecision(True), "min_precision must be .* got True"),
        (lambda: AlertBudget(0), "k must be an integer ≥ 1, got 0"),
        (lambda: AlertBudget(11, 10), "k must be at most per=10, got 11"),
        (lambda: MinCost(1, 0), "false_negative must be a finite number > 0, got 0"),
        (lambda: MaxF1(0), "min_positives must be an integer ≥ 1"),
    ],
)
def test_invalid_arguments_raise(make, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        make()
