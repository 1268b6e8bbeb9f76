"""How often the pointwise 95 % bands of ROC and PR curves hold, on simulated scores.

    python scripts/coverage_bands.py [REPEATS]

Positives score N(Δ, σ²), negatives N(0, 1): the true curve is known. For each number of positives the table shows the
share of repeats in which the true recall at fixed false positive rates, and the true precision at fixed recalls, lie
inside, and the mean width. A recall below that of one positive has no band (nan).
"""

import sys

import numpy as np
from scipy.stats import norm

from imbalance_lab.evaluation.curve_bands import CurveBand, curve_bands
from imbalance_lab.metrics import rank

FPR = np.array([0.001, 0.01, 0.05, 0.1, 0.3, 0.6, 0.9])
RECALL = np.array([0.1, 0.3, 0.5, 0.8, 0.9])
NEGATIVES = 2000


def coverage(
    n_positive: int, shift: float, scale: float = 1.0, n_negative: int = NEGATIVES, repeats: int = 500, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The share of bands that hold at each of `FPR` and `RECALL`, and their mean widths there.

    Args:
        n_positive, n_negative: examples of each repeat.
        shift, scale: mean and standard deviation of the positives' scores; the negatives' are 0 and 1.
        repeats: simulated splits.
        seed: of the simulation.
    """
    rng = np.random.default_rng(seed)
    true_recall = norm.sf((norm.isf(FPR) - shift) / scale)
    true_fpr = norm.sf(shift + scale * norm.isf(RECALL))
    found = RECALL * n_positive
    true_precision = found / (found + true_fpr * n_negative)
    inside = [np.zeros((repeats, len(points))) for points in (FPR, RECALL)]
    widths = [np.zeros((repeats, len(points))) for points in (FPR, RECALL)]
    for repeat in range(repeats):
        positive = rng.normal(shift, scale, n_positive)
        (band,) = curve_bands([rank(positive, rng.normal(size=n_negative))], [0])
        for at, (low, high), truth in zip((0, 1), ends(band), (true_recall, true_precision), strict=True):
            inside[at][repeat] = np.where(np.isnan(low), np.nan, (low <= truth) & (truth <= high))
            widths[at][repeat] = high - low
    return inside[0].mean(0), widths[0].mean(0), inside[1].mean(0), widths[1].mean(0)


def ends(band: CurveBand) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Both ends of recall at `FPR`, and of precision at `RECALL`, as the band is drawn."""
    roc = np.interp(FPR, band.fpr, band.recall_low), np.interp(FPR, band.fpr, band.recall_high)
    left = np.nan  # before the first positive there is no band
    pr = (np.interp(RECALL, band.recall, end, left=left) for end in (band.precision_low, band.precision_high))
    return roc, (next(pr), next(pr))


def main() -> None:
    """Print the coverages."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("at false positive rates", *FPR, "and at recalls", *RECALL)
    for shift, scale in ((1.0, 1.0), (2.5, 1.0), (2.0, 2.0)):
        for n_positive in (5, 10, 30, 100):
            roc, roc_width, pr, pr_width = coverage(n_positive, shift, scale, repeats=repeats)
            print(
                f"Δ={shift} σ={scale} P={n_positive:4d} ROC",
                *(f"{each:.3f}" for each in roc),
                f"mean width {roc_width.mean():.2f}",
            )
            print(f"{'':18} PR ", *(f"{each:.3f}" for each in pr), f"mean width {pr_width.mean():.2f}")


if __name__ == "__main__":
    main()
