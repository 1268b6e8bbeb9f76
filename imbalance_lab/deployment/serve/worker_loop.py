"""How requests reach a worker, and answers come back.

LitServe 0.2 sends both through queues of a manager process: six messages over sockets for each request. Its worker asks
every millisecond whether there is one, without a pause if the batch timeout is 0; ``fast_queue=True`` changes nothing.
Here a request goes through one pipe and its answer through another, and who has nothing to do sleeps.
"""

import asyncio
import multiprocessing
import os
import pickle
import threading
import time
from contextlib import suppress
from multiprocessing.connection import wait
from queue import Empty
from typing import Any

from litserve.loops import LitLoop
from litserve.transport.base import MessageTransport
from litserve.utils import LitAPIStatus, LoopResponseType

SPAWN = multiprocessing.get_context("spawn")


class WorkerLoop(LitLoop):  # type: ignore[misc]
    """Waits for a request, and answers with it those that have arrived meanwhile, from one pass through the net."""

    def __call__(self, lit_api: Any, device: Any, worker_id: int, request_queue: Any, transport: Any, *_: Any) -> None:
        """Answer requests until this process is ended."""
        while True:
            arrived = self.take(request_queue, lit_api.max_batch_size, lit_api.batch_timeout)
            earliest = time.monotonic() - lit_api.request_timeout
            answers = lit_api.predict(
                [lit_api.decode_request(content, sent < earliest) for *_, sent, content in arrived]
            )
            for (server, uid, *_), answer in zip(arrived, answers, strict=True):
                self.put_response(transport, server, uid, answer, LitAPIStatus.OK, LoopResponseType.REGULAR)

    def take(self, request_queue: Any, most: int, patience: float) -> list[Any]:
        """At least one request and at most ``most``, of which the last came ``patience`` seconds after the first."""
        arrived = [request_queue.get()]
        deadline = time.monotonic() + patience
        with suppress(Empty):
            while len(arrived) < most:
                left = deadline - time.monotonic()
                arrived.append(request_queue.get(timeout=left) if left > 0 else request_queue.get_nowait())
        return arrived


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
            pipe = os.fdopen(os.dup(self._pipes[consumer_id][0].fileno()), "rb")
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), pipe)
            end_with_parent()
        size = int.from_bytes(await self._stream.readexactly(8), "big")
        return pickle.loads(await self._stream.readexactly(size))  # of our own worker

    def close(self, **options: Any) -> None:
        """Nothing to do: the API servers finish what they have begun."""


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, also if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
