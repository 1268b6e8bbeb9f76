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

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf, open_dict

from imbalance_lab.app.cli import Sweep
from imbalance_lab.app.distributed import Program, scratch_overrides
from imbalance_lab.app.slurm_options import SlurmOptions
from imbalance_lab.app.submitted_jobs import SubmittedJobs
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated

try:
    import submitit
    from hydra_plugins.hydra_submitit_launcher.submitit_launcher import (  # type: ignore[import-untyped]
        BaseSubmititLauncher,
    )
except ImportError as error:
    raise UsageError("sweep=slurm needs packages that are not installed: pip install 'imbalance-lab[slurm]'") from error


class SlurmJobs(BaseSubmititLauncher):  # type: ignore[misc]  # it has no types
    """Submits the runs and waits for them; pickled, it is also what each job calls.

    Args:
        options: of `SlurmOptions`.

    Raises:
        UsageError: for an option that is not valid.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        plain: Any = OmegaConf.to_container(options, resolve=True) if isinstance(options, DictConfig) else options
        try:
            self.options = SlurmOptions(**plain)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error
        self.program = Program.of_this_process()

    def __call__(self, overrides: list[str], key: str, number: int, name: str, state: Any) -> JobReturn:
        """Run one run, in a job of its own; called in each of its processes."""
        self.program.adopt()
        if (rank := submitit.JobEnvironment().global_rank) > 0:
            overrides = [*overrides, *scratch_overrides()]
        try:
            done: JobReturn = super().__call__(overrides, key, number, name, state)
            return done
        except Terminated as stop:
            if rank > 0:
                # An exit code of its own could make srun end the first process while that one puts the job back.
                raise SystemExit(0) from None
            if stop.signum == signal.SIGUSR2 or (stop.signum == signal.SIGTERM and _is_preempted()):
                signal.raise_signal(signal.SIGUSR2)  # submitit's handler puts the job back in the queue and exits
            raise

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Submit the runs as one array of jobs, except those that an earlier command has submitted; wait for all.

        Raises:
            UsageError: if they cannot be submitted.
        """
        assert self.config is not None
        folder = Path(self.config.hydra.sweep.dir).absolute()
        jobs = SubmittedJobs(folder, self.options.cluster)
        numbered = {initial_job_idx + place: list(each) for place, each in enumerate(job_overrides)}
        missing = [number for number, each in numbered.items() if not jobs.is_alive(number, each)]
        if missing:
            arguments = [
                (numbered[number], "hydra.sweep.dir", number, f"job_id_for_{number}", Singleton.get_state())
                for number in missing
            ]
            jobs.add({number: numbered[number] for number in missing}, self._submit(jobs.logs, arguments))
        Sweep.job_started = True
        there = len(numbered) - len(missing)
        print(
            f"{len(missing)} jobs submitted"
            + (f", {there} of an earlier command are still there" if there else "")
            + ": "
            f"their output is in {jobs.logs}; Ctrl-C leaves them in the queue, and the same command with "
            f"hydra.sweep.dir={folder} waits for them again",
            flush=True,
        )
        return [self._result(jobs, number, overrides) for number, overrides in numbered.items()]

    def _submit(self, logs: Path, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        options, cluster = self.options, self.options.cluster
        assert self.config is not None
        parameters = options.parameters(self.config.trainer) | {"name": str(self.config.hydra.job.name)}
        own = {"slurm_max_num_timeout": options.requeues} if cluster == "slurm" else {}
        try:
            executor = submitit.AutoExecutor(folder=logs / "%j", cluster=cluster, **own)
        except RuntimeError as error:  # there is no srun
            raise UsageError(
                "sweep=slurm needs Slurm's sbatch and srun, which this machine does not have: use a login node of the "
                "cluster, or sweep.cluster=local to try it here"
            ) from error
        executor.update_parameters(**parameters)
        try:
            with self.program.importable():
                submitted: list[Any] = executor.map_array(self, *zip(*arguments, strict=True))
        except (OSError, RuntimeError) as error:
            raise UsageError(f"Slurm refused the jobs: {_last_line(error)}") from error
        return submitted

    def _result(self, jobs: SubmittedJobs, number: int, overrides: list[str]) -> JobReturn:
        """What a run returned; a failure with one sentence if its job ended without a word, as one that was killed."""
        job = jobs[number]
        try:
            done: JobReturn = job.results()[0]
            return done
        except submitit.core.utils.UncompletedJobError as error:
            told = " (sweep.requeues is used up)" if "timed-out too many times" in str(error) else ""
            sentence = f"its job {job.job_id} has ended without a result{told}: see {job.paths.stderr}"
        directory = self._directory(number, overrides)
        status = directory.read_status()
        if status["state"] not in ("finished", "failed"):
            directory.path.mkdir(parents=True, exist_ok=True)
            directory.write_status(status | {"state": "failed", "error": sentence})
        failed = JobReturn(overrides=overrides, status=JobStatus.FAILED)
        failed.return_value = UsageError(f"run {number}: {sentence}")
        return failed

    def _directory(self, number: int, overrides: list[str]) -> RunDirectory:
        assert self.config is not None
        assert self.hydra_context is not None
        config = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.num, config.hydra.job.id = number, f"job_id_for_{number}"
        return RunDirectory(Path(config.hydra.sweep.dir, config.hydra.sweep.subdir).absolute())


def _is_preempted() -> bool:
    """Whether Slurm still calls this job running, so that SIGTERM was no ``scancel`` and no end of its time."""
    environment = submitit.JobEnvironment()
    if environment.cluster != "slurm":
        return False
    try:
        shown = subprocess.run(
            ["scontrol", "show", "job", "--oneliner", environment.job_id],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        print(f"warning: scontrol does not say whether this job was cancelled: {error}", file=sys.stderr)
        return False
    return "JobState=RUNNING" in shown.split()


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
