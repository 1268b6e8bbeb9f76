"""The launcher of ``sweep=batched``: runs of one architecture on the same data are trained as one model."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class BatchedLauncher(Launcher):
    """Groups the jobs of a sweep, see `imbalance_lab.app.batched`.

    Args:
        size: the most runs that are trained as one.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.setting: tuple[HydraContext, TaskFunction, DictConfig] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before `launch`."""
        self.setting = (hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; return how each has ended, in their order."""
        from imbalance_lab.app.batched import launch  # here: Hydra imports this module at every start

        assert self.setting is not None, "Hydra calls setup first"
        return launch(*self.setting, job_overrides, initial_job_idx, self.size)


@dataclass
class BatchedLauncherConfig:
    """The launcher's configuration."""

    _target_: str = "hydra_plugins.imbalance_lab_sweeps.batched_launcher.BatchedLauncher"
    size: int = 16


ConfigStore.instance().store(
    group="hydra/launcher", name="batched", node=BatchedLauncherConfig, provider="imbalance_lab"
)
