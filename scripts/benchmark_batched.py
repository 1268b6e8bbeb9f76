"""CPU seconds of 16 runs on a table, trained as one (``sweep=batched``) and one after the other (``sweep=grid``).

    python scripts/benchmark_batched.py [--epochs 2 12] [KEY=VALUE …]

The table is made up: 3,000 rows, 20 numbers, a tenth positive. Each sweep is run with fewer and with more epochs, each
time in a process of its own with one thread: the difference is what training alone takes, the rest is the start, the
predictions, the evaluation and the report of every run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
ROWS, COLUMNS = 3000, 20
GRID = ("loss=focal", "loss.gamma=0,1,2,5", "optimizer.lr=1e-3,3e-3", "seed=0,1")
PLAIN = ("data=table", "data.target=y", "trainer=cpu", "logger=none", "early_stopping=false", "ensemble=1")
QUICK = ("baselines=false",)


class Seconds(NamedTuple):
    """CPU seconds of a sweep: of all its training, and of everything else."""

    training: float
    rest: float


def write_table(file: Path, seed: int = 0) -> None:
    """A table with a linear effect, an interaction and noise."""
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=COLUMNS)
    score = 0.5 * x @ weights + 0.8 * x[:, 0] * x[:, 1] + rng.normal(size=ROWS)
    table = pd.DataFrame(x, columns=[f"x{number}" for number in range(COLUMNS)])
    table.assign(y=(score > np.quantile(score, 0.9)).astype(int)).to_csv(file, index=False)


def cpu_seconds(sweep: str, file: Path, directory: Path, words: Sequence[str]) -> float:
    """CPU seconds, user and system, of a sweep in a process with one thread."""
    given = ["-m", *PLAIN, *QUICK, f"data.path={file}", f"hydra.sweep.dir={directory}", f"sweep={sweep}", *GRID, *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "train.py", *given], cwd=ROOT, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(epochs: tuple[int, int], words: Sequence[str] = ()) -> Mapping[str, Seconds]:
    """The seconds of both sweeps, of the training with the larger number of epochs."""
    fewer, more = epochs
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "table.csv"
        write_table(file)
        for sweep in ("batched", "grid"):
            short, long = (
                cpu_seconds(sweep, file, Path(scratch) / f"{sweep}{n}", [*words, f"max_epochs={n}"]) for n in epochs
            )
            training = (long - short) * more / (more - fewer)
            found[sweep] = Seconds(training, long - training)
    return found


def main() -> None:
    """Measure and print one line for each sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", nargs=2, type=int, default=(2, 12), metavar=("FEWER", "MORE"))
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of every run")
    given = parser.parse_args()
    found = measure(tuple(given.epochs), given.overrides)
    for sweep, seconds in found.items():
        print(f"{sweep:8} training {seconds.training:6.1f} s  rest {seconds.rest:6.1f} s")
    grid, batched = found["grid"], found["batched"]
    print(f"ratio    training {grid.training / batched.training:6.2f}    rest {grid.rest / batched.rest:6.2f}")


if __name__ == "__main__":
    main()
