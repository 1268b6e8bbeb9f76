"""Time predictions for a large table, and for one row, beside pandas and LightGBM; show that the memory is constant.

    python scripts/benchmark_predict.py

Both sides read the same file, predict every row and write a file of probabilities and decisions, on one core and with
one thread, by turns. The other way is what one would write with pandas: read_csv or read_parquet, categories, the
`predict` of a LightGBM model of 100 trees, to_csv or to_parquet. With `--memory` each size of file is predicted in a
process of its own, whose largest memory is measured.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from imbalance_lab.deployment.inputs import open_input
from imbalance_lab.deployment.predict import predict
from imbalance_lab.model import Model, load_model

TEXT = ["country", "device"]
MEMORY = (
    "import resource; from imbalance_lab.app.program import main; main(); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", type=int, nargs="*", default=[], metavar="ROWS", help="sizes of files")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "pyarrow", "pandas", "lightgbm"))
    print(f"{cpu()}, one core; {packages}\n`python {' '.join(sys.argv)}`\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        payments(100_000, 0).to_csv(folder / "train.csv", index=False)
        model = load_model(train(folder))
        booster = boosted(pd.read_csv(folder / "train.csv"))
        speed(folder, model, booster, options.rows, options.repeats)
        latency(model, booster)
        for rows in options.memory:
            memory(folder, rows)


def payments(n: int, seed: int) -> pd.DataFrame:
    """12 numbers, 2 columns of text, 1 % fraud."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < 0.01
    columns: dict[str, Any] = {f"number_{i}": (rng.normal(size=n) + 0.5 * fraud).round(4) for i in range(12)}
    columns |= {"country": rng.choice(["DE", "FR", "GB", "US", "BR"], n), "device": rng.choice(["ios", "web"], n)}
    return pd.DataFrame(columns | {"class": np.where(fraud, "fraud", "legit")})


def train(folder: Path) -> Path:
    """A run with the default net for tables."""
    words = ["data=table", f"data.path={folder / 'train.csv'}", "data.target=class", "max_epochs=2", "batch_size=1024"]
    command = ["-m", "imbalance_lab", "train", *words, "logger=none", "trainer=cpu", f"hydra.run.dir={folder / 'run'}"]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return folder / "run"


def boosted(frame: pd.DataFrame) -> Any:
    inputs, target = frame.drop(columns="class").astype(dict.fromkeys(TEXT, "category")), frame["class"] == "fraud"
    return lightgbm.LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1).fit(inputs, target)


def speed(folder: Path, model: Model, booster: Any, n: int, repeats: int) -> None:
    frame = payments(n, 1).drop(columns="class")
    frame.to_csv(folder / "new.csv", index=False)
    frame.to_parquet(folder / "new.parquet")
    print(f"{n:,} rows × {frame.shape[1]} columns, rows a second, median of {repeats} runs by turns\n")
    print("| | ours | pandas + LightGBM | ratio |\n| --- | --- | --- | --- |")
    for kind in ("csv", "parquet"):
        source, out = folder / f"new.{kind}", folder / f"out.{kind}"
        ours, theirs = [], []
        for _ in range(repeats):
            ours.append(seconds(lambda: predict(model, open_input(source, model.schema), out)))  # noqa: B023
            theirs.append(seconds(lambda: by_pandas(booster, source, out)))  # noqa: B023
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        a, b = n / statistics.median(ours), n / statistics.median(theirs)
        print(f"| {kind} → {kind} | {a:,.0f} | {b:,.0f} | {ratio:.2f} |", flush=True)


def by_pandas(booster: Any, source: Path, out: Path) -> None:
    frame = pd.read_csv(source) if source.suffix == ".csv" else pd.read_parquet(source)
    p = booster.predict_proba(frame.astype(dict.fromkeys(TEXT, "category")))[:, 1]
    table = pd.DataFrame({"index": frame.index, "p_fraud": p, "p_legit": 1 - p, "flag_fraud": p >= 0.5})
    table["predicted"] = np.where(p >= 0.5, "fraud", "legit")
    table.to_csv(out, index=False) if out.suffix == ".csv" else table.to_parquet(out)


def latency(model: Model, booster: Any, times: int = 1000) -> None:
    """Of one row, given as a dictionary."""
    row = payments(1, 2).drop(columns="class")
    given = {name: [value] for name, value in row.iloc[0].items()}
    categories = {name: pd.CategoricalDtype(sorted(pd.unique(payments(1000, 0)[name]))) for name in TEXT}
    print("\n| one row | p50, ms | p99, ms |\n| --- | --- | --- |")
    for name, call in (
        ("ours", lambda: model.predict(given)),
        ("pandas + LightGBM", lambda: booster.predict_proba(pd.DataFrame(given).astype(categories))),
    ):
        took = sorted(1000 * seconds(call) for _ in range(times))
        print(f"| {name} | {took[times // 2]:.2f} | {took[times * 99 // 100]:.2f} |", flush=True)


def memory(folder: Path, n: int) -> None:
    """The largest memory of a process that predicts ``n`` rows."""
    header, _, body = payments(100_000, 3).drop(columns="class").to_csv(index=False).partition("\n")
    with (folder / "large.csv").open("w") as file:
        file.write(header + "\n")
        for start in range(0, n, 100_000):
            lines = body if n - start >= 100_000 else "".join(body.splitlines(keepends=True)[: n - start])
            file.write(lines)
    command = ["-c", MEMORY, "predict", folder / "run", folder / "large.csv", "-o", folder / "large.parquet"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    size = (folder / "large.csv").stat().st_size / 1e6
    took = time.perf_counter() - started
    print(f"\n{n:,} rows, {size:,.0f} MB: {done.stdout.splitlines()[-1]} MiB at most, {took:.0f} s", flush=True)


def seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def cpu() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
