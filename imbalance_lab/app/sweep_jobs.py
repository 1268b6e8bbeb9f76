"""The runs of a sweep for a launcher that has each done in another process, on this machine or another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

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
        found = {number: finished(self._directory(number, overrides), overrides) for number, overrides in runs.items()}
        return {number: returned for number, returned in found.items() if returned is not None}

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
        return directory_of(self.hydra_context, self.config, number, overrides, str(number))

    def _config(self, number: int, overrides: Sequence[str], job_id: str) -> DictConfig:
        return config_of(self.hydra_context, self.config, number, overrides, job_id)


def config_of(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str], job_id: str
) -> DictConfig:
    """The configuration of one run of the sweep that ``config`` describes."""
    own: DictConfig = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(own):
        own.hydra.job.num, own.hydra.job.id = number, job_id
    return own


def directory_of(
    context: HydraContext, config: DictConfig, number: int, overrides: Sequence[str], job_id: str | None = None
) -> RunDirectory:
    """Where Hydra puts a run of the sweep; its ``hydra.job.id`` is by default that of Hydra's joblib launcher."""
    sweep = config.hydra.sweep
    raw: Any = OmegaConf.to_container(sweep, resolve=False)
    if raw["subdir"] != "${hydra.job.num}":
        job_id = f"{config.hydra.job.name}_{number}" if job_id is None else job_id
        sweep = config_of(context, config, number, overrides, job_id).hydra.sweep
        return RunDirectory(Path(sweep.dir).absolute() / str(sweep.subdir))
    return RunDirectory(Path(sweep.dir).absolute() / str(number))  # composing a configuration takes a while


def finished(directory: RunDirectory, overrides: Sequence[str]) -> JobReturn | None:
    """What the run in ``directory`` returned, if it has finished before with these words of its command line."""
    score = finished_score(directory, own_words(overrides))
    if score is None:
        return None
    returned = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
    returned.return_value = score
    return returned


def own_words(overrides: Sequence[str]) -> list[str]:
    """The words that are settings of the run, not of the sweep or of Hydra."""
    return [word for word in overrides if not is_of_sweep(word) and not word.startswith(("hydra.", "hydra/"))]
