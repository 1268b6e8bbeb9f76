"""The sentence on the baselines claims no more than the paired intervals do."""

import math

import pytest

from imbalance_lab.evaluation.baselines import BaselineReport, ComparedBaseline
from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.stored_files import BASELINES
from imbalance_lab.metrics import Comparison
from imbalance_lab.report.baseline_table import baseline_table
from imbalance_lab.report.baseline_texts import baseline_sentences, flipped, left_out_lines, standing, state

BETTER = Compared(Comparison(0.041, (0.012, 0.07), 0.004, 50), 0.008)
EQUAL = Compared(Comparison(-0.003, (-0.02, 0.014), 0.7, 50), 0.7)
WORSE = Compared(Comparison(-0.031, (-0.052, -0.01), 0.003, 50), 0.006)
UNDEFINED = Compared(Comparison(math.nan, None, math.nan, 0), math.nan)
ONLY_BEFORE_HOLM = Compared(Comparison(0.03, (-0.001, 0.061), 0.03, 50), 0.06)


def report(regression: Compared, boosting: Compared, precision: Compared = EQUAL) -> BaselineReport:
    score = {name: Score(0.5, (0.4, 0.6)) for name in ("auroc", "average_precision", "log_loss", "brier_score")}
    by_auroc = {"class_prior": BETTER, "logistic_regression": regression, "gradient_boosting": boosting}
    models = [
        ComparedBaseline(
            key,
            BASELINES[key],
            "",
            score,
            {},
            dict.fromkeys(score, EQUAL) | {"auroc": each, "average_precision": precision},
        )
        for key, each in by_auroc.items()
    ]
    return BaselineReport(score, tuple(models), {"gradient boosting": "out of\x1b luck."})


@pytest.mark.parametrize(
    ("regression", "boosting", "sentence"),
    [
        (
            EQUAL,
            EQUAL,
            "By AUROC, the model is not distinguishable from logistic regression (−0.003 [−0.020, +0.014]) and "
            "gradient boosting (−0.003 [−0.020, +0.014]).",
        ),
        (
            ONLY_BEFORE_HOLM,
            EQUAL,
            "By AUROC, the model is not distinguishable from logistic regression (+0.030 [−0.001, +0.061]) and "
            "gradient boosting (−0.003 [−0.020, +0.014]).",
        ),
        (
            EQUAL,
            UNDEFINED,
            "By AUROC, the model is not distinguishable from logistic regression (−0.003 [−0.020, +0.014]).",
        ),
    ],
)
def test_what_is_not_distinguishable_is_said(regression: Compared, boosting: Compared, sentence: str) -> None:
    assert baseline_sentences(report(regression, boosting)) == [sentence]


def test_what_is_not_beaten_comes_first() -> None:
    found = baseline_sentences(report(BETTER, WORSE, precision=UNDEFINED))[0]
    assert found == (
        "By AUROC, the model is worse than gradient boosting (by 0.031 [0.010, 0.052]), and beats logistic regression "
        "(by 0.041 [0.012, 0.070])."
    )
    assert "class prior" not in found


def test_average_precision_is_named_where_it_says_something_else() -> None:
    assert baseline_sentences(report(EQUAL, EQUAL, precision=BETTER))[0].endswith(
        "; by average precision, it beats logistic regression (by 0.041 [0.012, 0.070]) and gradient boosting "
        "(by 0.041 [0.012, 0.070])."
    )
    assert "average precision" not in baseline_sentences(report(WORSE, WORSE, precision=WORSE))[0]


def test_without_baselines_or_a_test_there_is_no_sentence() -> None:
    assert baseline_sentences(None) == []
    assert baseline_sentences(report(UNDEFINED, UNDEFINED)) == []
    assert left_out_lines(None) == []
    assert baseline_table(None) is None
    assert left_out_lines(report(EQUAL, EQUAL)) == ["no gradient boosting: out of\\x1b luck"]


def test_a_lower_loss_is_better_and_exchanging_models_turns_the_sign() -> None:
    assert state(WORSE, lower=True) == "better"
    assert state(BETTER, lower=True) == "worse"
    assert flipped(BETTER).comparison.interval == (-0.07, -0.012)
    assert state(flipped(WORSE)) == "better"
    assert standing([("it", BETTER)], lower=True) == "is worse than it (by 0.041 [0.012, 0.070])"
