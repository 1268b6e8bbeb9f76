import json

import numpy as np
import pytest

from imbalance_lab.metrics import wilson_interval
from imbalance_lab.posthoc import AlertBudget, MaxF1, MinPrecision, MinRecall, Threshold, log_odds
from imbalance_lab.shift import PriorEstimate, expected_rates, propose_thresholds
from tests.shift.populations import samples


def known(*prior, width=0.0):
    interval = tuple((max(0.0, p - width), min(1.0, p + width)) for p in prior)
    return PriorEstimate("known", prior, interval, prior)


def at(value):
    return Threshold("by hand", value, 0, 0, 0, 0)


def by_hand():
    """8 of 10 positives and 5 of 100 negatives reach 0."""
    scores = np.repeat([1.0, -1.0, 1.0, -1.0], [8, 2, 5, 95])
    return np.stack([-scores, scores], 1).astype(np.float32), np.repeat([1, 0], [10, 100])


def test_rates_by_hand():
    scores, target = by_hand()
    _, found = expected_rates(scores, target, ["none", at(0.0)], known(0.6, 0.4))
    assert found.recall == 0.8
    assert found.recall_interval == pytest.approx(wilson_interval(8, 10))
    assert found.flagged == pytest.approx(0.4 * 0.8 + 0.6 * 0.05)
    assert found.precision == pytest.approx(0.32 / 0.35)
    assert found.precision_interval[0] < found.precision < found.precision_interval[1]
    json.dumps(found.as_json())


def test_a_class_without_a_threshold_has_no_rates():
    scores, target = by_hand()
    assert expected_rates(scores, target, ["refused", at(0.0)], known(0.6, 0.4))[0] is None


def test_an_uncertain_share_widens_precision_but_not_recall():
    scores, target = by_hand()
    (_, sure), (_, unsure) = (
        expected_rates(scores, target, ["", at(0.0)], known(0.9, 0.1, width=width)) for width in (0.0, 0.09)
    )
    assert unsure.recall_interval == sure.recall_interval
    assert unsure.precision_interval[0] < sure.precision_interval[0]
    assert unsure.precision_interval[1] > sure.precision_interval[1]


@pytest.mark.parametrize("threshold", [-np.inf, np.inf, 0.9999999])
@pytest.mark.parametrize("prior", [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def test_ends_of_the_range_give_intervals_in_0_to_1(threshold, prior):
    scores, target = by_hand()
    _, found = expected_rates(scores, target, ["", at(threshold)], known(*prior))
    ends = [*found.recall_interval, *found.precision_interval]
    assert all(0 <= end <= 1 for end in ends)
    assert np.isnan(found.precision) == (found.flagged == 0)
    json.dumps(found.as_json(), allow_nan=True)


def test_the_mixture_of_the_other_classes_decides_the_precision_of_several_classes():
    z, target, _ = samples((600, 300, 100), (1, 1, 1))
    scores = log_odds(z, "softmax")
    flags = scores[:, 2] >= -1
    rate = [flags[target == c].mean() for c in range(3)]
    found = expected_rates(scores, target, ["", "", at(-1.0)], known(0.1, 0.7, 0.2))[2]
    assert found.precision == pytest.approx(0.2 * rate[2] / (0.1 * rate[0] + 0.7 * rate[1] + 0.2 * rate[2]))


def test_labels_are_rated_one_by_one():
    scores, target = by_hand()
    labels = np.stack([1 - target, target], 1)
    estimate = known(0.3, 0.4)
    found = expected_rates(scores, labels, ["", at(0.0)], estimate)[1]
    assert found.precision == pytest.approx(0.32 / 0.35)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_max_f1_for_new_shares_is_the_weighted_maximum(share):
    z, target, _ = samples((900, 100), (1, 1))
    scores = log_odds(z, "softmax")
    found = propose_thresholds(MaxF1(), scores, target, [1 - share, share])[1]

    def f1(threshold):
        flags = scores[:, 1] >= threshold
        tpr, fpr = flags[target == 1].mean(), flags[target == 0].mean()
        return 2 * share * tpr / (share * tpr + (1 - share) * fpr + share)

    assert f1(found.log_odds) == pytest.approx(max(map(f1, scores[:, 1])), rel=2e-3)
    assert (found.n_positive, found.n_negative) == (100, 900)


def test_recall_does_not_depend_on_the_shares_and_precision_does():
    z, target, _ = samples((900, 100), (1, 1), distance=3.0)
    scores = log_odds(z, "softmax")
    recall = [propose_thresholds(MinRecall(0.8), scores, target, [1 - p, p])[1].log_odds for p in (0.1, 0.6)]
    assert recall[0] == recall[1] == MinRecall(0.8)(scores[:, 1], target == 1).log_odds
    precision = [propose_thresholds(MinPrecision(0.8), scores, target, [1 - p, p])[1].log_odds for p in (0.1, 0.6)]
    assert precision[1] < precision[0]


def test_a_guarantee_counts_no_row_twice():
    """9 of 100 positives are left at a tenth of the share: too few for 0.9, however often they are repeated."""
    z, target, _ = samples((900, 100), (1, 1), distance=4.0)
    scores = log_odds(z, "softmax")
    assert isinstance(MinPrecision(0.9)(scores[:, 1], target == 1), Threshold)
    assert (
        "needs 29 positives on validation, the class has 9"
        in propose_thresholds(MinPrecision(0.9), scores, target, [0.99, 0.01])[1]
    )


def test_an_alert_budget_is_kept_under_the_new_shares_and_too_few_positives_are_refused():
    z, target, _ = samples((900, 100), (1, 1))
    scores = log_odds(z, "softmax")
    found = propose_thresholds(AlertBudget(200), scores, target, [0.5, 0.5])[1]
    flags = scores[:, 1] >= found.log_odds
    assert 0.17 < 0.5 * flags[target == 1].mean() + 0.5 * flags[target == 0].mean() <= 0.2
    assert "needs 150 positives" in propose_thresholds(MaxF1(min_positives=150), scores, target, [0.5, 0.5])[1]


def test_lengths_that_differ_are_refused():
    scores, target = by_hand()
    with pytest.raises(ValueError, match="must be of the same classes, got 2, 1 and 2"):
        expected_rates(scores, target, [at(0.0)], known(0.6, 0.4))
    with pytest.raises(ValueError, match="a share for each of 2 classes, got 1"):
        propose_thresholds(MaxF1(), scores, target, [1.0])
