"""``sweep=optuna``: Hydra's side of a search; the work is in `imbalance_lab.app.search`, imported when it begins."""

from functools import partial
from importlib.util import find_spec
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

ConfigStore.instance().store(
    group="hydra/sweeper",
    name="imbalance_lab_optuna",
    node={"_target_": "hydra_plugins.imbalance_lab_sweeps.optuna_sweeper.OptunaSweeper"},
    provider="imbalance_lab",
)


class OptunaSweeper(Sweeper):
    """Asks Optuna for the settings of each trial, and launches them with the chosen launcher."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra with what a launcher needs."""
        self.search = partial(_search, hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run the search that the overrides ``arguments`` describe.

        Raises:
            UsageError: for a search that cannot be run, before anything is written; at the end if a trial has failed.
        """
        return self.search(arguments)


def _search(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]) -> None:
    if find_spec("optuna") is None:
        from imbalance_lab.errors import UsageError

        raise UsageError("sweep=optuna needs another package: pip install 'imbalance-lab[optuna]'")
    from imbalance_lab.app.search.search import search

    search(context, task_function, config, arguments)
