"""The runs of a sweep for a launcher that has each done in another process, on this machine or another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from imbalance_lab.app.distributed import Program
from imbalance_lab.app.restart import finished_score
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.text import is_of_sweep


@dataclass
class SweepJobs:
    """What Hydra gives a launcher; pickled, it is what the other process calls.

    Args:
        hydra_context, task_function, config: of Hydra.
    """

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    program: Program = field(default_factory=Program.of_this_process)
    state: Any = field(default_factory=Singleton.get_state)

    @property
    def directory(self) -> Path:
        """Of the sweep."""
        return Path(self.config.hydra.sweep.dir).absolute()

    @staticmethod
    def numbered(job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> dict[int, list[str]]:
        """The overrides of each run by its number."""
        return {initial_job_idx + place: list(each) for place, each in enumerate(job_overrides)}

    def __call__(self, number: int, overrides: Sequence[str], job_id: str) -> JobReturn:
        """Do one run, in the process where it is to be done."""
        self.program.adopt()
        Singleton.set_state(self.state)
        setup_globals()
        return run_job(
            hydra_context=self.hydra_context,
            task_function=self.task_function,
            config=self._config(number, overrides, job_id),
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def finished(self, runs: Mapping[int, list[str]]) -> dict[int, JobReturn]:
        """What those runs returned that have finished before: nothing has to be started for them."""
        found = {}
        for number, overrides in runs.items():
            given = [word for word in overrides if not is_of_sweep(word) and not word.startswith(("hydra.", "hydra/"))]
            if (score := finished_score(self._directory(number, overrides), given)) is not None:
                found[number] = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
                found[number].return_value = score
        return found

    def failed(self, number: int, overrides: Sequence[str], sentence: str) -> JobReturn:
        """What a run returns whose process has ended without a word; its status tells it too."""
        directory = self._directory(number, overrides)
        status = directory.read_status()
        if status["state"] in ("not started", "running", "killed"):
            directory.path.mkdir(parents=True, exist_ok=True)
            directory.write_status(status | {"state": "failed", "error": sentence})
        failed = JobReturn(overrides=list(overrides), status=JobStatus.FAILED)
        failed.return_value = UsageError(f"run {number}: {sentence}")
        return failed

    def _directory(self, number: int, overrides: Sequence[str]) -> RunDirectory:
        return RunDirectory(self.directory / self._config(number, overrides, str(number)).hydra.sweep.subdir)

    def _config(self, number: int, overrides: Sequence[str], job_id: str) -> DictConfig:
        config: DictConfig = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.num, config.hydra.job.id = number, job_id
        return config
