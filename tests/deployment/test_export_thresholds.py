"""Thresholds between examples: every flag stays, also if another runtime rounds otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbalance_lab.deployment.export.thresholds import MARGIN, robust_thresholds

FLOATS = st.floats(-30, 30, width=32)


@given(scores=st.lists(FLOATS, min_size=1, max_size=40), at=st.integers(0, 39), just_above=st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_flag_stays_and_no_threshold_moves_far(scores: list[float], at: int, just_above: bool) -> None:
    column = np.array(scores, np.float32)
    threshold = column[at % len(column)]
    if just_above:
        threshold = np.nextafter(threshold, np.float32(np.inf))
    (moved,) = robust_thresholds(np.array([threshold]), column[:, None])
    np.testing.assert_array_equal(column >= moved, column >= threshold)
    assert abs(float(moved) - float(threshold)) <= MARGIN + np.spacing(np.float32(30))


@pytest.mark.parametrize("gap", [1e-5, 1e-3, 1.0])
def test_noise_below_half_a_gap_changes_no_flag(gap: float) -> None:
    column = np.array([1 - gap, 1, 1 + gap], np.float32)[:, None]
    (moved,) = robust_thresholds(np.float32([1]), column)
    for noise in (-1, 1):
        noisy = column[:, 0] + np.float32(noise * min(gap, MARGIN) * 0.4)
        assert (noisy >= moved).tolist() == [False, True, True]


def test_a_threshold_that_nothing_reaches_stays() -> None:
    assert robust_thresholds(np.float32([np.inf]), np.zeros((3, 1), np.float32)).tolist() == [np.inf]


def test_a_threshold_far_from_every_example_stays() -> None:
    assert robust_thresholds(np.float32([0.25]), np.float32([[-1], [1]])).tolist() == [0.25]
