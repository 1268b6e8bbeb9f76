"""How requests reach a worker, and answers come back.

LitServe 0.2 sends both through queues of a manager process: six messages over sockets for each request. Its worker asks
every millisecond whether there is one, without a pause if the batch timeout is 0; ``fast_queue=True`` changes nothing.
Here a request goes through one pipe and its answer through another, and who has nothing to do sleeps.
"""

import asyncio
import multiprocessing
import os
import pickle
import signal
import time
from queue import Empty
from typing import Any

from litserve.loops.base import _StopLoopError
from litserve.loops.simple_loops import BatchedLoop
from litserve.transport.base import MessageTransport

SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 1.0
"""Seconds after which an idle worker looks whether the process that started it is still there."""


class WorkerLoop(BatchedLoop):  # type: ignore[misc]
    """Waits for a request, and takes with it those that have arrived meanwhile."""

    def get_batch_requests(self, lit_api: Any, request_queue: Any, transport: Any) -> tuple[list[Any], list[Any]]:
        """(requests, those that have waited too long): each with the number of its API server and its id.

        Raises:
            _StopLoopError: if the process that started this one is gone.
        """
        try:
            arrived = [request_queue.get(timeout=PATIENCE)]
        except Empty:
            parent = multiprocessing.parent_process()
            if parent is not None and not parent.is_alive():
                raise _StopLoopError from None
            return [], []
        deadline = time.monotonic() + lit_api.batch_timeout
        while len(arrived) < lit_api.max_batch_size:
            try:
                left = deadline - time.monotonic()
                arrived.append(request_queue.get(timeout=left) if left > 0 else request_queue.get_nowait())
            except Empty:
                break
        earliest = time.monotonic() - lit_api.request_timeout
        batch = [(server, uid, content) for server, uid, sent, content in arrived if sent >= earliest]
        late = [(server, uid) for server, uid, sent, _ in arrived if sent < earliest]
        return batch, late


class PipeTransport(MessageTransport):  # type: ignore[misc]
    """A pipe to each API server, which all workers write to in turn: the size of an answer in 8 bytes, and the answer.

    Args:
        num_consumers: API servers.
    """

    def __init__(self, num_consumers: int) -> None:
        self._pipes = [SPAWN.Pipe(duplex=False) for _ in range(num_consumers)]
        self._locks = [SPAWN.Lock() for _ in range(num_consumers)]
        self._stream: asyncio.StreamReader | None = None

    def send(self, item: Any, consumer_id: int) -> None:
        """Write an answer, in a worker."""
        content = pickle.dumps(item)
        left = memoryview(len(content).to_bytes(8, "big") + content)
        with self._locks[consumer_id]:
            while left:
                left = left[os.write(self._pipes[consumer_id][1].fileno(), left) :]

    async def areceive(self, consumer_id: int, timeout: float | None = None) -> Any:
        """The next answer, in an API server."""
        if self._stream is None:
            self._stream = stream = asyncio.StreamReader()
            loop, pipe = asyncio.get_running_loop(), open(self._pipes[consumer_id][0].fileno(), "rb", closefd=False)
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), pipe)
            _end_with_parent(loop)
        size = int.from_bytes(await self._stream.readexactly(8), "big")
        return pickle.loads(await self._stream.readexactly(size))  # of our own worker

    def close(self, **options: Any) -> None:
        """Nothing to do: the API servers finish what they have begun."""


def _end_with_parent(loop: asyncio.AbstractEventLoop) -> None:
    """Stop this API server if the process that started it is killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def stop() -> None:
        loop.remove_reader(parent.sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(parent.sentinel, stop)
