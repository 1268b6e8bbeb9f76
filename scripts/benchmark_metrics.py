"""Time the exact and the streaming ranking metrics against torchmetrics; print Markdown tables.

    OMP_NUM_THREADS=1 python scripts/benchmark_metrics.py

Every round times all contenders one after the other, in CPU seconds of this process, so that other load on the machine
neither counts nor favors one. A ratio is the median over the rounds, with its range in parentheses.
"""

import argparse
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryAUROC, MulticlassAUROC, MulticlassAveragePrecision

from imbalance_lab.metrics import AUROC, AveragePrecision, OneVsRest, StreamingAUROC

Contender = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="*", default=["100000x10", "1000000x10", "200000x100", "50000x1000"])
    parser.add_argument("--binary", type=int, default=10_000_000, help="examples of the streaming table")
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*large memory footprint.*")
    print(f"{cpu()}, 1 thread; {', '.join(f'{name} {version(name)}' for name in ('torch', 'numpy', 'torchmetrics'))}")
    print(f"`python {' '.join(sys.argv)}`\n")
    heads = ("examples × classes", "input", "torchmetrics (s)", "ours (s)", "ratio", "of update", "as two metrics")
    print(f"| {' | '.join(heads)} |\n{'| --- ' * len(heads)}|")
    for shape in options.shapes:
        n, classes = map(int, shape.split("x"))
        logits, target = long_tailed(n, classes)
        for name, preds in (("logits", logits), ("probabilities", logits.softmax(1))):
            print(multiclass_row(name, preds, target, options.batch, options.rounds), flush=True)
    if options.binary:
        print(f"\nBinary, {options.binary:,} logits at a prevalence of 0.1 %:\n")
        print("| | seconds | AUROC | error | state (MB) |\n| --- | --- | --- | --- | --- |")
        print(*streaming_rows(options.binary, options.batch, options.rounds), sep="\n")


def multiclass_row(name: str, preds: Tensor, target: Tensor, batch: int, rounds: int) -> str:
    """Time AUROC and average precision of every class, from update to the numbers."""
    n, classes = preds.shape
    arguments: dict[str, Any] = {"num_classes": classes, "average": "none"}
    our_arguments = arguments | {"task": "multiclass", "from_logits": name == "logits"}

    def fed(metric: Any) -> Any:
        return feed(metric, preds, target, batch)

    def theirs() -> Any:
        return fed(MetricCollection([MulticlassAUROC(**arguments), MulticlassAveragePrecision(**arguments)]))

    def ours() -> Any:
        return fed(OneVsRest("multiclass", classes, from_logits=name == "logits"))

    contenders: dict[str, Contender] = {
        "theirs": lambda: theirs().compute(),
        "ours": lambda: [(ranking.auroc, ranking.average_precision) for ranking in ours().compute()],
        "two": lambda: fed(MetricCollection([AUROC(**our_arguments), AveragePrecision(**our_arguments)])).compute(),
        "their update": theirs,
        "our update": ours,
    }
    seconds = timed(contenders, rounds)
    times = (f"{median(seconds[contender]):.3g}" for contender in ("theirs", "ours"))
    pairs = (("theirs", "ours"), ("their update", "our update"), ("theirs", "two"))
    ratios = (ratio(seconds[above], seconds[below]) for above, below in pairs)
    return f"| {' | '.join([f'{n:,} × {classes:,}', name, *times, *ratios])} |"


def streaming_rows(n: int, batch: int, rounds: int) -> Iterator[str]:
    """Time binary AUROC where positives are rare, with the error of each."""
    generator = torch.Generator().manual_seed(0)
    target = (torch.rand(n, generator=generator) < 1e-3).long()
    logits = torch.randn(n, generator=generator) - 7 + 1.8 * target
    makers: dict[str, Callable[[], Any]] = {
        "ours, exact": lambda: AUROC("binary", from_logits=True),
        "ours, streaming": lambda: StreamingAUROC("binary", from_logits=True),
        "torchmetrics, exact": BinaryAUROC,
        "torchmetrics, 200 thresholds": lambda: BinaryAUROC(thresholds=200),
    }
    done: dict[str, Any] = {}

    def score(name: str) -> None:
        metric = feed(makers[name](), logits, target, batch)
        done[name] = metric, metric.compute()

    seconds = timed({name: partial(score, name) for name in makers}, rounds)
    truth = done["ours, exact"][1]
    for name, (metric, value) in done.items():
        error = f"{float(value - truth):+.1e}"
        if isinstance(metric, StreamingAUROC) and metric.bounds is not None:
            error += f" (bounds {', '.join(f'{float(end - truth):+.1e}' for end in metric.bounds)})"
        states = [state if isinstance(state, list) else [state] for state in metric.metric_state.values()]
        size = sum(part.nbytes for state in states for part in state) / 1e6
        yield f"| {name} | {median(seconds[name]):.3g} | {value:.6f} | {error} | {size:.3g} |"


def feed(metric: Any, preds: Tensor, target: Tensor, batch: int) -> Any:
    for rows, labels in zip(torch.split(preds, batch), torch.split(target, batch), strict=True):
        metric.update(rows, labels)
    return metric


def timed(contenders: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            start = time.process_time()
            contender()
            seconds[name].append(time.process_time() - start)
    return seconds


def ratio(above: list[float], below: list[float]) -> str:
    each = [a / b for a, b in zip(above, below, strict=True)]
    return f"{median(each):.1f} ({min(each):.1f}–{max(each):.1f})"


def long_tailed(n: int, classes: int) -> tuple[Tensor, Tensor]:
    """Logits (N, C) of a mediocre model, and targets whose most frequent class is about 50 times the rarest."""
    generator = torch.Generator().manual_seed(0)
    frequency = 0.02 ** (torch.arange(classes) / (classes - 1))
    target = torch.multinomial(frequency, n, replacement=True, generator=generator)
    logits = torch.randn(n, classes, generator=generator)
    logits[torch.arange(n), target] += 1.5
    return logits, target


def cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
