"""The sentences on a watched file: what has changed, and what to do, in each case."""

import pytest

from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.threshold_rates import ThresholdForecast
from imbalance_lab.report.watch_texts import advice, percent, percent_interval, verdict
from tests.helpers.watched import CHANGES, share, shift_test, watched

GONE = "the data of runs/1 cannot be read"


def test_a_share_that_has_risen() -> None:
    first, second, third = verdict(watched())
    assert first == "The share of fraud has risen from 1.0 % to 2.4 % [1.9, 2.9]."
    assert second == "No other change of the inputs was found among 10,000 rows."
    assert third == (
        "The stored threshold of fraud will have precision 0.610 [0.520, 0.690] there (0.400 on test) and recall "
        "0.700 [0.600, 0.800]."
    )
    use, later = advice(watched())
    assert use.startswith("Use the class priors and thresholds proposed below")
    assert later == (
        "Labels are not needed for that; to confirm it later, label 834 rows drawn at random (about 20 of fraud are "
        "expected among them)."
    )


def test_the_column_says_what_a_class_is() -> None:
    data = watched((share("0", 0.99, 0.976), share("1", 0.01, 0.024)), column="fraud")
    assert verdict(data)[0].startswith("The share of fraud = 1 has risen")


def test_nothing_has_changed() -> None:
    data = watched(prior_shift=shift_test(0.3), proposal="the class shares have not changed: keep the thresholds")
    assert verdict(data) == [
        "The class shares are as expected, as far as 20,000 rows can tell: fraud 2.4 % [1.9, 2.9], expected 1.0 %.",
        "No other change of the inputs was found among 10,000 rows.",
    ]
    assert advice(data) == ["Keep the thresholds. No labels are needed now."]


@pytest.mark.parametrize("p_value", [0.0005, 0.3])
def test_another_change_comes_first_and_asks_for_labels(p_value: float) -> None:
    data = watched(other_shift=shift_test(0.0001), changes=CHANGES, prior_shift=shift_test(p_value))
    first, second, third = verdict(data)
    assert first == (
        "More than the class shares has changed, most of all in amount, device and age (p < 0.001): "
        "EM cannot be trusted here."
    )
    assert second.startswith("By EM, the share of fraud" if p_value < 0.005 else "The class shares are as expected")
    assert third.startswith("If only the shares had changed, the stored threshold of fraud would have")
    assert advice(data)[0].startswith("Do not act on the shares, rates and thresholds below yet")
    assert "First label 834 rows drawn at random" in advice(data)[0]


@pytest.mark.parametrize("p_value", [0.0005, 0.3])
def test_without_the_second_test_labels_are_recommended(p_value: float) -> None:
    data = watched(other_shift=GONE, prior_shift=shift_test(p_value))
    assert verdict(data)[1] == f"Whether anything else has changed was not tested: {GONE}."
    assert "No labels are needed" not in " ".join(advice(data))
    assert advice(data)[-1].startswith("Nothing tells whether more has changed: label 834 rows")


def test_several_classes() -> None:
    classes = [share(f"c{c}", 0.1, 0.2 if c < 4 else 0.05) for c in range(10)]
    first = verdict(watched(classes))[0]
    assert first.startswith("The class shares have changed: c0 has risen from 10.0 % to 20.0 % [16.0, 24.0]; c1 has")
    assert first.endswith("; and 7 more.")
    unclear = [share(f"c{c}", 0.1, 0.1) for c in range(10)]
    assert (
        verdict(watched(unclear))[0] == "The class shares have changed (p < 0.001), but 20,000 rows cannot tell which."
    )
    assert len(verdict(watched(unclear))) == 2  # no class to speak of


def test_no_proposal_gives_its_reason() -> None:
    data = watched(proposal="the class priors of the logits are unknown")
    assert advice(data)[0] == "No thresholds are proposed: the class priors of the logits are unknown."


def test_a_class_without_a_threshold_or_a_name() -> None:
    none = ThresholdForecast(None, None, "max F1 needs 20 positives")
    data = watched((share("legit", 0.99, 0.976), share("", 0.01, 0.024)), stored=(none, none))
    assert verdict(data)[0].startswith("The share of (no name) has risen")
    assert len(verdict(data)) == 2


def test_nobody_is_asked_for_more_labels_than_there_are_rows_or_than_is_sensible() -> None:
    rare = watched((share("legit", 0.99, 1.0), share("fraud", 0.01, 0.0)))
    assert rare.labels_needed == 20_000
    assert "label the 200 rows with the highest probability of fraud, and 200 drawn at random." in advice(rare)[1]
    assert "label all 500 rows." in advice(watched(n_rows=500))[1]


def test_percentages_keep_two_digits_of_rare_classes() -> None:
    assert [percent(each) for each in (1, 0.5, 0.01, 0.0099, 0.00012, 0.0000012, 0)] == [
        *("100.0 %", "50.0 %", "1.0 %", "0.99 %", "0.012 %", "0.0001 %", "0.0000 %")
    ]
    assert percent_interval(Score(0.0, (0.0, 0.0004))) == "0.000 % [0.000, 0.040]"
