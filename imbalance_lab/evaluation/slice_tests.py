"""The statistics of slices: an exact test against the rest, which tests count, shrinkage, and what could be found."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import metrics
from imbalance_lab.metrics.distributions import find_root, normal_quantile


class ExactTest(NamedTuple):
    """The two-sided p-value, and the smallest that samples of these sizes and this total could give."""

    p: float
    smallest_p: float


def fisher_exact_test(found: int, n: int, found_elsewhere: int, n_elsewhere: int) -> ExactTest:
    """Fisher's exact test (1935) of equal shares: ``found`` of ``n`` in a slice against those elsewhere.

    Two-sided as usual: the probability, given both sizes and the total found, of every table that is at most as likely.

    >>> tuple(round(p, 4) for p in fisher_exact_test(3, 10, 9, 10))
    (0.0198, 0.0007)
    """
    from scipy.special import gammaln

    total = found + found_elsewhere
    support = np.arange(max(0, total - n_elsewhere), min(n, total) + 1)

    def log_choose(size: int, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(gammaln(size + 1) - gammaln(chosen + 1) - gammaln(size - chosen + 1))

    log_p = log_choose(n, support) + log_choose(n_elsewhere, total - support)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()

    def at_most_as_likely(probability: float) -> float:
        return min(1.0, float(p[p <= probability * (1 + 1e-7)].sum()))

    return ExactTest(at_most_as_likely(p[found - support[0]]), at_most_as_likely(min(p[0], p[-1])))


class Adjusted(NamedTuple):
    """P-values adjusted for the family; None for a test that could not have rejected whatever was found."""

    p: tuple[float | None, ...]
    n_tests: int
    """How many tests count."""


def tarone_holm(tests: Sequence[ExactTest], alpha: float = 0.05) -> Adjusted:
    """Holm's p-values (1979) of the exact tests that could reject at all (Tarone 1990, Biometrics 46, 515–522).

    K is the smallest number such that at most K tests can reach alpha / K; only these are the family. The smallest p of
    an exact test is given by its margins, not by what was found, so the choice costs nothing: the probability of any
    false rejection stays at most ``alpha``.
    """
    smallest = np.array([each.smallest_p for each in tests])
    k = next((k for k in range(1, len(tests) + 1) if (smallest <= alpha / k).sum() <= k), 1)
    counts = [index for index, each in enumerate(tests) if each.smallest_p <= alpha / k]
    adjusted: list[float | None] = [None] * len(tests)
    for index, p in zip(counts, metrics.holm([tests[index].p for index in counts]), strict=True):
        adjusted[index] = p
    return Adjusted(tuple(adjusted), len(counts))


def beta_prior_strength(columns: Iterable[tuple[Sequence[int], Sequence[int]]]) -> float | None:
    """The strength M of a beta prior Beta(M r, M (1 − r)) of the slices' shares, by the method of moments.

    The shares of the slices of a column vary around the overall share r with variance r (1 − r) ρ beyond chance, where
    ρ = 1 / (M + 1): the beta-binomial model (Kleinman 1973, JASA 68, 46–54). With sizes n_i, N = Σ n_i and shares p_i
    of k slices, E Σ n_i (p_i − r)² = r (1 − r) (k − 1 + ρ (N − Σ n_i² / N − k + 1)); one ρ is solved for over all
    columns.

    Args:
        columns: for each column what was found, and the sizes, of its slices.

    Returns:
        M; None where no variation beyond chance is seen (ρ ≤ 0), or r is 0 or 1: M is infinite.
    """
    excess = information = 0.0
    for found, sizes in columns:
        n = np.array(sizes, float)
        tp = np.array(found, float)[n > 0]
        n = n[n > 0]
        if len(n) < 2:
            continue
        share = tp.sum() / n.sum()
        spread = share * (1 - share)
        if spread > 0:
            excess += float((n * (tp / n - share) ** 2).sum() / spread) - (len(n) - 1)
            information += float(n.sum() - (n**2).sum() / n.sum()) - (len(n) - 1)
    rho = excess / information if information > 0 else 0.0
    return None if rho <= 0 else max(0.0, 1 / min(rho, 1.0) - 1)


def shrunken_share(found: int, n: int, overall: float, strength: float | None) -> float:
    """The posterior mean (found + M r) / (n + M) of the beta-binomial model; r itself for an infinite M."""
    if strength is None or math.isnan(overall):
        return overall
    return (found + strength * overall) / (n + strength) if n + strength else overall


def detectable_share(n: int, n_elsewhere: int, share: float, alpha: float, power: float = 0.8) -> float | None:
    """The share in a slice that a two-sided test at ``alpha`` finds to be lower than ``share`` with this power.

    By the normal approximation of the difference of two proportions (Fleiss, Levin & Paik 2003, section 4.2), with
    their continuity correction, which stands for the exact test; None if not even 0 would be found.
    """
    if not n or not n_elsewhere or not 0 < share <= 1:
        return None
    z_alpha, z_power = normal_quantile(1 - alpha), normal_quantile(2 * power - 1)
    correction = (1 / n + 1 / n_elsewhere) / 2

    def margin(low: float) -> float:
        pooled = (n * low + n_elsewhere * share) / (n + n_elsewhere)
        null = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_elsewhere))
        own = math.sqrt(low * (1 - low) / n + share * (1 - share) / n_elsewhere)
        return share - low - correction - z_alpha * null - z_power * own

    return find_root(margin, 0.0, share) if margin(0.0) > 0 else None
