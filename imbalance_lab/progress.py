"""A progress bar for slow steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Step = Callable[[int, int], None]
"""``step(done, total)``."""


@contextmanager
def progress(description: str) -> Iterator[Step]:
    """A bar on stderr, if that is a terminal; it is cleared at the end."""
    out = Console(stderr=True)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(description)

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield step
