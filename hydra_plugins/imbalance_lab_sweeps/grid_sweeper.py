"""The combinations of ``sweep=grid``, ``parallel`` and all others that take each: Hydra's basic sweeper, faster."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore


@dataclass
class GridSweeperConfig(BasicSweeperConf):
    """The node ``hydra.sweeper``."""

    _target_: str = "hydra_plugins.imbalance_lab_sweeps.grid_sweeper.GridSweeper"


ConfigStore.instance().store(
    group="hydra/sweeper", name="imbalance_lab_grid", node=GridSweeperConfig, provider="imbalance_lab"
)


class GridSweeper(BasicSweeper):
    """Composes one job of each kind in advance, not every job, which takes seconds before the first of many starts."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose jobs before the first one starts; those that differ only in plain values compose alike.

        Raises:
            HydraException: for a job that cannot be composed.
        """
        super().validate_batch_is_legal(list({tuple(map(_kind, job)): job for job in batch}.values()))


def _kind(word: str) -> str:
    """What of an override decides on composing: the key of a plain value, as in ``loss.gamma=2``; else all of it."""
    key, _, _ = word.partition("=")
    is_choice = "." not in key or {"/", "@"} & set(key)  # of a file, perhaps for a place within, as in a@b.c=d
    return word if is_choice or key.lstrip("+~").startswith("hydra.") else key
