import numpy as np
import pytest

from imbalance_lab.metrics import rank
from imbalance_lab.metrics.ranking import Curve
from imbalance_lab.report.simplify_curve import TOLERANCE, simplify_curve


def furthest(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of any point from the segments between the vertices of ``line``."""
    start, along = line[:-1], np.diff(line, axis=0)
    offset = points[:, None] - start
    length = np.maximum((along**2).sum(1), 1e-30)
    share = np.clip((offset * along).sum(2) / length, 0, 1)
    return float(np.linalg.norm(offset - share[..., None] * along, axis=2).min(1).max())


@pytest.mark.parametrize("n_positive", [2000, 50])
def test_removed_vertices_make_no_visible_difference(n_positive: int) -> None:
    rng = np.random.default_rng(0)
    positive = rng.normal(1, 1, n_positive).astype(np.float32)
    ranking = rank(positive, rng.normal(0, 1, 20_000).astype(np.float32))
    full, few = ranking.curve(), simplify_curve(ranking)
    if n_positive == 2000:
        assert len(few.fp) < len(full.fp) / 2
    for make in (roc, log_roc, pr):
        # Twice, because the vertices that one plot needs turn the segments of another, within its own tolerance.
        assert furthest(make(full), make(few)) <= 2 * TOLERANCE


def roc(curve: Curve) -> np.ndarray:
    return np.stack([curve.fp / curve.fp[-1], curve.tp / curve.tp[-1]], 1)


def log_roc(curve: Curve) -> np.ndarray:
    drawn = curve.fp > 0  # a logarithmic axis has no zero
    return np.stack([np.log10(curve.fp[drawn]) / np.log10(curve.fp[-1]), curve.tp[drawn] / curve.tp[-1]], 1)


def pr(curve: Curve) -> np.ndarray:
    flagged = curve.tp + curve.fp > 0
    tp = curve.tp[flagged]
    return np.stack([tp / curve.tp[-1], tp / (tp + curve.fp[flagged])], 1)


def test_vertices_are_the_curves_own_with_their_thresholds() -> None:
    rng = np.random.default_rng(1)
    ranking = rank(rng.normal(1, 1, 300).astype(np.float32), rng.normal(0, 1, 3000).astype(np.float32))
    full = {(int(tp), int(fp), float(t)) for t, tp, fp in zip(*ranking.curve(), strict=True)}
    few = [(int(tp), int(fp), float(t)) for t, tp, fp in zip(*simplify_curve(ranking), strict=True)]
    assert set(few) <= full
    assert few[0] == (0, 0, np.inf)
    assert few[-1] == (300, 3000, -np.inf)


def test_a_perfect_ranking_is_three_corners_at_most_twice() -> None:
    curve = simplify_curve(rank(np.arange(100, 200, dtype=np.float32), np.arange(100, dtype=np.float32)))
    assert len(curve.fp) <= 6
