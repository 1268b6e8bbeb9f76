"""Time one epoch's order of every sampler, torch.multinomial over the examples, and three ways of drawing classes.

OMP_NUM_THREADS=1 python scripts/benchmark_samplers.py
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import torch

from imbalance_lab.samplers import (
    ClassBalancedSampler,
    EffectiveNumberSampler,
    MPerClassSampler,
    ProgressiveSampler,
    RandomSampler,
    Sampler,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--classes", type=int, nargs="*", default=[10, 1000, 10_000])
    parser.add_argument("--batch", type=int, default=16_384)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s); `python {' '.join(sys.argv)}`\n")
    sizes = list(product(options.classes, options.examples))
    for title, time_all in (("one epoch, ms", time_orders), ("drawing N classes, ms", time_draws)):
        columns = [time_all(classes, n, options.batch) for classes, n in sizes]
        print(f"| {title} | {' | '.join(f'C={classes:,} N={n:,}' for classes, n in sizes)} |")
        print(f"| --- {'| --- ' * len(sizes)}|")
        for name in dict.fromkeys(name for column in columns for name in column):
            print(f"| {name} | {' | '.join(f'{1e3 * column.get(name, math.nan):.1f}' for column in columns)} |")
        print()


def long_tail(classes: int, n: int) -> torch.Tensor:
    """Counts (C,) that fall by a factor of 100 from the first class to the last, about N in all."""
    shares = 0.01 ** torch.linspace(0, 1, classes, dtype=torch.float64)
    return (shares / shares.sum() * n).long().clamp(min=1)


def time_orders(classes: int, n: int, batch: int) -> dict[str, float]:
    """Seconds per epoch, without the constructor."""
    counts = long_tail(classes, n)
    targets = torch.repeat_interleave(torch.arange(classes), counts)
    weight = 1 / counts[targets].double()
    samplers: dict[str, Sampler] = {
        "random": RandomSampler(targets=targets),
        "class_balanced": ClassBalancedSampler(targets=targets),
        "square_root": ClassBalancedSampler(targets=targets, power=0.5),
        "effective_number": EffectiveNumberSampler(targets=targets),
        "progressive": ProgressiveSampler(targets=targets, max_epochs=10),
    }
    if classes <= batch // 2:
        samplers["m_per_class"] = MPerClassSampler(targets=targets, batch_size=batch)
    found = {name: seconds(partial(sampler.order, 3)) for name, sampler in samplers.items()}
    if len(targets) < 1 << 24:  # all that it takes
        over_examples = partial(torch.multinomial, weight, len(targets), replacement=True)
        found["torch.multinomial over examples"] = seconds(over_examples)
    return found


def time_draws(classes: int, n: int, batch: int) -> dict[str, float]:
    """Seconds for the classes of N draws alone, with what has to be prepared for them."""
    priors = long_tail(classes, n).double().sqrt()

    def by_search() -> torch.Tensor:
        cumulative = priors.cumsum(0)
        return torch.searchsorted(cumulative / cumulative[-1], torch.rand(n, dtype=torch.float64), right=True)

    def by_alias_table() -> torch.Tensor:
        keep, other = alias_table(priors)
        place = torch.rand(n, dtype=torch.float64) * classes
        column = place.long()
        return torch.where(place - column < keep[column], column, other[column])

    return {
        "torch.multinomial": seconds(partial(torch.multinomial, priors, n, replacement=True)),
        "torch.searchsorted": seconds(by_search),
        "alias table": seconds(by_alias_table),
    }


def alias_table(priors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For draws in O(1): column k is kept with probability ``keep[k]``, else replaced by ``other[k]`` (Vose 1991)."""
    scaled = (priors * (len(priors) / priors.sum())).tolist()
    keep, other = [1.0] * len(scaled), list(range(len(scaled)))
    small = [k for k, value in enumerate(scaled) if value < 1]
    large = [k for k, value in enumerate(scaled) if value >= 1]
    while small and large:
        little, much = small.pop(), large[-1]
        keep[little], other[little] = scaled[little], much
        scaled[much] -= 1 - scaled[little]
        if scaled[much] < 1:
            small.append(large.pop())
    return torch.tensor(keep, dtype=torch.float64), torch.tensor(other)


def seconds(work: Callable[[], Any]) -> float:
    """The shortest of five runs."""
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    main()
