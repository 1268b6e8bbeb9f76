"""The runs of a sweep as tasks of Ray."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.utils import JobReturn

from imbalance_lab.app.cli import Sweep
from imbalance_lab.app.sweep_jobs import SweepJobs
from imbalance_lab.errors import UsageError
from imbalance_lab.validation import check_integer, check_number, check_text


@dataclass(frozen=True)
class RayOptions:
    """The keys of ``configs/sweep/ray.yaml``.

    Args:
        address: of a cluster; None for a Ray of this machine.
        cpus, gpus: of each run.
        retries: how many times a run goes on whose process or machine is lost.

    Raises:
        TypeError, ValueError: naming the key, its value and what it may be.
    """

    address: str | None = None
    cpus: int = 1
    gpus: float = 0
    retries: int = 3

    def __post_init__(self) -> None:
        if self.address is not None:
            check_text("sweep.address (or null)", self.address)
        check_integer("sweep.cpus", self.cpus, minimum=1)
        check_number("sweep.gpus", self.gpus, minimum=0)
        check_integer("sweep.retries", self.retries, minimum=0)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "RayOptions":
        """Those of the group ``sweep``.

        Raises:
            UsageError: for one that is not valid.
        """
        try:
            return cls(**options)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error


def launch(jobs: SweepJobs, options: RayOptions, runs: Mapping[int, list[str]]) -> list[JobReturn]:
    """Have the runs done, as many at a time as there is room for, and wait for all.

    Raises:
        UsageError: if there is no Ray, or none at the address, or no run would ever find room.
    """
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # or it leaves out lines of a table that another run has printed too
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise UsageError("sweep=ray needs a package that is not installed: pip install 'imbalance-lab[ray]'") from error
    local = {} if options.address else {"include_dashboard": False}
    try:
        ray.init(address=options.address or "local", log_to_driver=True, logging_level="error", **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"sweep.address={options.address}: no Ray answers there ({reason})") from error
    try:
        _check_room(options, ray.cluster_resources())
        task = ray.remote(num_cpus=options.cpus, num_gpus=options.gpus, max_retries=options.retries)(_call)
        shared = ray.put(jobs)
        Sweep.job_started = True
        done = jobs.finished(runs)
        tasks = {number: task.remote(shared, number, each) for number, each in runs.items() if number not in done}
        for number, each in tasks.items():
            try:
                done[number] = ray.get(each)
            except ray.exceptions.RayError as error:
                reason = str(error).strip().splitlines()[0]
                done[number] = jobs.failed(number, runs[number], f"its process is lost ({reason})")
        return [done[number] for number in runs]
    finally:
        ray.shutdown()


def _call(jobs: SweepJobs, number: int, overrides: list[str]) -> JobReturn:
    return jobs(number, overrides, f"job_id_for_{number}")


def _check_room(options: RayOptions, resources: Mapping[str, float]) -> None:
    """Refuse what no machine of the cluster has: Ray would wait for ever."""
    for name, asked in (("CPU", options.cpus), ("GPU", options.gpus)):
        if asked > resources.get(name, 0):
            raise UsageError(
                f"sweep.{name.lower()}s={asked}, but this Ray has {resources.get(name, 0):g}: ask for less, or give "
                "sweep.address of a larger one"
            )
