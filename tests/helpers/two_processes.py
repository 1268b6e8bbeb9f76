"""Two processes for torch.distributed, forked from one that has only imported torch and the package."""

import multiprocessing
from collections.abc import Callable
from typing import Any

from torch.multiprocessing import start_processes


def run_in_two_processes(work: Callable[..., None], *args: Any) -> None:
    """Run ``work(rank, *args)`` in two processes and wait for both; an exception in one is raised here."""
    multiprocessing.set_forkserver_preload(["imbalance_lab.losses", "imbalance_lab.metrics.streaming"])
    start_processes(work, args, nprocs=2, start_method="forkserver")
