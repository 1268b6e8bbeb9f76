"""Kill a parallel sweep at random times, go on with it, and compare its end with that of one that nothing disturbed.

python scripts/kill_sweeps.py --directory killed --kills 50

A kill ends one process, or with ``--whole`` as its share the sweep with all its processes, a random time after its runs
have begun or after the last kill; then it is continued with resume_sweep. The program can be stopped and started again:
it goes on where it was.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOB = ["trainer=cpu", "backbone=mlp", "logger=csv", "loss.gamma=0,1,2", "seed=0,1,2,3", "sweep=parallel"]
EQUAL = ("metrics.json", "metrics.csv", "operating_point.json", "predictions/val.parquet", "predictions/test.parquet")
TABLES = ("comparison.csv", "comparison_runs.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--between", type=float, default=8.0, help="at most so many seconds between two kills")
    parser.add_argument("--whole", type=float, default=0.25, help="share of the kills that end all processes")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time, to be started again")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    os.chdir(options.directory)
    deadline = time.monotonic() + options.seconds
    words = [*JOB, f"sweep.jobs={options.jobs}", f"max_epochs={options.epochs}"]
    whole = Path("whole")
    if not (whole / TABLES[0]).is_file() and start([*words, "-m", f"hydra.sweep.dir={whole}"]).wait() != 0:
        sys.exit("the undisturbed sweep has failed")
    log = Path("kills.json")
    kills: list[dict[str, object]] = json.loads(log.read_text()) if log.is_file() else []
    while count(kills) < options.kills:
        sweep = Path(f"sweep_{sum(kill['what'] == 'end' for kill in kills)}")
        disturb(sweep, words, kills, options, deadline)
        log.write_text(json.dumps(kills, indent=1))
        if time.monotonic() > deadline:
            sys.exit(f"{count(kills)} kills until now: start it again")
    sweeps = sorted(Path().glob("sweep_*"))
    for sweep in sweeps:
        if start([f"resume_sweep={sweep}"]).wait() != 0:
            sys.exit(f"{sweep} has failed")
        check(whole, sweep)
    print(f"{count(kills)} kills of {len(sweeps)} sweeps: every table and every run is that of the undisturbed sweep")


def count(kills: list[dict[str, object]]) -> int:
    return sum(kill["what"] != "end" for kill in kills)


def start(words: list[str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(ROOT / "train.py"), *words]
    with Path("output.txt").open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)


def disturb(
    sweep: Path, words: list[str], kills: list[dict[str, object]], options: argparse.Namespace, deadline: float
) -> None:
    """Run a sweep, or go on with it, and kill something after a random time, until the whole is killed or has ended."""
    first = not (sweep / "sweep.json").is_file()
    process = start([*words, "-m", f"hydra.sweep.dir={sweep}"] if first else [f"resume_sweep={sweep}"])
    finished = finished_runs(sweep)
    while not children(process.pid) and process.poll() is None:
        time.sleep(0.05)
    while True:
        end = time.monotonic() + random.uniform(0, options.between)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.02)
        workers = children(process.pid)
        if process.poll() is not None:
            kills.append({"what": "end", "code": process.returncode})
            break
        what = "all" if not workers or random.random() < options.whole else "one"
        kills.append({"what": what, "time": time.time(), "finished": len(finished_runs(sweep))})
        if what == "one":
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
        is_over = time.monotonic() > deadline or count(kills) >= options.kills
        if what == "all" or is_over:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            break
    again = finished_runs(sweep)
    if repeated := [run for run, state in finished.items() if again.get(run) != state]:
        sys.exit(f"finished runs of {sweep} were run again: {repeated}")


def children(pid: int) -> list[int]:
    """The processes of a sweep that run its jobs: those that have made a process group of their own."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (each / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid and int(fields[2]) == int(each.name) != pid:  # of its session
                found.append(int(each.name))
    return found


def finished_runs(sweep: Path) -> dict[str, tuple[int, int]]:
    """The runs that have finished, and when their scores and their last checkpoint were written."""
    found = {}
    for status in sweep.glob("*/status.json"):
        run = status.parent
        if json.loads(status.read_text())["state"] == "finished":
            files = run / "metrics.json", run / "checkpoints" / "last.ckpt"
            found[run.name] = (files[0].stat().st_mtime_ns, files[1].stat().st_mtime_ns)
    return found


def check(whole: Path, sweep: Path) -> None:
    """Compare two sweeps file by file."""
    names = sorted(path.parent.name for path in whole.glob("*/status.json"))
    if names != sorted(path.parent.name for path in sweep.glob("*/status.json")):
        sys.exit(f"{sweep} has other runs")
    files = [*TABLES, *(f"{name}/{file}" for name in names for file in EQUAL)]
    if different := [file for file in files if (whole / file).read_bytes() != (sweep / file).read_bytes()]:
        sys.exit(f"{sweep} differs in {different}")


if __name__ == "__main__":
    main()
