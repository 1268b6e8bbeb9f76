"""Time and memory of the focal losses, forward and backward, against cross-entropy and every installed peer.

python scripts/benchmark_losses.py                 prints a Markdown table, for docs/benchmarks.md
python scripts/benchmark_losses.py --labels        the same for multilabel losses
python scripts/benchmark_losses.py --device cuda   the same on a GPU, and the share of its copy bandwidth

The contenders run in turns, so that what else the machine does falls on all of them alike; a block of turns gives one
ratio of medians, and the table shows the median, least and greatest ratio of the blocks.
"""

import argparse
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.losses import AsymmetricLoss, FocalLoss, SigmoidFocalLoss

Loss = Callable[[Tensor, Tensor], Tensor]
SHAPES = [(64, 10), (8192, 10), (8192, 100), (4096, 1000), (4, 21, 128, 128)]
LABEL_SHAPES = [(64, 10), (8192, 10), (8192, 80), (4096, 1000)]
LARGE = (65536, 1000)  # where a GPU is limited by its memory and nothing else


def contenders() -> dict[str, Loss]:
    ours = FocalLoss(gamma=2.0)

    def by_hand(logits: Tensor, target: Tensor) -> Tensor:
        each = F.cross_entropy(logits, target, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    found: dict[str, Loss] = {
        "F.cross_entropy": F.cross_entropy,
        "F.cross_entropy, compiled": torch.compile(F.cross_entropy, dynamic=False),
        "focal (ours)": ours,
        "focal (ours), compiled": torch.compile(ours, dynamic=False),
        "focal by hand": by_hand,
    }
    if version("torchvision"):
        from torchvision.ops import sigmoid_focal_loss

        def by_torchvision(logits: Tensor, target: Tensor) -> Tensor:
            one_hot = F.one_hot(target, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
            loss: Tensor = sigmoid_focal_loss(logits, one_hot, alpha=-1, gamma=2.0, reduction="mean")
            return loss

        found["torchvision, sigmoid + one-hot"] = by_torchvision
    if version("kornia"):
        from kornia.losses import focal_loss

        found["kornia"] = lambda z, y: focal_loss(z, y, alpha=None, gamma=2.0, reduction="mean")
    if version("monai"):
        from monai.losses.focal_loss import FocalLoss as MonaiFocalLoss

        monai = MonaiFocalLoss(to_onehot_y=True, use_softmax=True, gamma=2.0)
        found["MONAI"] = lambda z, y: monai(z, y.unsqueeze(1))
    return found


def label_contenders() -> dict[str, Loss]:
    ours, asymmetric, baseline = SigmoidFocalLoss(), AsymmetricLoss(), F.binary_cross_entropy_with_logits
    found: dict[str, Loss] = {
        "F.binary_cross_entropy": baseline,
        "F.binary_cross_entropy, compiled": torch.compile(baseline, dynamic=False),
        "sigmoid focal (ours)": ours,
        "sigmoid focal (ours), compiled": torch.compile(ours, dynamic=False),
        "asymmetric (ours)": asymmetric,
        "asymmetric (ours), compiled": torch.compile(asymmetric, dynamic=False),
    }
    if version("torchvision"):
        from torchvision.ops import sigmoid_focal_loss

        found["torchvision, sigmoid focal"] = partial(sigmoid_focal_loss, reduction="mean")
    if version("kornia"):
        from kornia.losses import binary_focal_loss_with_logits

        found["kornia, sigmoid focal"] = partial(binary_focal_loss_with_logits, alpha=0.25, gamma=2.0, reduction="mean")
    if version("monai"):
        from monai.losses.focal_loss import FocalLoss as MonaiFocalLoss

        found["MONAI, sigmoid focal"] = MonaiFocalLoss(alpha=0.25)
    if version("timm"):
        from timm.loss.asymmetric_loss import AsymmetricLossMultiLabel

        found["timm, asymmetric"] = AsymmetricLossMultiLabel(reduction="mean")
    return found


def batch(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator).mul_(3).to(device, dtype).requires_grad_()
    target = torch.randint(shape[1], (shape[0], *shape[2:]), generator=generator)
    return logits, target.to(device)


def label_batch(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    logits, _ = batch(shape, dtype, device)
    labels = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.1
    return logits, labels.to(device, dtype)


def step(loss: Loss, logits: Tensor, target: Tensor) -> None:
    logits.grad = None
    torch.autograd.backward(loss(logits, target))


def seconds(run: Callable[[], object], device: torch.device) -> float:
    if device.type != "cuda":
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    begin.record()
    run()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / 1000


def peak_bytes(run: Callable[[], object], device: torch.device) -> int:
    """The most that one step holds at a time beside logits and target, its gradient included."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return torch.cuda.max_memory_allocated() - before
    os.environ["KINETO_LOG_LEVEL"] = "99"  # it would print a line per profile
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    held = most = 0
    assert profile.profiler is not None
    assert profile.profiler.kineto_results is not None
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def measure(
    losses: dict[str, Loss], logits: Tensor, target: Tensor, blocks: int, budget: float
) -> dict[str, tuple[list[float], int]]:
    """Of each contender the median seconds of every block, and its peak memory."""
    device = logits.device
    steps = {name: partial(step, loss, logits, target) for name, loss in losses.items()}
    for run in steps.values():
        for _ in range(3):
            run()
    memory = {}
    for name, run in steps.items():
        logits.grad = None
        memory[name] = peak_bytes(run, device)
    once = sum(seconds(run, device) for run in steps.values())
    turns = max(5, int(budget / blocks / once))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(blocks):
        block = [[seconds(run, device) for run in steps.values()] for _ in range(turns)]
        for name, each in zip(steps, zip(*block, strict=True), strict=True):
            times[name].append(statistics.median(each))
    return {name: (times[name], memory[name]) for name in steps}


def copy_bandwidth(device: torch.device) -> float:
    """Bytes a second that a plain copy reads and writes."""
    source, sink = torch.empty(2, 2**28, device=device).unbind()
    for _ in range(3):
        sink.copy_(source)
    fastest = min(seconds(lambda: sink.copy_(source), device) for _ in range(20))
    return 2 * source.nbytes / fastest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", action="store_true", help="multilabel losses")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=1, help="of torch on a CPU")
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10.0, help="of measuring for a shape and dtype")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)

    on_gpu = device.type == "cuda"
    hardware = torch.cuda.get_device_name(device) if on_gpu else f"{cpu_name()}, {options.threads} thread(s)"
    packages = [(name, version(name)) for name in ("torch", "torchvision", "kornia", "monai", "timm")]
    known = ", ".join(f"{name} {number}" for name, number in packages if number)
    print(f"{hardware}; Python {platform.python_version()}, {known}\n")
    bandwidth = copy_bandwidth(device) if on_gpu else 0.0
    print(
        "| shape | dtype | loss | time, ms | time ÷ the first's (least–greatest) | peak memory ÷ |" + on_gpu * " copy |"
    )
    print("| --- | --- | --- | --- | --- | --- |" + on_gpu * " --- |")
    for shape in (LABEL_SHAPES if options.labels else SHAPES) + [LARGE] * on_gpu:
        for dtype in options.dtype:
            torch.compiler.reset()
            losses = label_contenders() if options.labels else contenders()
            logits, target = (label_batch if options.labels else batch)(shape, getattr(torch, dtype), device)
            results = measure(losses, logits, target, options.blocks, options.seconds)
            base, base_memory = next(iter(results.values()))
            for name, (times, memory) in results.items():
                ratios = [mine / its for mine, its in zip(times, base, strict=True)]
                row = [str(shape), dtype, name, f"{statistics.median(times) * 1e3:.3g}"]
                row.append(f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})")
                row.append(f"{memory / base_memory:.2f}")
                if on_gpu:  # the logits are read forward and backward, their gradient is written
                    moved = 3 * torch.Size(shape).numel() * getattr(torch, dtype).itemsize
                    row.append(f"{moved / statistics.median(times) / bandwidth:.0%}")
                print("| " + " | ".join(row) + " |", flush=True)


def cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
