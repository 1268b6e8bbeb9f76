"""Ticks of the printed plots: some, and none over another, whatever the probabilities."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imbalance_lab.evaluation.decision_curve import decision_curve
from imbalance_lab.evaluation.distributions import ScoreHistogram
from imbalance_lab.report.benefit_figures import draw_decision_curve, draw_risks
from imbalance_lab.report.checklist import PRINTED


def labels(axes: Axes) -> list[str]:
    """The visible labels of the x axis, which must not overlap as they are drawn."""
    canvas: Any = axes.figure.canvas  # Matplotlib does not type how a canvas draws
    canvas.draw()
    low, high = sorted(axes.get_xlim())
    ticks = sorted(
        (tick for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high), key=lambda t: t.get_loc()
    )
    boxes = [tick.label1.get_window_extent(canvas.get_renderer()) for tick in ticks]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    return [tick.label1.get_text() for tick in ticks]


@pytest.fixture
def three() -> list[Axes]:
    """Three plots beside each other, as on the sheet."""
    with rc_context(PRINTED):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        FigureCanvasAgg(figure)
        return list(figure.subplots(1, 3))


@pytest.mark.parametrize(("low", "high", "least"), [(-24, 34, 3), (-14, 3.5, 4), (-5, 0.5, 3), (-3, 3, 3), (-9, 9, 3)])
def test_probabilities_have_ticks_that_stand_apart(three: list[Axes], low: float, high: float, least: int) -> None:
    counts = tuple(range(10))
    histogram = ScoreHistogram(1, tuple(np.linspace(low, high, 11).tolist()), counts, counts[::-1], None)
    with rc_context(PRINTED):
        draw_risks(three[2], histogram)
        shown = labels(three[2])
    assert len(shown) >= least
    assert "50 %" in shown


@pytest.mark.parametrize("prevalence", [0.37, 0.1, 0.02, 0.001])
def test_thresholds_have_ticks_for_rare_and_common_classes(three: list[Axes], prevalence: float) -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(5000) < 5000 * prevalence
    with rc_context(PRINTED):
        draw_decision_curve(three[1], decision_curve(1, rng.random(5000), positive, chosen=prevalence))
        assert len(labels(three[1])) >= 2
