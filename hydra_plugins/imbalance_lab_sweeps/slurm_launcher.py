"""``sweep=slurm``: each run of a sweep is a job of Slurm."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SlurmLauncher(Launcher):
    """Hands the runs to `imbalance_lab.app.slurm`, which needs submitit.

    Args:
        options: the group ``sweep``, checked by `imbalance_lab.app.slurm_options.SlurmOptions`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from imbalance_lab.app.slurm import SlurmJobs, launch
        from imbalance_lab.app.slurm_options import SlurmOptions

        jobs = SlurmJobs(self.hydra_context, self.task_function, self.config)
        return launch(jobs, SlurmOptions.of(self.options), jobs.numbered(job_overrides, initial_job_idx))


ConfigStore.instance().store(
    group="hydra/launcher",
    name="slurm",
    node={"_target_": f"{__name__}.SlurmLauncher", "options": "${sweep}"},
    provider="imbalance_lab",
)
