"""A bar for what may take long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Step = Callable[[int, int], None]
"""Told how much of how much is done."""


@contextmanager
def progress(what: str) -> Iterator[Step]:
    """A bar on stderr, where that is a terminal; it leaves nothing."""
    out = Console(stderr=True)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(what)

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield step
