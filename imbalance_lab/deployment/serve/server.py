"""The processes of a server and its three addresses: /predict, /health and /schema."""

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from multiprocessing.managers import SyncManager
from typing import Any

import litserve
from litserve.server import RegularRequestHandler
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from imbalance_lab.deployment.serve.bodies import BodyReader
from imbalance_lab.deployment.serve.limits import Limits, RequestError
from imbalance_lab.deployment.serve.predictions import PredictAPI
from imbalance_lab.deployment.serve.worker_loop import SPAWN, PipeTransport, end_with_parent
from imbalance_lab.errors import UsageError

GRACE = 10
"""Seconds that requests have to end when the server stops."""

MAX_CONNECTIONS = 1000


class WorkerDiedError(RuntimeError):
    """A process with the model is gone; the message is a sentence."""


class PredictServer(litserve.LitServer):  # type: ignore[misc]
    """LitServer with these addresses only, pipes for its queues, and a sentence when it cannot start.

    Args:
        api: of the model.
        reader: of the requests' bodies.
        documents: the content of /health and /schema.
        workers: processes with the model.
        on_ready: called when requests are answered.
    """

    def __init__(
        self,
        api: PredictAPI,
        reader: BodyReader,
        documents: Mapping[str, Mapping[str, Any]],
        workers: int,
        on_ready: Callable[[], None],
    ) -> None:
        limits = api.options.limits
        super().__init__(api, accelerator="cpu", workers_per_device=workers, timeout=limits.timeout)
        self.uvicorn_graceful_timeout = GRACE
        self._on_ready = on_ready
        self.app.router.routes.clear()  # also /docs, which loads scripts from elsewhere, /info and /openapi.json
        self.app.user_middleware.clear()  # gzip
        self.app.add_exception_handler(HTTPException, _explain)
        for path, content in documents.items():
            self.app.add_route(path, _fixed(content), methods=["GET"])
        self.app.add_route("/predict", _PredictHandler(api, self, reader, limits).answer, methods=["POST"])

    def launch_inference_worker(self, lit_api: PredictAPI) -> list[Any]:
        """Start the workers without Ctrl-C: a terminal sends it to every process, and the first one stops them."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return list(super().launch_inference_worker(lit_api))
        finally:
            signal.signal(signal.SIGINT, before)

    def verify_worker_status(self) -> None:
        """Wait until every worker has its model.

        Raises:
            UsageError: if one ends before.
        """
        while set(self.workers_setup_status.values()) != {"ready"}:
            for worker in self.inference_workers:
                if not worker.is_alive():
                    raise UsageError(f"a worker process ended with code {worker.exitcode} before it had its model")
            time.sleep(0.05)

    def _init_manager(self, num_api_servers: int) -> Any:
        manager = SyncManager()
        manager.start(end_with_parent)
        self.workers_setup_status, self._shutdown_event = manager.dict(), manager.Event()
        self.litapi_request_queues = {each.api_path: SPAWN.Queue() for each in self.litapi_connector}
        self._transport = PipeTransport(num_api_servers)
        return manager

    def _start_server(self, port: int, num_servers: int, level: str, sockets: Any, kind: str, **options: Any) -> Any:
        for each in sockets:
            each.listen(2048)  # already now: who connects while the processes start is not refused
        started = super()._start_server(port, num_servers, level, sockets, kind, **options)
        self._on_ready()
        return started


class _PredictHandler(RegularRequestHandler):  # type: ignore[misc]
    """Reads a body within its limits and waits for the worker's answer."""

    def __init__(self, api: PredictAPI, server: PredictServer, reader: BodyReader, limits: Limits) -> None:
        super().__init__(api, server)
        self._reader, self._limits = reader, limits

    async def answer(self, request: Request) -> Response:
        """POST /predict."""
        try:
            if len(self.server.response_buffer) >= self._limits.max_waiting:
                raise RequestError(f"{self._limits.max_waiting} requests wait already: try again later", 503)
            async with asyncio.timeout(self._limits.timeout):
                content = await self._reader.read(request)
        except RequestError as error:
            return _detail(error.status, str(error))
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        except TimeoutError:
            return _detail(408, f"the body did not arrive within {self._limits.timeout} s: send it again")
        answer = await self.handle_request(content, type(content))
        return Response(answer.body, answer.status, media_type="application/json")


def serve(server: PredictServer, host: str, port: int) -> None:
    """Answer requests until a signal comes.

    Raises:
        UsageError: if a worker cannot start.
        WorkerDiedError: if one ends later.
        Terminated: after a signal, when everything is stopped.
    """
    try:
        server.run(
            host,
            port,
            num_api_servers=1,
            log_level="warning",
            generate_client_file=False,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            limit_concurrency=MAX_CONNECTIONS,
        )
    except (EOFError, ConnectionError) as error:  # of the manager, which ends when a worker has died
        raise WorkerDiedError("a worker process died, perhaps for want of memory: start the server again") from error
    finally:
        for child in multiprocessing.active_children():
            child.terminate()
            child.join(GRACE)


def check_address(host: str, port: int) -> None:
    """Refuse an address that another program listens on, before anything starts.

    Raises:
        UsageError: naming it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}, port {port} ({os.strerror(error.errno or 0)}): choose another --port"
            ) from error


def _fixed(content: Mapping[str, Any]) -> Callable[[Request], Response]:
    body = json.dumps(content).encode()

    async def answer(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return answer  # type: ignore[return-value]


async def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: "there is no such address: POST /predict, GET /schema and GET /health are",
        405: "this address takes another method: POST /predict, GET /schema and GET /health",
    }
    return _detail(error.status_code, sentences.get(error.status_code, error.detail), error.headers)


def _detail(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"detail": sentence}), status, headers, "application/json")
