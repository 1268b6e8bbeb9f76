"""The jobs of a sweep side by side, each in a process with its share of the cores: ``sweep=parallel``.

Hydra's joblib launcher runs a job, in processes of ours, see `imbalance_lab.app.worker`: with joblib's pool a process
that is killed takes all others with it. Here only its own job is affected, which is started again, and goes on from its
own checkpoint; killed a second time it has failed.
"""

import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from imbalance_lab.app.cli import Sweep
from imbalance_lab.app.sweep_jobs import directory_of, finished, own_words
from imbalance_lab.app.worker import Worker, failed, start_server
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated
from imbalance_lab.text import visible

STARTS = 2
"""How often a job is started whose process is killed."""

GRACE = 120.0
"""Seconds that stopped jobs have to end their step and save."""


class ParallelJobs:
    """Runs jobs as Hydra's launchers do, with as many processes as there are jobs at a time.

    Args:
        context, config, task: as Hydra gives them to a launcher.
        jobs: at a time.
        execute: runs a job in a process; None for what Hydra's joblib launcher calls there.
    """

    def __init__(
        self,
        context: HydraContext,
        config: DictConfig,
        task: TaskFunction,
        *,
        jobs: int,
        execute: Callable[..., JobReturn] | None = None,
    ) -> None:
        self.context, self.config, self.task, self.execute = context, config, task, execute or _execute_job()
        self.jobs = jobs
        self.idle: list[Worker] = []
        self.running: dict[Future[JobReturn | int], tuple[int, Worker]] = {}

    def run(self, jobs: Sequence[Sequence[str]], first: int) -> list[JobReturn]:
        """Run the jobs with these overrides, numbered from ``first``; return what Hydra asks for, in their order.

        Raises:
            Terminated: if a signal stopped the sweep; the jobs have saved their state.
        """
        returned = {n: done for n, words in enumerate(jobs) if (done := self._finished(first + n, words)) is not None}
        pending = deque(n for n in range(len(jobs)) if n not in returned)
        starts = dict.fromkeys(pending, 0)
        try:
            while pending or self.running:
                while pending and len(self.running) < self.jobs:
                    starts[pending[0]] += 1
                    self._start(pending[0], first, jobs[pending.popleft()])
                _import_comparison()
                for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                    n, worker = self.running.pop(future)
                    result = self._result(future, worker, first + n, jobs[n], is_last=starts[n] == STARTS)
                    if result is None:
                        pending.appendleft(n)
                        continue
                    returned[n] = result
                    self._announce(first + n, result, len(returned), len(jobs))
        except BaseException as stop:
            self._stop(stop.signum if isinstance(stop, Terminated) else signal.SIGTERM)
            raise
        return [returned[n] for n in range(len(jobs))]

    def _start(self, n: int, first: int, overrides: Sequence[str]) -> None:
        """Give a job to a process that is idle, or to a new one."""
        Sweep.job_started = True
        job, label = (first + n, list(overrides)), f"[{first + n}] "
        while self.idle:
            worker = self.idle.pop()
            try:
                self.running[worker.submit(*job, label=label)] = (n, worker)
            except BrokenProcessPool:  # it was killed when it was idle
                worker.close()
            else:
                return
        start_server(self.jobs)  # which does nothing unless it was killed
        worker = Worker(self.execute, self.context, self.config, self.task, Singleton.get_state())
        self.running[worker.submit(*job, label=label)] = (n, worker)

    def _result(
        self, future: "Future[JobReturn | int]", worker: Worker, number: int, overrides: Sequence[str], *, is_last: bool
    ) -> JobReturn | None:
        """What a job has returned; None if it is to be started again."""
        error = future.exception()
        result = None if error is not None else future.result()
        if isinstance(result, JobReturn):
            self.idle.append(worker)
            return result
        how = worker.how_it_ended() if error is not None else f"stopped by signal {result}"
        worker.close()
        if not is_last:
            print(f"run {number}: {how}: starting it again", file=sys.stderr, flush=True)
            return None
        sentence = f"{how}, {STARTS} times"
        directory = self._directory(number, overrides)
        directory.write_status(directory.read_status() | {"state": "failed", "error": sentence})
        return failed(sentence, overrides)

    def _finished(self, number: int, overrides: Sequence[str]) -> JobReturn | None:
        """The score of a job that has finished before: no process has to import anything for it."""
        done = finished(self._directory(number, overrides), overrides)
        if done is not None:
            print(visible(f"run {number}  {' '.join(own_words(overrides))}  has finished before"), flush=True)
        return done

    def _directory(self, number: int, overrides: Sequence[str]) -> RunDirectory:
        return directory_of(self.context, self.config, number, overrides)

    def _announce(self, number: int, result: JobReturn, done: int, total: int) -> None:
        how = "has finished" if result.status is JobStatus.COMPLETED else f"has failed: {result._return_value}"
        print(visible(f"{done} of {total} done: run {number} {how}"), flush=True)

    def _stop(self, signum: int) -> None:
        """Let running jobs save their state and end, then end all processes; a second Ctrl-C ends them at once."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            for _, worker in self.running.values():
                worker.signal(signum)
            wait(self.running, timeout=GRACE)
        except KeyboardInterrupt:
            pass
        finally:
            for worker in [*self.idle, *(worker for _, worker in self.running.values())]:
                worker.close()


def _execute_job() -> Callable[..., JobReturn]:
    from hydra_plugins.hydra_joblib_launcher._core import execute_job  # type: ignore[import-untyped]

    job: Callable[..., JobReturn] = execute_job
    return job


def _import_comparison() -> None:
    """Import what the end of the sweep needs, while the processes do the same for runs."""
    from imbalance_lab.app import compare  # noqa: F401
    from imbalance_lab.evaluation import comparison_data, sweep  # noqa: F401
    from imbalance_lab.report import comparison_page, comparison_table  # noqa: F401
