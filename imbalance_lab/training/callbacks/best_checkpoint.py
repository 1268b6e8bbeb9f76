"""Keeps the best model of a run, also of a run that was resumed in another directory."""

import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint


class BestCheckpoint(ModelCheckpoint):
    """Saves ``best.ckpt`` by a validation score, and ``last.ckpt``, at the end of every epoch.

    Lightning writes ``last.ckpt`` only in an epoch that is the best so far: here it is always the last epoch's. And
    Lightning forgets the earlier best score when a resumed run has a directory of its own, and then takes its first
    epoch for the best one: here the earlier best model is copied over and has to be beaten.

    Args:
        dirpath: the run's checkpoint directory.
        monitor: the logged validation score; higher is better.
    """

    def __init__(self, dirpath: Path, monitor: str) -> None:
        super().__init__(
            dirpath=dirpath,
            filename="best",
            monitor=monitor,
            mode="max",
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the epoch as the last one, and as the best one if it is."""
        super().on_train_epoch_end(trainer, pl_module)
        if not self._should_skip_saving_checkpoint(trainer):  # it is not, and so Lightning has saved nothing
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best model of the run that is resumed, if it still exists."""
        earlier = Path(state_dict["best_model_path"])
        own = Path(str(self.dirpath), "best.ckpt")
        if earlier != own and earlier.is_file():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(earlier, own)
        if own.is_file():
            score = state_dict["best_model_score"]
            self.best_model_path = self.kth_best_model_path = str(own)
            self.best_model_score = self.kth_value = score
            self.best_k_models = {str(own): score}
