"""Work on many files in threads."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from imbalance_lab.progress import Step

S = TypeVar("S")
T = TypeVar("T")

MOST_AT_ONCE = 16
"""Items that a thread takes at once: handing over each one alone takes longer than hashing a small file."""


def in_parallel(work: Callable[[S], T], items: Sequence[S], progress: Step | None = None) -> Iterable[T]:
    """``work`` on every item, in threads, in order; decoding, reading and hashing leave Python's lock alone."""
    workers = min(32, 2 * (os.cpu_count() or 1))
    size = max(1, min(MOST_AT_ONCE, len(items) // workers))
    parts = [items[first : first + size] for first in range(0, len(items), size)]
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        for results in pool.map(lambda part: [work(item) for item in part], parts):
            for result in results:
                done += 1
                if progress is not None:
                    progress(done, len(items))
                yield result
