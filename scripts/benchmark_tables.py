"""Time reading, preparing and one epoch of a large table, beside what one would otherwise write.

    OMP_NUM_THREADS=2 python scripts/benchmark_tables.py

The other way: pandas.read_csv, scikit-learn's ColumnTransformer, a Dataset that hands out row by row, a DataLoader; the
same MLP, Adam and batch size. Its epoch is timed on some of the rows and extrapolated to all.
"""

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

from imbalance_lab.backbones import MLP
from imbalance_lab.data import Splits, table
from imbalance_lab.samplers import DistributedEpochBatchSampler, RandomSampler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--part", type=int, default=100_000, help="rows of the other way's epoch")
    parser.add_argument("--batch", type=int, default=4096)
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "pyarrow", "pandas", "scikit-learn"))
    print(f"{cpu()}, {torch.get_num_threads()} threads; {packages}\n`python {' '.join(sys.argv)}`\n")
    frame = synthetic(options.rows)
    with tempfile.TemporaryDirectory() as folder:
        csv, parquet = Path(folder, "t.csv"), Path(folder, "t.parquet")
        frame.to_csv(csv, index=False)
        frame.to_parquet(parquet)
        print(f"{len(frame):,} rows × {frame.shape[1] - 1} columns, {csv.stat().st_size / 1e6:.0f} MB as CSV\n")
        print("| | ours, s | the other way, s | ratio |\n| --- | --- | --- | --- |")
        ours, splits = timed(lambda: table(path=str(csv), target="is_fraud"))
        theirs, (inputs, labels) = timed(lambda: by_pandas(lambda: pd.read_csv(csv)))
        row("CSV → tensors, fitted and split", ours, theirs)
        ours, _ = timed(lambda: table(path=str(parquet), target="is_fraud"))
        theirs, _ = timed(lambda: by_pandas(lambda: pd.read_parquet(parquet)))
        row("Parquet → tensors, fitted and split", ours, theirs)
    net = nn.Sequential(
        splits.prepare, backbone := MLP(splits.prepared_shape, cardinalities=splits.schema.cardinalities)
    )
    ours = epoch(nn.Sequential(net, nn.Linear(backbone.num_features, 2)), our_batches(splits, options.batch))
    part = Rows(inputs[: options.part], labels[: options.part])
    plain = MLP((inputs.shape[1],))
    loader: Any = DataLoader(part, batch_size=options.batch, shuffle=True)
    theirs = epoch(nn.Sequential(plain, nn.Linear(plain.num_features, 2)), loader)
    row("one epoch of training", ours, theirs * len(splits.train) / options.part)


class Rows(Dataset[Any]):
    """Row by row."""

    def __init__(self, inputs: Any, labels: Any) -> None:
        self.inputs, self.labels = inputs, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> Any:
        return torch.as_tensor(self.inputs[i]), int(self.labels[i])


def synthetic(rows: int) -> pd.DataFrame:
    """24 columns of numbers, of which six have gaps, and 6 of text; 0.8 % positives."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"number_{i}": rng.normal(size=rows).astype(np.float32).round(4) for i in range(24)}
    for i in range(6):
        columns[f"number_{i}"][rng.random(rows) < 0.1] = np.nan
    columns |= {f"text_{i}": np.char.add("value ", rng.integers(0, 10 * 2**i, rows).astype(str)) for i in range(6)}
    risk = np.nan_to_num(columns["number_0"]) + columns["number_7"] - 5.6
    return pd.DataFrame(columns | {"is_fraud": (risk + rng.logistic(size=rows) * 0.3 > -1.97).astype(int)})


def by_pandas(read: Callable[[], pd.DataFrame]) -> tuple[Any, Any]:
    frame = read()
    labels = frame.pop("is_fraud").to_numpy()
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    numbers = [name for name in frame if name not in text]
    fitted = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
            (
                "text",
                OneHotEncoder(sparse_output=False, handle_unknown="ignore", dtype=np.float32, max_categories=50),
                text,
            ),
        ]
    )
    return fitted.fit_transform(frame).astype(np.float32), labels


def our_batches(splits: Splits, size: int) -> Iterable[tuple[Any, Any]]:
    batches = DistributedEpochBatchSampler(RandomSampler(targets=splits.train.targets), len(splits.train), size)
    for draws in batches:
        batch = splits.train.__getitems__(draws)
        yield batch.input, batch.target


def epoch(net: nn.Module, batches: Iterable[Any]) -> float:
    optimizer = torch.optim.Adam(net.parameters())
    start = time.perf_counter()
    for inputs, target in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs), target).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return time.perf_counter() - start


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def row(what: str, ours: float, theirs: float) -> None:
    print(f"| {what} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.1f} |", flush=True)


def cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.is_file() else []
    return names[0].split(":")[1].strip() if names else platform.processor()


if __name__ == "__main__":
    main()
