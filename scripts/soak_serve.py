"""The memory of `imbalance-lab serve` over time: all kinds of requests at a modest rate, a look at it every 10 s.

OMP_NUM_THREADS=1 python scripts/soak_serve.py memory.csv --table RUN --images RUN --minutes 10

The server of the table gets single rows, 100 rows, unknown categories, other columns and broken JSON; that of images
one, several, large ones and broken ones. Ends with the mean memory of each process in the first and last minute.
"""

import argparse
import csv
import io
import json
import random
import statistics
import string
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_serve import example_rows, started
from PIL import Image

from imbalance_lab.model import load_model

Body = tuple[bytes, str]
EVERY = 10
"""Seconds between two looks at the memory."""


def table_body(rows: list[dict[str, Any]], rng: random.Random) -> Body:
    kind, sent = rng.randrange(5), rows[: 100 if rng.random() < 0.3 else 1]
    if kind == 3:
        names = [name for name, value in rows[0].items() if isinstance(value, str)]
        sent = [row | {name: "".join(rng.choices(string.ascii_letters, k=12)) for name in names} for row in sent]
    if kind == 4:
        sent = [row | {"".join(rng.choices(string.ascii_letters, k=12)): 1} for row in sent]
    body = json.dumps({"rows": sent}).encode()
    return body[: rng.randrange(len(body))] if kind == 2 else body, "application/json"


def image_body(rng: random.Random) -> Body:
    parts = []
    for number in range(rng.choice([1, 1, 1, 8])):
        side = rng.choice([8, 64, 640])
        pixels = np.random.default_rng(rng.randrange(2**31)).integers(0, 256, (side, side), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, rng.choice(["PNG", "JPEG"]))
        content = file.getvalue()[: None if rng.random() < 0.9 else 60]
        head = f'--limit\r\nContent-Disposition: form-data; name="files"; filename="{number}"\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--limit--\r\n", "multipart/form-data; boundary=limit"


def send(port: int, body: Body) -> int:
    """The HTTP status."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body[0], {"Content-Type": body[1]})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


def descendants(pid: int) -> list[int]:
    """A process and those that it has started."""
    below = [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]
    return [pid, *(each for child in below for each in descendants(child))]


def resident(pid: int) -> float:
    """MB in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def soak(
    bodies: dict[int, Callable[[], Body]], servers: dict[str, int], minutes: float, rate: float, file: Path
) -> None:
    """Send at ``rate`` requests per second to the ports in turn; write a row for each process every 10 s."""
    statuses: Counter[int] = Counter()
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["seconds", "server", "pid", "MB", "requests"])
        began, looked = time.monotonic(), -float(EVERY)
        while (now := time.monotonic() - began) < 60 * minutes:
            if now - looked >= EVERY:
                looked = now
                for name, pid in servers.items():
                    for each in descendants(pid):
                        rows.writerow([round(now), name, each, round(resident(each), 1), statuses.total()])
                opened.flush()
            for port, body in bodies.items():
                statuses[send(port, body())] += 1
            time.sleep(max(0.0, began + statuses.total() / rate - time.monotonic()))
    print(f"{statuses.total():,} requests: " + ", ".join(f"{code} × {n:,}" for code, n in sorted(statuses.items())))


def summarize(file: Path) -> None:
    with file.open(newline="") as opened:
        rows = [(int(r["seconds"]), r["server"], r["pid"], float(r["MB"])) for r in csv.DictReader(opened)]
    end = rows[-1][0]
    print("\n| server | process | first minute, MB | last minute, MB | difference |\n| --- | --- | --- | --- | --- |")
    for server, pid in sorted({(server, pid) for _, server, pid, _ in rows}):
        own = [(at, size) for at, *key, size in rows if key == [server, pid]]
        first = statistics.mean(size for at, size in own if at <= 60)
        last = statistics.mean(size for at, size in own if at >= end - 60)
        print(f"| {server} | {pid} | {first:.1f} | {last:.1f} | {last - first:+.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--table", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=20, help="requests per second")
    options = parser.parse_args()
    rng, rows = random.Random(0), example_rows(load_model(options.table), 100)
    with ExitStack() as stack:
        table, images = (stack.enter_context(started("serve", run)) for run in (options.table, options.images))
        bodies: dict[int, Callable[[], Body]] = {
            table.port: lambda: table_body(rows, rng),
            images.port: lambda: image_body(rng),
        }
        soak(bodies, {"table": table.pid, "images": images.pid}, options.minutes, options.rate, options.output)
    summarize(options.output)
    print(f"`python {' '.join(sys.argv)}`")


if __name__ == "__main__":
    main()
