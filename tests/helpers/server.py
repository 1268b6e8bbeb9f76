"""A real server of a model, asked over HTTP."""

import http.client
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from imbalance_lab import load_model
from imbalance_lab.model import Model
from tests.conftest import ROOT
from tests.helpers.command_line import ENVIRONMENT

JSON = "application/json"
OPTIONS = ("--max-rows", "200", "--max-bytes", "200000", "--max-pixels", "90000", "--timeout", "2")


class Reply(NamedTuple):
    """Of the server."""

    status: int
    content: dict[str, Any]


class Served(NamedTuple):
    """A model, and the server that has it."""

    run: Path
    model: Model
    process: subprocess.Popen[str]
    port: int
    said: list[str]
    directory: Path

    def send(self, body: bytes | str, content_type: str = JSON, method: str = "POST", path: str = "/predict") -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Reply(response.status, json.loads(content) if content else {})

    def rows(self, rows: Any) -> Reply:
        return self.send(json.dumps({"rows": rows}))

    def get(self, path: str) -> Reply:
        return self.send(b"", "", "GET", path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def begin(run: Path, directory: Path, *options: str) -> Served:
    """Start a server; `listening` waits for it."""
    directory.mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "imbalance_lab", "serve", str(run), "--port", str(port), *OPTIONS, *options],
        cwd=directory,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Served(run, load_model(run), process, port, [], directory)


def listening(served: Served) -> Served:
    assert served.process.stdout is not None
    assert served.process.stderr is not None
    served.said.extend(served.process.stdout.readline() for _ in range(3))
    assert served.said[2], served.process.stderr.read()
    return served


def end(served: Served) -> None:
    served.process.kill()  # of the first process alone: the others notice
    served.process.wait()
    for pipe in (served.process.stdout, served.process.stderr):
        assert pipe is not None
        pipe.close()
