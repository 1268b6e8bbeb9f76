"""A small version of scripts/coverage_intervals.py: the intervals hold the truth where the usual ones do not."""

import numpy as np
import pytest

from imbalance_lab.metrics import wilson_interval
from scripts import coverage_intervals as study


@pytest.fixture(scope="module")
def coverage():
    """Score → method → coverage by setting, from few simulations of few settings."""
    settings = {
        "POSITIVES": (5, 20), "PREVALENCES": (0.02, 0.3), "AREAS": (0.6, 0.99),
        "LAYOUTS": ((200, 10), (200, 20, 5), (5,) * 10), "MACRO_AREAS": (0.9, 0.99), "BOOTSTRAP_DRAWS": 100,
        "UNEVEN_POSITIVES": (6,), "DIFFERENCE_POSITIVES": (5, 20),
        "DIFFERENCE_AREAS": ((0.75, 0.75), (0.9, 0.8), (0.99, 0.95)),
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setattr(study, name, value)
        cells = study.study(simulations=120, seed=1)
    by_score = {}
    for (score, method), of_setting in cells.items():
        by_score.setdefault(score, {})[method] = np.array([covers for covers, _ in of_setting.values()])
    return by_score


# Of 120 simulations at 95 %, 5 standard errors are 10 %.
@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "score",
    ["AUROC", "AUROC, uneven examples", "AP", "AP, uneven examples", "proportion", "balanced accuracy",
     "AUROC difference"],
)  # fmt: skip
def test_ours_covers_and_the_usual_interval_does_not(coverage, score):
    ours, *_, usual = (coverage[score][m] for m in coverage[score] if "no difference" not in m)
    assert ours.mean() >= 0.93
    assert ours.min() >= (0.87 if score.startswith("AUROC") else 0.83)
    assert usual.min() < 0.85
    assert usual.mean() < ours.mean()


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("score", ["macro AUROC", "macro AP, expected of its size"])
def test_macro_covers_and_the_bootstraps_percentiles_do_not(coverage, score):
    ours, bootstrap, wald = coverage[score].values()
    assert ours.mean() >= 0.93
    assert ours.min() >= 0.80  # 40 simulations a setting
    assert bootstrap.mean() < ours.mean()
    assert wald.mean() < ours.mean()


@pytest.mark.parametrize("name", study.UNEVEN)
def test_true_scores_are_a_large_samples(name):
    rng, setting = np.random.default_rng(0), study.UNEVEN[name]
    ranking = study.metrics.rank(
        study.sample(setting.positive, 20_000, setting.step, rng),
        study.sample(setting.negative, 180_000, setting.step, rng),
    )
    area, average_precision = study.true_scores(setting, 0.1)
    assert area == pytest.approx(ranking.auroc, abs=0.006)
    assert average_precision == pytest.approx(ranking.average_precision, abs=0.012)


def test_true_scores_of_unit_variances():
    assert study.true_scores(study.binormal(0.9), 0.1)[0] == pytest.approx(0.9, abs=1e-6)
    assert study.true_scores(study.binormal(0.5), 0.1) == pytest.approx((0.5, 0.1), abs=1e-6)
    assert study.true_scores(study.binormal(0.9, hard=0.5), 0.1)[0] == pytest.approx(0.7, abs=1e-6)


def test_proportions_are_summed_exactly():
    cells = {}
    study.proportion(cells)
    # By hand, n = 5, share 0.02: only 0 hits of 5 have an interval with 0.02 in it.
    holds = [k for k in range(6) if wilson_interval(k, 5)[0] <= 0.02 <= wilson_interval(k, 5)[1]]
    assert holds == [0]
    assert cells["proportion", "Wilson"]["n = 5, share 0.02"][0] == pytest.approx(0.98**5)


def test_the_table_is_markdown_with_the_worst_setting():
    lines = list(study.table({("AUROC", "ours"): {"P = 5": (0.90, 0.2), "P = 10": (0.96, 0.1)}}))
    assert lines[-1] == "| AUROC | ours | 93.0% | 90.0% | P = 5 | 0.150 |"
