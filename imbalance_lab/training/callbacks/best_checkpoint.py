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
    """Saves ``best.ckpt`` at the end of an epoch whose model is the best so far; `LastCheckpoint` saves the others.

    A resumed run takes the best model so far from beside the checkpoint that it is resumed from, and must beat it; no
    path that a checkpoint stores is followed.

    Without a score to select by, every epoch takes the place of the one before: the best model is that of the last.

    In a training in two stages the best model of stage 1 is kept as a file of its own, and the best is chosen anew
    among the epochs of stage 2. A checkpoint of stage 2 says so under ``stage``.

    Args:
        path: of the checkpoint.
        monitor: the logged validation score; None for data without a validation split.
        mode: "max" if higher is better, else "min".
        resumed_from: the checkpoint that the run is resumed from, if any.
        on_save: called with the trainer whenever the current weights are saved as the best ones.
        stage_1: where the best model of stage 1 is kept; None for beside ``path``.
        on_stage_end: called when that has happened.
    """

    def __init__(
        self,
        path: Path,
        monitor: str | None,
        mode: str = "max",
        *,
        resumed_from: Path | None = None,
        on_save: Callable[[pl.Trainer], None] | None = None,
        stage_1: Path | None = None,
        on_stage_end: Callable[[], None] | None = None,
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
        self.stage_1 = stage_1 or path.with_name(f"stage_1{path.suffix}")
        self.on_stage_end = on_stage_end
        self.has_stage_1 = False
        self.step = -1
        self.epoch: int | None = None

    def adopt(self, stage: int = 1) -> None:
        """Take over the best model of the run that is resumed in ``stage``: copy it, and remember its score."""
        if self.resumed_from is None:
            return
        beside = self.resumed_from.with_name
        stage_1 = beside(self.stage_1.name)
        if stage == 2 and stage_1.is_file():
            _copy(stage_1, self.stage_1)
            self.has_stage_1 = True
        earlier = beside(self.path.name)
        if not earlier.is_file():
            return
        try:
            content = read_checkpoint_file(earlier)
            if stage == 1 and content.get("stage", 1) == 2 and stage_1.is_file():
                # The run was stopped in the first epoch of stage 2, when its best model was saved and its last was not.
                earlier, content = stage_1, read_checkpoint_file(stage_1)
        except DamagedCheckpointError as error:
            print(f"warning: {error}; the best model is chosen among the epochs from here on", file=sys.stderr)
            return
        if content.get("stage", 1) != stage:
            return  # no epoch of stage 2 has ended
        state = content["callbacks"].get(self.state_key)
        if state is None:
            print(f"warning: {earlier} was selected by another score than {self.monitor}: not used", file=sys.stderr)
            return
        _copy(earlier, self.path)
        score = state["best_model_score"]
        self.best_model_path = self.kth_best_model_path = str(self.path)
        self.best_model_score = self.kth_value = score
        self.best_k_models = {str(self.path): score}
        self.step, self.epoch = int(content["global_step"]), int(content["epoch"]) + 1

    def end_stage(self, trainer: pl.Trainer, last: Path | None = None) -> Path | None:
        """Keep the best model as that of stage 1, and choose the best anew; return its file.

        Args:
            trainer: whose first process copies the file.
            last: the checkpoint of the last epoch, which stands for the best one where no epoch was validated.
        """
        source = self.path if self.best_model_path else last
        if source is None or not source.is_file():
            return None
        if trainer.is_global_zero:
            _copy(source, self.stage_1)
        trainer.strategy.barrier("stage_1")
        self.best_model_path = self.kth_best_model_path = ""
        self.best_model_score = self.current_score = None
        self.best_k_models = {}
        self.step, self.epoch, self.has_stage_1 = -1, None, True
        if self.on_stage_end is not None:
            self.on_stage_end()
        return self.stage_1

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        self.step, self.epoch = trainer.global_step, trainer.current_epoch + 1
        super()._save_checkpoint(trainer, filepath)
        if self.on_save is not None:
            self.on_save(trainer)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing of the checkpoint that is resumed from: the best model's own file tells its score."""


def _copy(source: Path, to: Path) -> None:
    if source.resolve() != to.resolve():
        with atomic_write(to) as temporary:
            shutil.copyfile(source, temporary)
