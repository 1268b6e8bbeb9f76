"""The runs of a sweep as jobs of Slurm, through submitit; a job that must go saves, and goes on later.

A job is told to go by SIGUSR2 (its time is nearly up, or Slurm sends it at a preemption) or by SIGTERM (a preemption,
or ``scancel``). The run then ends its step and writes ``last.ckpt``; after that submitit puts the job back in the
queue, and when it starts again the run goes on in its own directory.
"""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn

from imbalance_lab.app.cli import Sweep
from imbalance_lab.app.distributed import scratch_overrides
from imbalance_lab.app.slurm_options import SlurmOptions
from imbalance_lab.app.submitted_jobs import SubmittedJobs
from imbalance_lab.app.sweep_jobs import SweepJobs
from imbalance_lab.errors import UsageError
from imbalance_lab.termination import Terminated
from imbalance_lab.text import override

try:
    import submitit
except ImportError as error:
    raise UsageError("sweep=slurm needs a package that is not installed: pip install 'imbalance-lab[slurm]'") from error


class SlurmJobs(SweepJobs):
    """What each process of a job calls."""

    def __call__(self, number: int, overrides: Sequence[str], job_id: str = "") -> JobReturn:
        environment = submitit.JobEnvironment()
        if environment.global_rank > 0:
            overrides = [*overrides, *scratch_overrides()]
        try:
            return super().__call__(number, overrides, environment.job_id)
        except Terminated as stop:
            if environment.global_rank > 0:
                # An exit code of its own could make srun end the first process while that one puts the job back.
                raise SystemExit(0) from None
            if stop.signum == signal.SIGUSR2 or (stop.signum == signal.SIGTERM and _is_preempted()):
                signal.raise_signal(signal.SIGUSR2)  # submitit's handler puts the job back in the queue and exits
            raise

    def checkpoint(self, *arguments: Any) -> Any:
        """What submitit's handler puts back in the queue: the same again."""
        return submitit.helpers.DelayedSubmission(self, *arguments)


def launch(jobs: SlurmJobs, options: SlurmOptions, runs: Mapping[int, list[str]]) -> list[JobReturn]:
    """Submit the runs as one array of jobs, except those that an earlier command has submitted; wait for all.

    Raises:
        UsageError: if they cannot be submitted.
    """
    done = jobs.finished(runs)
    submitted = SubmittedJobs(jobs.directory, options.cluster)
    left = {number: each for number, each in runs.items() if number not in done}
    missing = {number: each for number, each in left.items() if not submitted.is_alive(number, each)}
    if missing:
        submitted.add(missing, _submit(jobs, options, submitted.logs, missing))
    Sweep.job_started = True
    there = f", {len(left) - len(missing)} of an earlier command are there" if len(missing) < len(left) else ""
    before = f", {len(done)} runs have finished before" if done else ""
    print(
        f"{len(missing)} jobs submitted{there}{before}: their output is in {submitted.logs}; Ctrl-C leaves them in the "
        f"queue, and the same command with {override('hydra.sweep.dir', str(jobs.directory))} waits for them again",
        flush=True,
    )
    done |= {number: _result(jobs, submitted[number], number, overrides) for number, overrides in left.items()}
    return [done[number] for number in runs]


def _submit(jobs: SlurmJobs, options: SlurmOptions, logs: Path, runs: Mapping[int, list[str]]) -> list[Any]:
    parameters = options.parameters(jobs.config.trainer) | {"name": str(jobs.config.hydra.job.name)}
    own = {"slurm_max_num_timeout": options.requeues} if options.cluster == "slurm" else {}
    try:
        executor = submitit.AutoExecutor(folder=logs / "%j", cluster=options.cluster, **own)
    except RuntimeError as error:  # there is no srun
        raise UsageError(
            "sweep=slurm needs Slurm's sbatch and srun, which this machine does not have: use a login node of the "
            "cluster, or sweep.cluster=local to try it here"
        ) from error
    executor.update_parameters(**parameters)
    try:
        with jobs.program.importable():
            return list(executor.map_array(jobs, list(runs), list(runs.values())))
    except (OSError, RuntimeError) as error:
        raise UsageError(f"Slurm refused the jobs: {_last_line(error)}") from error


def _result(jobs: SlurmJobs, job: Any, number: int, overrides: list[str]) -> JobReturn:
    """What a run returned; a failure with one sentence if its job ended without a word, as one that was killed."""
    try:
        done: JobReturn = job.results()[0]
        return done
    except submitit.core.utils.UncompletedJobError as error:
        told = " (sweep.requeues is used up)" if "timed-out too many times" in str(error) else ""
        return jobs.failed(
            number, overrides, f"its job {job.job_id} has ended without a result{told}: see {job.paths.stderr}"
        )


def _is_preempted() -> bool:
    """Whether Slurm still calls this job running, so that SIGTERM was no ``scancel`` and no end of its time."""
    environment = submitit.JobEnvironment()
    if environment.cluster != "slurm":
        return False
    command = ["scontrol", "show", "job", "--oneliner", environment.job_id]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        print(f"warning: scontrol does not say whether this job was cancelled: {error}", file=sys.stderr)
        return False
    return "JobState=RUNNING" in shown.split()


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
