"""What `imbalance-lab watch` may find, made up: for pages and sentences."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from imbalance_lab.evaluation.column_changes import ColumnChange
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.threshold_rates import ThresholdForecast, ThresholdRates
from imbalance_lab.evaluation.watch_data import ClassShare, Proposal, WatchData
from imbalance_lab.evaluation.watched_file import WatchedFile
from imbalance_lab.shift import ShiftTest

RATES = ThresholdRates(
    Score(0.7, (0.6, 0.8)),
    Score(0.4, (0.3, 0.5)),
    17.5,
    Score(0.7, (0.6, 0.8)),
    Score(0.61, (0.52, 0.69)),
    27.5,
    28.25,
)
THRESHOLD = ThresholdForecast(0.25, RATES)
CHANGES = (
    ColumnChange("amount", "median", None, 31.25, 57.5, 0.0001, True),
    ColumnChange("device", "category", "web", 0.2, 0.35, 0.002, True),
    ColumnChange("age", "median", None, 1.5, float("nan"), 0.003, True),
    ColumnChange("hour", "missing", None, 0.001, 0.002, 0.4, False),
)


def shift_test(p_value: float) -> ShiftTest:
    """A test with that p-value."""
    return ShiftTest("a test", p_value, 0.005, 1.0, ())


def share(name: str, known: float, em: float, **others: Any) -> ClassShare:
    """A class whose intervals are a fifth of the share to each side."""
    score = Score(em, (0.8 * em, min(1.0, 1.2 * em)))
    return replace(ClassShare(name, known, known, known, score, score), **others)


def watched(shares: Sequence[ClassShare] | None = None, **others: Any) -> WatchData:
    """By default the share of fraud has risen from 1.0 % to 2.4 %, and nothing else has changed."""
    known = shares or (share("legit", 0.99, 0.976), share("fraud", 0.01, 0.024))
    thresholds = (THRESHOLD,) * len(known)
    prior = tuple(each.em.value for each in known)
    data = WatchData(
        run="runs/1",
        column="",
        file=WatchedFile("/data/april.csv", 1000, 1),
        created="2026-01-02T03:04:05+00:00",
        seed=0,
        version="1.2.3",
        n_rows=20_000,
        n_used=20_000,
        n_compared=10_000,
        reference="validation",
        n_reference=3000,
        measured_on="test",
        positive=1 if len(known) == 2 else None,
        shares=tuple(known),
        prior_shift=shift_test(0.0005),
        other_shift=shift_test(0.4),
        changes=tuple(replace(each, changed=False) for each in CHANGES),
        stored=thresholds,
        proposal=Proposal(prior, "max F1", thresholds, "imbalance-lab predict runs/1 april.csv"),
    )
    return replace(data, **others)
