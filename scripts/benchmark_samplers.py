"""Time the order of one epoch of every sampler, and torch.multinomial over the examples beside it.

OMP_NUM_THREADS=1 python scripts/benchmark_samplers.py
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from imbalance_lab.samplers import (
    ClassBalancedSampler,
    EffectiveNumberSampler,
    MPerClassSampler,
    ProgressiveSampler,
    RandomSampler,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--classes", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=16_384)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s); `python {' '.join(sys.argv)}`\n")
    print(f"| | {' | '.join(f'{n:,} examples, s' for n in options.examples)} | of it a draw, ns |")
    print(f"| --- {'| --- ' * (len(options.examples) + 1)}|")
    columns = [times(n, options.classes, options.batch) for n in options.examples]
    for name in columns[0]:
        seconds = [column[name] for column in columns]
        draw = seconds[-1] / options.examples[-1] * 1e9
        print(f"| {name} | {' | '.join(f'{s:.3g}' for s in seconds)} | {draw:.0f} |")


def times(n: int, classes: int, batch: int) -> dict[str, float]:
    """Seconds an epoch, after the sampler is made."""
    class_priors = 0.01 ** torch.linspace(0, 1, classes, dtype=torch.float64)
    counts = (class_priors / class_priors.sum() * n).long().clamp(min=1)
    targets = torch.repeat_interleave(torch.arange(classes), counts)
    weight = 1 / counts[targets].double()
    made: dict[str, Any] = {
        "shuffled": RandomSampler(targets=targets),
        "class_balanced": ClassBalancedSampler(targets=targets),
        "square_root": ClassBalancedSampler(targets=targets, power=0.5),
        "effective_number": EffectiveNumberSampler(targets=targets),
        "progressive": ProgressiveSampler(targets=targets, max_epochs=10),
        "stratified": MPerClassSampler(targets=targets, batch_size=batch),
    }
    contenders: dict[str, Callable[[], Any]] = {name: lambda each=each: each.order(3) for name, each in made.items()}  # type: ignore[misc]
    contenders["torch.multinomial over examples"] = lambda: torch.multinomial(weight, len(targets), replacement=True)
    return {name: seconds(work) for name, work in contenders.items()}


def seconds(work: Callable[[], Any]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    main()
