"""best.ckpt is the best epoch's, last.ckpt the last one's, whichever of them comes when."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from imbalance_lab.training.callbacks import BestCheckpoint


class Scripted(pl.LightningModule):
    """Logs a given score after each epoch; its weight counts the steps."""

    def __init__(self, scores: list[float]) -> None:
        super().__init__()
        self.scores = scores
        self.steps = nn.Parameter(torch.zeros(()))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return -self.steps

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("score", self.scores[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def fit(directory: Path, scores: list[float], epochs: int, resume: Path | None = None) -> BestCheckpoint:
    loader = DataLoader(TensorDataset(torch.zeros(3, 1)))
    best = BestCheckpoint(directory / "best.ckpt", "score")
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[best],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(Scripted(scores), loader, loader, ckpt_path=resume, weights_only=True)
    return best


def epoch_and_steps(checkpoint: Path) -> tuple[int, float]:
    content = torch.load(checkpoint, weights_only=True)
    return content["epoch"], content["state_dict"]["steps"].item()


@pytest.mark.filterwarnings("ignore:The '(train|val)_dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.parametrize(
    ("scores", "best_epoch"), [([0.5, 0.9, 0.7, 0.6], 1), ([0.9, 0.5, 0.4, 0.3], 0), ([0.1, 0.2, 0.3, 0.4], 3)]
)
def test_last_is_the_last_epoch_whichever_is_the_best(tmp_path: Path, scores: list[float], best_epoch: int) -> None:
    best = fit(tmp_path, scores, 4)
    assert epoch_and_steps(tmp_path / "best.ckpt") == (best_epoch, 3 * (best_epoch + 1))
    assert epoch_and_steps(tmp_path / "last.ckpt") == (3, 12)
    assert (best.best_model_path, best.last_model_path) == (str(tmp_path / "best.ckpt"), str(tmp_path / "last.ckpt"))


@pytest.mark.filterwarnings("ignore:The '(train|val)_dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_resuming_from_last_trains_only_the_epochs_that_remain(tmp_path: Path) -> None:
    scores = [0.5, 0.9, 0.7, 0.6, 0.8]
    fit(tmp_path / "first", scores, 4)
    fit(tmp_path / "second", scores, 5, tmp_path / "first" / "last.ckpt")
    assert epoch_and_steps(tmp_path / "second" / "last.ckpt") == (4, 15)
    assert epoch_and_steps(tmp_path / "second" / "best.ckpt") == (1, 6), "the best of the first run is still the best"
