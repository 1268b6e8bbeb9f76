"""best.ckpt is the best epoch's, last.ckpt the last one's, whichever of them comes when."""

import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.termination import StopRequest
from imbalance_lab.training.callbacks import BestCheckpoint, LastCheckpoint, last_checkpoint
from imbalance_lab.training.checkpoint_io import VerifiedCheckpointIO

pytestmark = [
    pytest.mark.filterwarnings("ignore:The '(train|val)_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
]


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


def fit(
    directory: Path, scores: list[float], epochs: int, resume: Path | None = None, **options: Any
) -> tuple[BestCheckpoint, LastCheckpoint]:
    loader = DataLoader(TensorDataset(torch.zeros(3, 1)))
    best = BestCheckpoint(directory / "best.ckpt", "score", resumed_from=resume)
    last = LastCheckpoint(directory / "last.ckpt", StopRequest(), **options)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[best, last],
        plugins=[VerifiedCheckpointIO()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    best.adopt()
    trainer.fit(Scripted(scores), loader, loader, ckpt_path=resume, weights_only=True)
    return best, last


def epoch_and_steps(checkpoint: Path) -> tuple[int, float]:
    content = read_checkpoint_file(checkpoint)
    return content["epoch"], content["state_dict"]["steps"].item()


@pytest.mark.parametrize(
    ("scores", "best_epoch"), [([0.5, 0.9, 0.7, 0.6], 1), ([0.9, 0.5, 0.4, 0.3], 0), ([0.1, 0.2, 0.3, 0.4], 3)]
)
def test_last_is_the_last_epoch_whichever_is_the_best(tmp_path: Path, scores: list[float], best_epoch: int) -> None:
    best, last = fit(tmp_path, scores, 4)
    assert epoch_and_steps(tmp_path / "best.ckpt") == (best_epoch, 3 * (best_epoch + 1))
    assert epoch_and_steps(tmp_path / "last.ckpt") == (3, 12)
    assert (best.best_model_path, best.step, last.step) == (str(tmp_path / "best.ckpt"), 3 * (best_epoch + 1), 12)


def saved_epochs(directory: Path, scores: list[float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs after which last.ckpt is written."""
    epochs, save = [], VerifiedCheckpointIO.save_checkpoint

    def noted(self: Any, checkpoint: Any, path: Any, **options: Any) -> None:
        epochs.extend([checkpoint["epoch"]] * (Path(path).name == "last.ckpt"))
        save(self, checkpoint, path, **options)

    monkeypatch.setattr(VerifiedCheckpointIO, "save_checkpoint", noted)
    fit(directory, scores, len(scores))
    return epochs


def test_of_short_epochs_the_best_and_the_last_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_epochs(tmp_path, [0.5, 0.9, 0.7, 0.6, 0.8], monkeypatch) == [0, 1, 4]


def test_of_longer_epochs_every_one_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_checkpoint, "SHORTEST_SECONDS", 0.0)
    assert saved_epochs(tmp_path, [0.5, 0.9, 0.7, 0.6, 0.8], monkeypatch) == [0, 1, 2, 3, 4]


def test_resuming_from_last_trains_only_the_epochs_that_remain(tmp_path: Path) -> None:
    scores = [0.5, 0.9, 0.7, 0.6, 0.8]
    fit(tmp_path / "first", scores, 4)
    fit(tmp_path / "second", scores, 5, tmp_path / "first" / "last.ckpt")
    assert epoch_and_steps(tmp_path / "second" / "last.ckpt") == (4, 15)
    assert epoch_and_steps(tmp_path / "second" / "best.ckpt") == (1, 6), "the best of the first run is still the best"


def test_the_best_model_moves_with_its_directory(tmp_path: Path) -> None:
    fit(tmp_path / "first", [0.9, 0.5], 2)
    shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    best, _ = fit(tmp_path / "second", [0, 0, 0.6], 3, tmp_path / "elsewhere" / "last.ckpt")
    assert epoch_and_steps(tmp_path / "second" / "best.ckpt") == (0, 3)
    assert best.best_model_score == pytest.approx(0.9)


def test_no_path_in_a_checkpoint_is_followed(tmp_path: Path) -> None:
    fit(tmp_path / "first", [0.9, 0.5], 2)
    (tmp_path / "secret").write_text("of another user")
    content = read_checkpoint_file(tmp_path / "first" / "last.ckpt")
    for state in content["callbacks"].values():
        state |= dict.fromkeys(("best_model_path", "last_model_path", "dirpath"), str(tmp_path / "secret"))
    write_checkpoint(tmp_path / "first" / "last.ckpt", content)
    fit(tmp_path / "second", [0, 0, 0.6], 3, tmp_path / "first" / "last.ckpt")
    assert {path.name for path in (tmp_path / "second").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert epoch_and_steps(tmp_path / "second" / "best.ckpt") == (0, 3)


def test_a_damaged_best_model_is_named_and_chosen_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path / "first", [0.9, 0.5], 2)
    damaged = tmp_path / "first" / "best.ckpt"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    fit(tmp_path / "second", [0, 0, 0.6], 3, tmp_path / "first" / "last.ckpt")
    assert epoch_and_steps(tmp_path / "second" / "best.ckpt") == (2, 9)
    warning = capsys.readouterr().err
    assert str(damaged) in warning
    assert "chosen among the epochs from here on" in warning


def test_within_an_epoch_the_clock_saves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = LastCheckpoint._save

    def noting(self: LastCheckpoint, trainer: pl.Trainer) -> None:
        saved.append(trainer.global_step)
        save(self, trainer)

    monkeypatch.setattr(LastCheckpoint, "_save", noting)
    fit(tmp_path, [0.5], 1, every_minutes=1e-9)
    assert saved == [1, 2, 3], "after every step, as the time is always over"
    saved.clear()
    fit(tmp_path / "hourly", [0.5], 1, every_minutes=60)
    assert saved == [3]
