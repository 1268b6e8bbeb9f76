"""How often the corrected interval of the best of k settings covers the selected setting's true score.

All settings are equally good, the worst case: accuracy 0.9 on average over seeds. A model's own accuracy differs from
it by the luck of its seed, normal with a standard deviation of 0.01; validation and test examples are drawn for each.
The best mean validation accuracy is selected. With one run a setting, the true score is the selected model's own.

    python scripts/simulate_selection.py               # the table in docs/benchmarks.md
"""

import argparse

import numpy as np

from imbalance_lab.evaluation.best_setting import corrected_interval
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.metrics import replicate_mean, wilson_interval
from imbalance_lab.metrics.selection import selection_bias

ACCURACY, LUCK = 0.9, 0.01


def simulate(k: int, seeds: int, n_val: int, n_test: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Coverage of the uncorrected and the corrected interval, and the bias of the test mean.

    Args:
        k: settings.
        seeds: runs of each.
        n_val, n_test: examples.
        repeats: simulated sweeps.
        seed: of the random generator.
    """
    rng = np.random.default_rng(seed)
    plain, corrected, errors = 0, 0, []
    for _ in range(repeats):
        own = np.clip(rng.normal(ACCURACY, LUCK, (k, seeds)), 0.5, 1)
        val, found = rng.binomial(n_val, own) / n_val, rng.binomial(n_test, own)
        best = int(val.mean(1).argmax())
        tested = [Score(each / n_test, wilson_interval(int(each), n_test)) for each in found[best]]
        truth = ACCURACY if seeds > 1 else float(own[best, 0])
        over_seeds = replicate_mean([each.value for each in tested])
        mean, ends = over_seeds.mean, over_seeds.interval()
        errors.append(mean - truth)
        if seeds == 1:
            ends = after = tested[0].interval
        else:
            bias = selection_bias(val.tolist(), (found / n_test).tolist())
            after = corrected_interval(Score(mean, ends), tested, bias)
        plain += _covers(ends, truth)
        corrected += _covers(after, truth)
    return plain / repeats, corrected / repeats, float(np.mean(errors))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    print("| settings | seeds | test examples | over seeds | corrected | bias of the mean |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for n_test in (1000, 20_000):
        for seeds in (1, 2, 3, 5):
            for k in (1, 10, 50):
                plain, corrected, bias = simulate(k, seeds, n_test, n_test, repeats)
                print(f"| {k} | {seeds} | {n_test} | {plain:.3f} | {corrected:.3f} | {bias:+.4f} |", flush=True)


def _covers(interval: tuple[float, float] | None, value: float) -> bool:
    return interval is not None and interval[0] <= value <= interval[1]


if __name__ == "__main__":
    main()
