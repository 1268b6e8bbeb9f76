"""``sweep=parallel``: several runs at a time. The work is done in `imbalance_lab.app.parallel`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class ParallelLauncherConfig:
    """The node ``hydra.launcher``."""

    _target_: str = "hydra_plugins.imbalance_lab_sweeps.parallel_launcher.ParallelLauncher"
    jobs: Any = "${sweep.jobs}"


ConfigStore.instance().store(
    group="hydra/launcher", name="imbalance_lab_parallel", node=ParallelLauncherConfig, provider="imbalance_lab"
)


class ParallelLauncher(Launcher):
    """Runs the jobs of a sweep side by side; a run that is killed stops no other.

    Args:
        jobs: runs at a time, or "auto".
    """

    def __init__(self, jobs: Any) -> None:
        self.jobs = jobs
        self.pool: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the first job."""
        from imbalance_lab.app.worker import start_server  # here: Hydra imports this module at every start

        self.arguments = (hydra_context, config, task_function)
        self.number = start_server(self.jobs)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; a sweeper may call this several times, with the jobs of a batch each."""
        from imbalance_lab.app.parallel import ParallelJobs  # here: it needs torch

        if self.pool is None:
            self.pool = ParallelJobs(*self.arguments, jobs=self.number)
        returned: Sequence[JobReturn] = self.pool.run(job_overrides, initial_job_idx)
        return returned
