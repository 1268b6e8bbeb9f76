"""Class shares of unlabelled samples in a simulation with known truth: coverage, errors, false alarms and power.

    python scripts/coverage_shift.py --part shares --simulations 500
    python scripts/coverage_shift.py --part alarms --simulations 1000

Each row is one setting and is printed as soon as it is done. A reference sample has P rows of its rarest class, whose
share is 5 %, and a new sample has M rows, drawn from the shares × ``factor`` of that class. The features of a class are
normal; the logits are their true log-odds, or these times 3 and shifted ("miscalibrated").

"shares": how often the 95 % intervals of EM and BBSE contain the population's share of the rarest class (and, over all
classes, at worst), and the mean absolute error of EM and BBSE beside QuaPy's EM, with and without its recalibration by
bias-corrected temperature scaling, on the same samples. Also the coverage of the expected recall and precision at the
threshold log-odds −2. "alarms": the share of batches with a false alarm, and of batches whose shift is found.
"""

import argparse
import warnings
from collections.abc import Iterator
from itertools import islice, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import shift
from imbalance_lab.posthoc import Threshold, log_odds, probabilities

Array = NDArray[np.float64]
PRIORS = {2: np.array([0.95, 0.05]), 3: np.array([0.65, 0.3, 0.05])}
SEPARATIONS = {"well": 3.3, "poorly": 1.0}  # distances of the classes' means: AUROC 0.99 and 0.76
FACTORS = (0.1, 0.5, 1.0, 2.0, 10.0)
SIZES = ((2, 20, 500), (2, 20, 5000), (2, 100, 500), (2, 100, 5000), (3, 20, 2000))  # classes, P, M
QUAPY_SIMULATIONS = 200
ALARM_SIZES = ((2, 20, 1000), (2, 100, 1000), (3, 20, 3000))
FEATURES = 10


class Setting(NamedTuple):
    """One population: C classes, their distance, and whether its logits are miscalibrated."""

    classes: int
    distance: float
    miscalibrated: bool = False

    @property
    def prior(self) -> Array:
        return PRIORS[self.classes]

    def features(self, target: NDArray[np.int64], rng: np.random.Generator, n: int) -> Array:
        """(N, n); class c > 0 has its mean at ``distance`` along axis c − 1."""
        x = rng.standard_normal((len(target), n))
        shifted = np.flatnonzero(target > 0)
        x[shifted, target[shifted] - 1] += self.distance
        return x

    def logits(self, x: Array) -> Array:
        d, c = self.distance, self.classes
        ratios = np.concatenate([np.zeros((len(x), 1)), x[:, : c - 1] * d - d**2 / 2], 1)
        z = ratios + np.log(self.prior)
        return np.asarray(3 * z + np.linspace(0, 2, c) if self.miscalibrated else z)

    def reference(self, positives: int) -> NDArray[np.int64]:
        counts = np.round(self.prior * positives / self.prior.min()).astype(int)
        return np.repeat(np.arange(self.classes), counts)

    def shares(self, factor: float) -> Array:
        """The class shares with ``factor`` times the rarest class, the others in proportion."""
        rest = self.prior[:-1] * (1 - factor * self.prior[-1]) / self.prior[:-1].sum()
        return np.append(rest, factor * self.prior[-1])


def quapy_shares(z: Array, target: NDArray[np.int64], new: Array) -> tuple[Array, Array]:
    """QuaPy's EM of the probabilities as they are, and recalibrated."""
    from abstention.calibration import TempScaling
    from quapy.method.aggregative import EMQ

    reference, p = probabilities(z, "softmax"), probabilities(new, "softmax")
    one_hot = np.eye(z.shape[1])[target]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, _ = EMQ.EM(one_hot.mean(0), p)
        recalibrate = TempScaling(bias_positions="all")(reference, one_hot, posterior_supplied=True)
        bcts, _ = EMQ.EM(recalibrate(reference).mean(0), recalibrate(p))
    return plain, bcts


def true_rates(setting: Setting, shares: Array, threshold: float) -> tuple[float, float]:
    """Recall and precision of the rarest class at this threshold, from a large sample."""
    rng = np.random.default_rng(0)
    flagged = []
    for k in range(setting.classes):
        target = np.full(200_000, k)
        flags = log_odds(setting.logits(setting.features(target, rng, setting.classes - 1)), "softmax")[:, -1]
        flagged.append(float((flags >= threshold).mean()))
    return flagged[-1], float(shares[-1] * flagged[-1] / (shares @ flagged))


def shares_row(setting: Setting, positives: int, n_new: int, factor: float, simulations: int, seed: int) -> str:
    rng, shares = np.random.default_rng([seed, positives, n_new, int(10 * factor)]), setting.shares(factor)
    covered: dict[str, list[Array]] = {"EM": [], "BBSE": []}
    widths: dict[str, list[float]] = {"EM": [], "BBSE": []}
    errors: dict[str, list[float]] = {"EM": [], "BBSE": [], "QuaPy": [], "QuaPy bcts": []}
    rates, threshold = [], Threshold("", -4.0 if setting.miscalibrated else -2.0, 0, 0, 0, 0)
    truth = true_rates(setting, shares, threshold.log_odds)
    for i in range(simulations):
        target, n_features = setting.reference(positives), setting.classes - 1
        new_target = np.repeat(np.arange(setting.classes), rng.multinomial(n_new, shares))
        z, new = (setting.logits(setting.features(t, rng, n_features)) for t in (target, new_target))
        found = {"EM": shift.estimate_prior_em(z, target, new), "BBSE": shift.estimate_prior_bbse(z, target, new)}
        for method, estimate in found.items():
            low, high = np.array(estimate.interval).T
            covered[method].append((low <= shares) & (shares <= high))
            widths[method].append(high[-1] - low[-1])
            errors[method].append(float(np.abs(np.array(estimate.prior) - shares).mean()))
        if i < QUAPY_SIMULATIONS:
            for method, prior in zip(("QuaPy", "QuaPy bcts"), quapy_shares(z, target, new), strict=True):
                errors[method].append(float(np.abs(prior - shares).mean()))
        expected = shift.expected_rates(log_odds(z, "softmax"), target, [threshold] * setting.classes, found["EM"])[-1]
        assert expected is not None
        ends = expected.recall_interval, expected.precision_interval
        rates.append([low <= value <= high for (low, high), value in zip(ends, truth, strict=True)])
    coverage = [f"{np.mean(c, 0)[-1]:.3f} ({np.mean(c, 0).min():.3f})" for c in covered.values()]
    mean_errors = [f"{1000 * np.mean(e[:QUAPY_SIMULATIONS]):.2f}" for e in errors.values()]
    width = [f"{np.mean(w):.4f}" for w in widths.values()]
    return " | ".join([*coverage, *width, *mean_errors, *(f"{share:.3f}" for share in np.mean(rates, 0))])


def shares_table(simulations: int, seed: int, piece: int, pieces: int) -> Iterator[str]:
    yield (
        "| classes | separated | logits | P | M | factor | EM covers (worst class) | BBSE covers | EM width "
        "| BBSE width | error ×1000: EM | BBSE | QuaPy EM | QuaPy EM bcts | recall covers | precision covers |"
    )
    yield "| --- " * 16 + "|"
    settings = product(SIZES, SEPARATIONS.items(), (False, True), FACTORS)
    for (classes, p, m), (name, distance), miscalibrated, factor in islice(settings, piece - 1, None, pieces):
        row = shares_row(Setting(classes, distance, miscalibrated), p, m, factor, simulations, seed)
        logits = "× 3, shifted" if miscalibrated else "calibrated"
        yield f"| {classes} | {name} | {logits} | {p} | {m} | {factor:g} | {row} |"


def alarms_row(setting: Setting, positives: int, n_new: int, kind: str, simulations: int, seed: int) -> str:
    """False alarms without shift or under prior shift, power for a shift of one feature by half a deviation."""
    rng = np.random.default_rng([seed, setting.classes, positives, n_new])
    shares = setting.shares(5.0 if kind == "prior × 5" else 1.0)
    p_values, named = [], 0
    for i in range(simulations):
        target = setting.reference(positives)
        new_target = np.repeat(np.arange(setting.classes), rng.multinomial(n_new, shares))
        x, new = (setting.features(t, rng, FEATURES) for t in (target, new_target))
        x[:, 7:], new[:, 7:] = np.exp(x[:, 7:]), np.exp(new[:, 7:])
        if kind == "one feature + 0.5":
            new[:, 5] += 0.5
        z, new_z = setting.logits(x), setting.logits(new)
        estimate = shift.estimate_prior_em(z, target, new_z)
        other = shift.other_shift_test(x, target, new, estimate, seed=i)
        p_values.append([shift.prior_shift_test(z, target, new_z, seed=i).p_value, other.p_value])
        named += other.parts[0].index == 5
    p = np.array(p_values)
    alarms = p <= 0.005
    cells = [*alarms.mean(0), alarms.any(1).mean(), *(p <= 0.05).mean(0), named / simulations]
    return " | ".join(f"{share:.4f}" for share in cells)


def alarms_table(simulations: int, seed: int, piece: int, pieces: int) -> Iterator[str]:
    yield (
        "| classes | P | M | shift | prior alarm | other alarm | any alarm | prior p ≤ 0.05 | other p ≤ 0.05 "
        "| names feature 5 |"
    )
    yield "| --- " * 10 + "|"
    settings = product(ALARM_SIZES, ("none", "prior × 5", "one feature + 0.5"))
    for (classes, p, m), kind in islice(settings, piece - 1, None, pieces):
        repeats = max(1, simulations // 10) if kind.startswith("one") else simulations
        yield f"| {classes} | {p} | {m} | {kind} | {alarms_row(Setting(classes, 2.0), p, m, kind, repeats, seed)} |"


PARTS = {"shares": shares_table, "alarms": alarms_table}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--simulations", type=int, default=500, help="samples for each setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, default="shares")
    parser.add_argument("--piece", type=int, nargs=2, default=(1, 1), help="the i-th of n pieces of the settings")
    arguments = parser.parse_args()
    for line in PARTS[arguments.part](arguments.simulations, arguments.seed, *arguments.piece):
        print(line, flush=True)


if __name__ == "__main__":
    main()
