"""``sweep=ray``: each run of a sweep is a task of Ray."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class RayLauncher(Launcher):
    """Hands the runs to `imbalance_lab.app.ray_tasks`, which needs Ray.

    Args:
        options: the group ``sweep``, checked by `imbalance_lab.app.ray_tasks.RayOptions`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from imbalance_lab.app.ray_tasks import RayOptions, launch
        from imbalance_lab.app.sweep_jobs import SweepJobs

        jobs = SweepJobs(self.hydra_context, self.task_function, self.config)
        return launch(jobs, RayOptions.of(self.options), jobs.numbered(job_overrides, initial_job_idx))


ConfigStore.instance().store(
    group="hydra/launcher",
    name="imbalance_lab_ray",
    node={"_target_": f"{__name__}.RayLauncher", "options": "${sweep}"},
    provider="imbalance_lab",
)
