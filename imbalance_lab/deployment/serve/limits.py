"""What one request may ask for, and the error of one that asks for more or for something else."""

from dataclasses import dataclass
from typing import Self

from imbalance_lab.text import visible
from imbalance_lab.validation import check_integer


class RequestError(ValueError):
    """A request that is not answered; the message is one sentence.

    Args:
        sentence: what is wrong and what to do.
        status: of the HTTP response.
    """

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(visible(" ".join(sentence.split())))
        self.status = status


@dataclass(frozen=True)
class Limits:
    """The sizes of a request and of the queue.

    Args:
        max_rows: rows, inputs or images of a request.
        max_bytes: of the body of a request.
        max_pixels: of an image; 0: as many as in training.
        max_waiting: requests that wait for their answer; more are sent away with 503.
        timeout: seconds that a body may take to arrive, and that a request may wait for a worker.
    """

    max_rows: int = 1_000
    max_bytes: int = 10 * 2**20
    max_pixels: int = 0
    max_waiting: int = 256
    timeout: int = 30

    def __post_init__(self) -> None:
        for name in ("max_rows", "max_bytes", "max_waiting", "timeout"):
            check_integer(f"--{name.replace('_', '-')}", getattr(self, name), minimum=1)
        check_integer("--max-pixels", self.max_pixels, minimum=0)

    def check_rows(self, n: int, what: str) -> Self:
        """Refuse no rows, and too many.

        Raises:
            RequestError: naming the limit.
        """
        if not n:
            raise RequestError(f"the request has no {what}: send at least one")
        if n > self.max_rows:
            raise RequestError(f"the request has {n:,} {what}, more than --max-rows={self.max_rows}: send several")
        return self
