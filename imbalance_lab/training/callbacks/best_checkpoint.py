"""Saves the best model of a run by a validation score."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint

from imbalance_lab.checkpoint_file import DamagedCheckpointError, read_checkpoint_file
from imbalance_lab.files import atomic_write


class BestCheckpoint(ModelCheckpoint):
    """Saves ``best.ckpt`` at the end of an epoch whose model is the best so far; `LastCheckpoint` saves every epoch.

    A resumed run takes the best model so far from beside the checkpoint that it is resumed from, and must beat it; no
    path that a checkpoint stores is followed.

    Args:
        path: of the checkpoint.
        monitor: the logged validation score.
        mode: "max" if higher is better, else "min".
        resumed_from: the checkpoint that the run is resumed from, if any.
        on_save: called with the trainer whenever the current weights are saved as the best ones.
    """

    def __init__(
        self,
        path: Path,
        monitor: str,
        mode: str = "max",
        *,
        resumed_from: Path | None = None,
        on_save: Callable[[pl.Trainer], None] | None = None,
    ) -> None:
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            monitor=monitor,
            mode=mode,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self.path = path
        self.resumed_from = resumed_from
        self.on_save = on_save
        self.step = -1
        self.epoch: int | None = None

    def adopt(self) -> None:
        """Take over the best model of the run that is resumed: copy it, and remember its score."""
        if self.resumed_from is None:
            return
        earlier = self.resumed_from.with_name(self.path.name)
        if not earlier.is_file():
            return
        try:
            content = read_checkpoint_file(earlier)
        except DamagedCheckpointError as error:
            print(f"warning: {error}; the best model is chosen among the epochs from here on", file=sys.stderr)
            return
        state = content["callbacks"].get(self.state_key)
        if state is None:
            print(f"warning: {earlier} was selected by another score than {self.monitor}: not used", file=sys.stderr)
            return
        if earlier.resolve() != self.path.resolve():
            with atomic_write(self.path) as temporary:
                shutil.copyfile(earlier, temporary)
        score = state["best_model_score"]
        self.best_model_path = self.kth_best_model_path = str(self.path)
        self.best_model_score = self.kth_value = score
        self.best_k_models = {str(self.path): score}
        self.step, self.epoch = int(content["global_step"]), int(content["epoch"]) + 1

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        self.step, self.epoch = trainer.global_step, trainer.current_epoch + 1
        super()._save_checkpoint(trainer, filepath)
        if self.on_save is not None:
            self.on_save(trainer)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing of the checkpoint that is resumed from: the best model's own file tells its score."""
