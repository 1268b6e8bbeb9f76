"""What a table larger than memory costs: memory, class shares and throughput, measured.

    python scripts/benchmark_large.py --rows 100000000 --folder /tmp

A table of float32 columns (of 255 values each, so that the Parquet file is small) and a rare class is written as
Parquet, chunk by chunk, mapped by ``data=large_table``, and read and trained on by a small net through the loader of
training; then one that fits into memory, in memory and mapped. Memory is that of this process: its own (RssAnon), and
mapped files (RssFile), whose pages the system may take back. All files are deleted at the end.
"""

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from imbalance_lab.backbones import MLP
from imbalance_lab.data import Splits, large_table, table
from imbalance_lab.data.arrays import Batch
from imbalance_lab.samplers import (
    ClassBalancedSampler,
    MPerClassSampler,
    ProgressiveSampler,
    RandomSampler,
    Sampler,
)
from imbalance_lab.training.datamodule import DataModule

CHUNK = 1_000_000
SHARES = (0.94, 0.05, 0.01)


def write_table(file: Path, rows: int, columns: int) -> None:
    """Write ``rows`` rows of numbers and a class with the shares `SHARES`, a row group a chunk."""
    names = [f"x{i}" for i in range(columns)]
    writer = None
    for start in range(0, rows, CHUNK):
        draws = np.random.default_rng(start)
        n = min(CHUNK, rows - start)
        label = draws.choice(3, n, p=SHARES).astype(np.int8)
        values = (draws.standard_normal((columns, n), np.float32) * 32).round().clip(-127, 127) / 32  # a byte each
        values[0] += label
        part = pa.table({**dict(zip(names, values, strict=True)), "label": label})
        if writer is None:
            writer = pq.ParquetWriter(file, part.schema)
        writer.write_table(part)
    assert writer is not None
    writer.close()


class Memory(threading.Thread):
    """The largest memory of this process since the last look, in MB: all, its own, and of mapped files."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = dict.fromkeys(("VmRSS", "RssAnon", "RssFile"), 0.0)

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(0.05)

    def look(self) -> None:
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in self.peak:
                self.peak[name] = max(self.peak[name], int(value.split()[0]) / 1024)

    def since(self) -> dict[str, int]:
        """The peaks, which start anew."""
        self.look()
        found = {name: round(value) for name, value in self.peak.items()}
        self.peak = dict.fromkeys(self.peak, 0.0)
        self.look()
        return found


def batches(splits: Splits, sampler: Sampler, batch_size: int) -> Iterator[Batch]:
    """The batches of an epoch, as a trainer would be given them."""
    return iter(DataModule(splits, sampler, batch_size=batch_size).train_dataloader())


def throughput(splits: Splits, sampler: Sampler, rows: int, *, train: bool, batch_size: int = 1024) -> float:
    """Rows a second over a part of an epoch, of reading alone or of training."""
    body = MLP(splits.prepared_shape)
    net = nn.Sequential(splits.prepare, body, nn.Linear(body.num_features, 3))
    optimizer = torch.optim.AdamW(net.parameters())
    done, start = 0, 0.0
    for step, batch in enumerate(batches(splits, sampler, batch_size)):
        if step == 8:  # the first ones compute the order
            start, done = time.perf_counter(), 0
        done += len(batch.target)
        if train:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(batch.input), batch.target).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if done >= rows and step > 8:
            break
    return done / (time.perf_counter() - start)


def class_shares(splits: Splits, sampler: Sampler, rows: int, batch_size: int = 1024) -> list[float]:
    """Of the draws of a part of an epoch."""
    counts, done = torch.zeros(3, dtype=torch.long), 0
    for batch in batches(splits, sampler, batch_size):
        counts += torch.bincount(batch.target, minlength=3)
        done += len(batch.target)
        if done >= rows:
            break
    return [round(share, 6) for share in (counts / done).tolist()]


Found = Iterator[tuple[str, object]]


def write(folder: Path, arguments: argparse.Namespace, memory: Memory) -> Found:
    """Write the table as Parquet."""
    start = time.perf_counter()
    write_table(folder / "large.parquet", arguments.rows, arguments.columns)
    yield "seconds to write the table", round(time.perf_counter() - start)


def map_rows(folder: Path, arguments: argparse.Namespace, memory: Memory) -> Found:
    """Map the rows."""
    memory.since()
    start = time.perf_counter()
    splits = large_table(path=str(folder / "large.parquet"), target="label", cache=str(folder / "cache"))
    yield "seconds to map it", round(time.perf_counter() - start)
    yield "memory while mapping", memory.since()
    yield "class counts", splits.class_counts.tolist()
    bytes_mapped = sum(each.stat().st_size for each in (folder / "cache").rglob("*.npy"))
    yield "bytes", {"parquet": (folder / "large.parquet").stat().st_size, "mapped": bytes_mapped}


def read(folder: Path, arguments: argparse.Namespace, memory: Memory) -> Found:
    """Draw and train."""
    memory.since()
    start = time.perf_counter()
    splits = large_table(path=str(folder / "large.parquet"), target="label", cache=str(folder / "cache"))
    yield "seconds to open it again", round(time.perf_counter() - start, 3)
    yield "rows", {split: len(source) for split, source in splits.parts.items()}
    start = time.perf_counter()
    yield "fingerprint", splits.fingerprint[:8]
    yield "seconds for the fingerprint", round(time.perf_counter() - start, 1)
    targets = splits.train.targets
    kinds: dict[str, Callable[[], Sampler]] = {
        "shuffled": lambda: RandomSampler(targets=targets),
        "class_balanced": lambda: ClassBalancedSampler(targets=targets),
        "square_root": lambda: ClassBalancedSampler(targets=targets, power=0.5),
        "progressive": lambda: ProgressiveSampler(targets=targets, max_epochs=2),
        "m_per_class": lambda: MPerClassSampler(targets=targets, batch_size=1024, m=100),
    }
    yield "memory with the fingerprint", memory.since()
    for name, kind in kinds.items():
        sampler = kind()  # a run has one
        yield f"{name}: shares of {arguments.part:,} draws", class_shares(splits, sampler, arguments.part)
        if hasattr(sampler, "class_priors"):
            asked = sampler.class_priors(splits.class_counts)
            yield f"{name}: asked", [round(share, 6) for share in (asked / asked.sum()).tolist()]
        yield f"{name}: rows a second read", round(throughput(splits, sampler, arguments.part, train=False))
        yield f"{name}: memory", memory.since()
        if name in ("shuffled", "class_balanced"):
            speed = throughput(splits, sampler, arguments.part // 2, train=True)
            yield f"{name}: rows a second trained", round(speed)
            yield f"{name}: memory while training", memory.since()
        del sampler


def compare(folder: Path, arguments: argparse.Namespace, memory: Memory) -> Found:
    """The same of a table that fits into memory, in memory and mapped."""
    small, fits = folder / "small.parquet", arguments.fits
    write_table(small, fits, arguments.columns)
    both = {
        "in memory": table(path=str(small), target="label"),
        "mapped": large_table(path=str(small), target="label", cache=str(folder / "cache")),
    }
    for what, kind in (("shuffled", RandomSampler), ("class_balanced", ClassBalancedSampler)):
        for name, splits in both.items():
            sampler = kind(targets=splits.train.targets)
            n = min(arguments.part, len(splits.train) - 10_240)
            yield f"{fits:,} rows {name}, {what}: read", round(throughput(splits, sampler, n, train=False))
            yield f"{fits:,} rows {name}, {what}: trained", round(throughput(splits, sampler, n // 2, train=True))


STEPS = {"write": write, "map": map_rows, "read": read, "compare": compare}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--fits", type=int, default=2_000_000, help="rows of the table that fits into memory")
    parser.add_argument("--part", type=int, default=2_000_000, help="draws of an epoch that are measured")
    parser.add_argument("--folder", default=None, help="where the files are written and deleted")
    parser.add_argument(
        "--step",
        choices=STEPS,
        help="one step alone, each in a process of its own; --folder is then the place, and stays",
    )
    arguments = parser.parse_args()
    is_whole = arguments.step is None
    folder = Path(tempfile.mkdtemp(prefix="large_table_", dir=arguments.folder)) if is_whole else Path(arguments.folder)
    memory = Memory()
    memory.start()
    try:
        print(json.dumps({"memory at the start": memory.since()}), flush=True)
        for step in STEPS if is_whole else [arguments.step]:
            for what, value in STEPS[step](folder, arguments, memory):
                print(json.dumps({what: value}), flush=True)
    finally:
        if is_whole:
            shutil.rmtree(folder)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
