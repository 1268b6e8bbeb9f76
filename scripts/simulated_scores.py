"""Populations of scores for scripts/coverage_intervals.py: drawn from, and with true values that are integrals."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import cauchy, expon, norm, t


def shift(area: float) -> float:
    """The distance of the means of two unit normals with AUROC ``area``."""
    return float(np.sqrt(2) * norm.ppf(area))


class Kind(NamedTuple):
    """Examples whose scores are ``center`` + ``spread`` · a standard variable, a ``share`` of their class."""

    share: float
    center: float
    spread: float = 1.0
    family: str = "normal"


class Setting(NamedTuple):
    """The scores of positives and negatives; rounded to multiples of ``step`` unless that is 0."""

    positive: tuple[Kind, ...]
    negative: tuple[Kind, ...] = (Kind(1, 0),)
    step: float = 0.0


LAWS: dict[str, Any] = {"normal": norm, "t2": t(2), "cauchy": cauchy, "exponential": expon}
UNEVEN = {
    "N(1.5, 3²)": Setting((Kind(1, 1.5, 3),)),
    "N(4, 3²)": Setting((Kind(1, 4, 3),)),
    "N(3, 5²)": Setting((Kind(1, 3, 5),)),
    "N(1.5, 0.3²)": Setting((Kind(1, 1.5, 0.3),)),
    "half N(4), half like negatives": Setting((Kind(0.5, 4), Kind(0.5, 0))),
    "30 % like negatives, N(4)": Setting((Kind(0.7, 4), Kind(0.3, 0))),
    "10 % like negatives, N(4)": Setting((Kind(0.9, 4), Kind(0.1, 0))),
    "15 % N(−1), N(3)": Setting((Kind(0.85, 3), Kind(0.15, -1))),
    "20 % N(−3), N(4)": Setting((Kind(0.8, 4), Kind(0.2, -3))),
    "30 % N(−3), N(4)": Setting((Kind(0.7, 4), Kind(0.3, -3))),
    "35 % N(−3), N(4)": Setting((Kind(0.65, 4), Kind(0.35, -3))),
    "20 % N(3, 10²), N(3)": Setting((Kind(0.8, 3), Kind(0.2, 3, 10))),
    "10 % of negatives N(4), N(2)": Setting((Kind(1, 2),), (Kind(0.9, 0), Kind(0.1, 4))),
    "2 % of negatives N(7), N(4)": Setting((Kind(1, 4),), (Kind(0.98, 0), Kind(0.02, 7))),
    "both 20 % of spread 10, N(3)": Setting((Kind(0.8, 3), Kind(0.2, 3, 10)), (Kind(0.8, 0), Kind(0.2, 0, 10))),
    "Cauchy + 4 against N(0)": Setting((Kind(1, 4, 1, "cauchy"),)),
    "Cauchy + 4 against Cauchy": Setting((Kind(1, 4, 1, "cauchy"),), (Kind(1, 0, 1, "cauchy"),)),
    "t(2) + 3 against t(2)": Setting((Kind(1, 3, 1, "t2"),), (Kind(1, 0, 1, "t2"),)),
    "exponential, 4 times": Setting((Kind(1, 0, 4, "exponential"),), (Kind(1, 0, 1, "exponential"),)),
    "N(1.5), steps of 1": Setting((Kind(1, 1.5),), step=1),
    "N(3), steps of 2": Setting((Kind(1, 3),), step=2),
    "N(1), steps of 3": Setting((Kind(1, 1),), step=3),
}


def sample(kinds: Sequence[Kind], n: int, step: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Scores (n,) of one class."""
    draw: dict[str, Callable[[int], NDArray[np.float64]]] = {
        "normal": rng.standard_normal, "cauchy": rng.standard_cauchy, "exponential": rng.standard_exponential,
        "t2": lambda size: rng.standard_t(2, size),
    }  # fmt: skip
    of_kind = rng.choice(len(kinds), n, p=[kind.share for kind in kinds]) if len(kinds) > 1 else np.zeros(n, int)
    scores = np.empty(n)
    for i, kind in enumerate(kinds):
        rows = np.flatnonzero(of_kind == i)
        scores[rows] = kind.center + kind.spread * draw[kind.family](len(rows))
    return (np.round(scores / step) * step if step else scores).astype(np.float32)


def above(kinds: Sequence[Kind], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability that an example scores higher."""
    return np.asarray(np.sum([k.share * LAWS[k.family].sf((scores - k.center) / k.spread) for k in kinds], axis=0))


def true_scores(setting: Setting, prevalence: float, points: int = 50_000) -> tuple[float, float]:
    """The population's AUROC and average precision: means over the quantiles of the positives' scores."""
    quantiles, area, average_precision = (np.arange(points) + 0.5) / points, 0.0, 0.0
    for kind in setting.positive:
        score = kind.center + kind.spread * LAWS[kind.family].ppf(quantiles)
        half = setting.step / 2
        score = np.round(score / setting.step) * setting.step if setting.step else score
        at_least, higher = above(setting.negative, score - half), above(setting.negative, score + half)
        area += kind.share * float((1 - (at_least + higher) / 2).mean())
        true_positives = prevalence * above(setting.positive, score - half)
        precision = true_positives / (true_positives + (1 - prevalence) * at_least)
        average_precision += kind.share * float(precision.mean())
    return area, average_precision


def binormal(area: float, hard: float = 0.0) -> Setting:
    """Scores with unit variance and this AUROC, but a share of ``hard`` positives scores like negatives."""
    return Setting((Kind(1 - hard, shift(area)), Kind(hard, 0.0)) if hard else (Kind(1, shift(area)),))
