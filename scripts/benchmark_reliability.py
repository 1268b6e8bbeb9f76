"""What reliability costs: the guard of a training step, and a verified checkpoint beside Lightning's.

OMP_NUM_THREADS=1 python scripts/benchmark_reliability.py
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from torch import nn

from imbalance_lab.backbones import MLP, ConvNet, ResNetCifar
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.data import Batch
from imbalance_lab.losses import FocalLoss
from imbalance_lab.training.callbacks import NonFiniteGuard
from imbalance_lab.training.checkpoint_io import VerifiedCheckpointIO

MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP 256-128, 30 columns": (lambda: MLP((30,)), (30,)),
    "ConvNet 32-64-128, 1 × 28 × 28": (lambda: ConvNet((1, 28, 28)), (1, 28, 28)),
    "ResNet-20, 3 × 32 × 32": (lambda: ResNetCifar((3, 32, 32), 20), (3, 32, 32)),
}
WEIGHTS = (100_000, 5_000_000, 25_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s); `python {' '.join(sys.argv)}`\n")
    print(f"| net, batch {options.batch} | step, ms | guard=stop, ms | share | guard=skip, ms | share |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (make, shape) in MODELS.items():
        step, stop, skip = time_step(make, shape, options.batch, options.repeats)
        shares = (f"{1e3 * cost:.3f} | {cost / step:.2%}" for cost in (stop, skip))
        print(f"| {name} | {1e3 * step:.2f} | {' | '.join(shares)} |")
    print("\n| weights, with Adam's moments | Lightning's, ms | verified, ms | ratio | reading it, ms |")
    print("| --- | --- | --- | --- | --- |")
    for weights in WEIGHTS:
        usual, verified, reading = time_checkpoint(weights, 15 if weights < 10**7 else 5)
        print(
            f"| {weights:,} | {1e3 * usual:.1f} | {1e3 * verified:.1f} | {verified / usual:.2f} | {1e3 * reading:.1f} |"
        )


def time_step(
    make: Callable[[], nn.Module], shape: tuple[int, ...], size: int, repeats: int
) -> tuple[float, float, float]:
    """Median seconds of a training step without the guard, and of the guard's own work with "stop" and "skip"."""
    backbone: Any = make()
    module: Any = nn.Sequential(backbone, nn.Linear(backbone.num_features, 10))
    module.health = []
    optimizer, loss_of = torch.optim.AdamW(module.parameters()), FocalLoss(gamma=2)
    inputs, target = torch.randn(size, *shape), torch.randint(10, (size,))
    batch = Batch(inputs, target, torch.arange(size), torch.arange(size))
    trainer: Any = SimpleNamespace(world_size=1, precision_plugin=None, current_epoch=0, global_step=0)
    times: dict[str, list[float]] = {"step": [], "stop": [], "skip": []}
    guards: Any = {"stop": NonFiniteGuard("stop"), "skip": NonFiniteGuard("skip")}
    for guard in guards.values():
        guard.on_train_start(trainer, module)
    for _ in range(repeats + 3):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_of(module(inputs), target)
        loss.backward()
        optimizer.step()
        times["step"].append(time.perf_counter() - start)
        for name, guard in guards.items():
            start = time.perf_counter()
            guard.on_train_batch_start(trainer, module, batch, 0)
            module.health.append(loss.detach() + 0 * inputs.sum())
            guard.on_before_optimizer_step(trainer, module, optimizer)
            times[name].append(time.perf_counter() - start)
    step, stop, skip = (statistics.median(seconds[3:]) for seconds in times.values())
    return step, stop, skip


def time_checkpoint(weights: int, repeats: int) -> tuple[float, float, float]:
    """Median seconds to write a checkpoint with Lightning's class and with ours, alternating, and to read ours."""
    content = {"weights": [torch.randn(weights // 10) for _ in range(10)]}
    content |= {"moments": [torch.randn(weights // 10) for _ in range(20)]}
    usual, verified, reading = [], [], []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "last.ckpt"
        for _ in range(repeats):
            usual.append(_seconds(lambda: TorchCheckpointIO().save_checkpoint(content, path)))
            verified.append(_seconds(lambda: VerifiedCheckpointIO().save_checkpoint(content, path)))
            reading.append(_seconds(lambda: read_checkpoint_file(path)))
    return statistics.median(usual), statistics.median(verified), statistics.median(reading)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
