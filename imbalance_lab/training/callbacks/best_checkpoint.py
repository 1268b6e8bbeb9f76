"""Saves the best and the last model of a run, also after resuming in another directory."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor


class BestCheckpoint(ModelCheckpoint):
    """Saves ``best.ckpt`` by a validation score, and ``last.ckpt``, at the end of every epoch.

    Lightning writes ``last`` only in an epoch whose model is among the best, and forgets the best score when a resumed
    run has its own directory. Here ``last`` is always the last epoch's, and the best model so far is copied to the new
    directory and must be beaten.

    Args:
        path: of the best checkpoint; ``last.ckpt`` is beside it.
        monitor: the logged validation score.
        mode: "max" if higher is better, else "min".
        on_save: called with (trainer, of_last) whenever the current weights are saved as the best or the last ones.
    """

    def __init__(
        self, path: Path, monitor: str, mode: str = "max", on_save: Callable[[pl.Trainer, bool], None] | None = None
    ) -> None:
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            monitor=monitor,
            mode=mode,
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self.path = path
        self.on_save = on_save
        self.best_step = -1
        self.last_step = -1

    @property
    def last_differs(self) -> bool:
        """Whether the last weights are not the best ones."""
        return self.best_step != self.last_step

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the best and the last model."""
        super().on_train_epoch_end(trainer, pl_module)
        if not self._should_skip_saving_checkpoint(trainer):  # not among the best: Lightning has saved nothing
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        is_last = Path(filepath).stem == self.CHECKPOINT_NAME_LAST
        if is_last:
            self.last_step = trainer.global_step
        else:
            self.best_step = trainer.global_step
        super()._save_checkpoint(trainer, filepath)
        if self.on_save is not None:
            self.on_save(trainer, is_last)

    def state_dict(self) -> dict[str, Any]:
        """Lightning's state, and the steps at which both checkpoints were saved."""
        return super().state_dict() | {"best_step": self.best_step, "last_step": self.last_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best model of the resumed run, if it still exists."""
        earlier = Path(state_dict["best_model_path"])
        if earlier != self.path and earlier.is_file():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(earlier, self.path)
        if self.path.is_file():
            score: Tensor = state_dict["best_model_score"]
            self.best_model_path = self.kth_best_model_path = str(self.path)
            self.best_model_score = self.kth_value = score
            self.best_k_models = {str(self.path): score}
            self.best_step = state_dict.get("best_step", -1)
