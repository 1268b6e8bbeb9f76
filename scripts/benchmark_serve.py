"""The load test of `imbalance-lab serve`, beside handlers that one would write with FastAPI.

OMP_NUM_THREADS=1 python scripts/benchmark_serve.py RUN

RUN is a run of a table. All servers hold the same model, one thread each, on this machine; a client with keep-alive
connections sends the next request when the answer has come (closed loop). Servers are measured in turn, round by round,
and the median round is shown, because other programs disturb single ones. The plain handlers:

- pandas: `model.predict(pandas.DataFrame(rows))`, what most people write.
- arrow: the same with columns by name, without pandas.
- encoder: the row encoder of `imbalance-lab serve` in the handler, everything in one process.
- litserve: `imbalance-lab serve`'s LitAPI with LitServe's own queues and loop, batch timeout 1 ms (with --all).

With --all also `serve` without batches, and waiting 2 ms for a fuller batch.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import litserve

from imbalance_lab.checkpoint_file import stored_digest
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.serve.json_rows import RowEncoder
from imbalance_lab.deployment.serve.openapi import example_row
from imbalance_lab.deployment.serve.predictions import Options, PredictAPI
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import Model, load_model

PLAIN = ("pandas", "arrow", "encoder")
VARIANTS = {
    "serve": [],
    "serve, batches of 1": ["--max-batch-size", "1"],
    "serve, waits 2 ms": ["--batch-timeout", "0.002"],
}
LOADS = ((1, 1), (1, 8), (1, 32), (100, 1), (100, 8))
"""(rows of a request, connections)."""


class Result(NamedTuple):
    """Of one round: requests per second, and seconds."""

    rate: float
    p50: float
    p99: float


class Started(NamedTuple):
    """A server's process, and where it listens."""

    port: int
    pid: int


class Connection(asyncio.Protocol):
    """Sends one request again and again, each when the answer to the one before is complete."""

    def __init__(self, request: bytes, latencies: list[float], failures: list[bytes]) -> None:
        self.request, self.latencies, self.failures = request, latencies, failures
        self.received, self.expected, self.began = 0, 0, 0.0
        self.running = True

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        if not self.expected:
            head = data.index(b"\r\n\r\n")
            at = data.index(b"content-length: ") + 16
            self.expected = head + 4 + int(data[at : data.index(b"\r\n", at)])
            if not data.startswith(b"HTTP/1.1 200"):
                self.failures.append(data)
        self.received += len(data)
        if self.received == self.expected:
            self.latencies.append(time.perf_counter() - self.began)
            if self.running:
                self._send()

    def _send(self) -> None:
        self.received = self.expected = 0
        self.began = time.perf_counter()
        self.transport.write(self.request)


async def load(port: int, request: bytes, connections: int, seconds: float) -> Result:
    """One round."""
    loop, latencies, failures = asyncio.get_running_loop(), list[float](), list[bytes]()
    made = [
        await loop.create_connection(lambda: Connection(request, latencies, failures), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 5)  # warm
    latencies.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took, done = time.perf_counter() - began, sorted(latencies)
    for transport, connection in made:
        connection.running = False
        transport.close()
    if failures:
        raise RuntimeError(f"a request failed: {failures[0][:300]!r}")
    return Result(len(done) / took, done[len(done) // 2], done[min(len(done) - 1, round(0.99 * len(done)))])


def plain_app(kind: str, run: str) -> Any:
    """A FastAPI application that answers as `imbalance-lab serve` does."""
    import pandas as pd
    import torch
    from fastapi import FastAPI, Request

    model = load_model(run)
    assert isinstance(model.schema, TableSchema)
    app, encoder, names = FastAPI(), RowEncoder(model.schema.columns), [column.name for column in model.schema.columns]

    def predict(rows: list[dict[str, Any]]) -> Any:
        if kind == "pandas":
            return model.predict(pd.DataFrame(rows))
        if kind == "arrow":
            return model.predict({name: [row[name] for row in rows] for name in names})
        return model.output(model.logits_of(torch.from_numpy(encoder.encode(rows)[0])))

    @app.post("/predict")
    async def answer(request: Request) -> dict[str, Any]:
        output = predict((await request.json())["rows"])
        rows = zip(output.probabilities.tolist(), output.predicted.tolist(), output.flags.tolist(), strict=True)
        predictions = [
            {
                "probabilities": dict(zip(model.classes, p, strict=True)),
                "predicted": predicted,
                "flags": dict(zip(model.classes, flags, strict=True)),
            }
            for p, predicted, flags in rows
        ]
        return {"results": predictions, "warnings": []}

    return app


def serve_plain(kind: str, run: str, port: int) -> None:
    import uvicorn

    uvicorn.run(plain_app(kind, run), host="127.0.0.1", port=port, log_level="warning", access_log=False)


class StockAPI(PredictAPI):
    """Takes and gives Python objects, which LitServe's own endpoint reads and writes."""

    def decode_request(self, request: litserve.Request, is_late: bool = False, **options: Any) -> Any:
        return super().decode_request(json.dumps(request).encode())

    def batch(self, inputs: Any) -> Any:
        return inputs

    def unbatch(self, output: Any) -> Any:
        return output

    def encode_response(self, output: Any, **options: Any) -> Any:
        return json.loads(output.body)


def serve_litserve(run: str, port: int) -> None:
    """LitServe as it comes, with the same LitAPI."""
    checkpoint = RunDirectory(Path(run)).best_checkpoint

    api = StockAPI(Options(checkpoint, stored_digest(checkpoint), batch_timeout=0.001))
    api.loop = "auto"
    server = litserve.LitServer(api, accelerator="cpu")
    server.run("127.0.0.1", port, generate_client_file=False, log_level="warning", access_log=False)


@contextmanager
def started(kind: str, run: str) -> Iterator[Started]:
    """A server in a process of its own, which listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if kind in VARIANTS:
        command = ["-m", "imbalance_lab", "serve", run, "--port", str(port), *VARIANTS[kind]]
    else:
        command = [__file__, run, "--start", kind, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"{kind} ended with code {process.returncode}")
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                time.sleep(0.1)
        yield Started(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the processes that LitServe leaves behind after SIGTERM


def request_of(rows: list[dict[str, Any]], port: int) -> bytes:
    body = json.dumps({"rows": rows}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def check_same(ports: dict[str, int], row: dict[str, Any]) -> None:
    """Every server gives the same answer."""
    answers = {}
    for kind, port in ports.items():
        body = json.dumps({"rows": [row]}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answers[kind] = json.loads(response.read())["results"]
    first = next(iter(answers.values()))
    assert all(answer == first for answer in answers.values()), answers


def example_rows(model: Model, n: int) -> list[dict[str, Any]]:
    assert isinstance(model.schema, TableSchema)
    row = example_row(model.schema, model.prepare)
    return [
        {name: value + i / 64 if isinstance(value, float) else value for name, value in row.items()} for i in range(n)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="other options of serve, and LitServe's own queues, too")
    parser.add_argument("--start", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start == "litserve":
        serve_litserve(options.run, options.port)
    elif options.start:
        serve_plain(options.start, options.run, options.port)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    model = load_model(options.run)
    with ExitStack() as stack:
        kinds = (*VARIANTS, *PLAIN, "litserve") if options.all else ("serve", *PLAIN)
        ports = {kind: stack.enter_context(started(kind, options.run)).port for kind in kinds}
        check_same(ports, example_rows(model, 1)[0])
        print(
            f"`python {' '.join(sys.argv)}`, median of {options.rounds} rounds of {options.seconds:g} s\n", flush=True
        )
        print("| rows a request | connections | server | requests/s | p50, ms | p99, ms | to pandas | to encoder |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for n_rows, connections in LOADS:
            rounds: dict[str, list[Result]] = {kind: [] for kind in ports}
            for _ in range(options.rounds):
                for kind, port in ports.items():
                    request = request_of(example_rows(model, n_rows), port)
                    rounds[kind].append(asyncio.run(load(port, request, connections, options.seconds)))
            middle = {kind: Result(*map(statistics.median, zip(*each, strict=True))) for kind, each in rounds.items()}
            for kind, (rate, p50, p99) in middle.items():
                ratios = (f"{rate / middle[other].rate:.2f}" for other in ("pandas", "encoder"))
                print(
                    f"| {n_rows} | {connections} | {kind} | {rate:.0f} | {1e3 * p50:.2f} | {1e3 * p99:.2f} | "
                    f"{' | '.join(ratios)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
