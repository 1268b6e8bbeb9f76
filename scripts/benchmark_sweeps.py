"""What a sweep of short runs costs: beside one process of train.py for each run.

python scripts/benchmark_sweeps.py

A row is a way of running the same eight runs of a net on the table of `benchmark_batched`: its command lines.
A search chooses among the same settings. On a busy machine the CPU seconds, of all processes together, say more than
the time.
"""

import argparse
import ctypes
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

from benchmark_batched import PLAIN, QUICK, write_table

ROOT = Path(__file__).resolve().parent.parent
JOB = (*PLAIN, *QUICK, "data.path=table.csv", "loss=focal", "max_epochs=4")
GAMMAS, SEEDS = ("0", "1", "2", "5"), ("0", "1")
Commands = list[list[str]]
_CHILD_SUBREAPER = 36  # of prctl, see <linux/prctl.h>


def alone() -> Commands:
    """A process for each run, one after the other."""
    runs = product(GAMMAS, SEEDS)
    return [
        [*JOB, f"loss.gamma={gamma}", f"seed={seed}", f"hydra.run.dir=runs/{n}"] for n, (gamma, seed) in enumerate(runs)
    ]


def sweep(*words: str) -> Callable[[], Commands]:
    """One command, with these words."""
    swept = [f"loss.gamma={','.join(GAMMAS)}", f"seed={','.join(SEEDS)}"]
    return lambda: [["-m", *words, *JOB, *swept, "hydra.sweep.dir=sweep"]]


def search() -> Commands:
    """Eight trials among the same values."""
    space = [f"loss.gamma=choice({','.join(GAMMAS)})", f"seed=choice({','.join(SEEDS)})"]
    grid = "sweep.sampler={_target_: optuna.samplers.BruteForceSampler}"
    return [["-m", "sweep=optuna", "sweep.n_trials=8", grid, *JOB, *space, "hydra.sweep.dir=sweep"]]


ROWS: dict[str, Callable[[], Commands]] = {
    "8 processes": alone,
    "`sweep=grid`": sweep(),
    "`sweep=parallel sweep.jobs=2`": sweep("sweep=parallel", "sweep.jobs=2"),
    "`sweep=optuna`": search,
    "`sweep=batched`": sweep("sweep=batched"),
}
"""What is measured; the others are compared with the first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1)  # processes whose parent ends become ours, and so are counted
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; `python {' '.join(sys.argv)}`\n")
    print("| eight runs as | seconds | ratio | CPU seconds | ratio |\n| --- | --- | --- | --- | --- |")
    base: tuple[float, float] | None = None
    for row in options.rows:
        seconds, cpu = measure(ROWS[row]())
        base = base or (seconds, cpu)
        print(f"| {row} | {seconds:.1f} | {seconds / base[0]:.2f} | {cpu:.1f} | {cpu / base[1]:.2f} |", flush=True)


def measure(commands: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Seconds and CPU seconds of command lines of train.py, one after the other."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "table.csv")
        for words in commands:
            command = [sys.executable, str(ROOT / "train.py"), *words]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{' '.join(words)} has failed:\n{done.stderr}")
        seconds = time.perf_counter() - began
        with suppress(ChildProcessError):
            while True:
                os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
