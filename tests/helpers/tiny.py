"""A tiny training in this process: long-tailed digits, a small net, Lightning's Trainer."""

from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from imbalance_lab.backbones import MLP, ConvNet
from imbalance_lab.data import ShiftFlip, digits, long_tailed
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.samplers import RandomSampler
from imbalance_lab.termination import STOP
from imbalance_lab.training.callbacks import LastCheckpoint
from imbalance_lab.training.classifier import Classifier
from imbalance_lab.training.datamodule import DataModule
from imbalance_lab.training.strategies import Strategy

SPLITS = long_tailed(digits, factor=20, val_fraction=0.2)
COUNTS = SPLITS.class_counts


class Record(pl.Callback):
    """The weights of the model after every step, the inputs of every step, and the logits of every validation."""

    def __init__(self, stop: int = -1) -> None:
        self.stop = stop
        self.weights: list[dict[str, Tensor]] = []
        self.inputs: list[Tensor] = []
        self.logits: list[Tensor] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == self.stop:
            raise InterruptedError
        self.inputs.append(batch.input)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *args: Any) -> None:
        self.weights.append({name: tensor.clone() for name, tensor in net_of(pl_module.state_dict()).items()})

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, *args: Any) -> None:
        self.logits.append(outputs.clone())


def net_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of backbone and head."""
    return {name: tensor for name, tensor in state.items() if name.startswith(("backbone.", "head."))}


def fit(
    root: Path,
    *strategies: Strategy,
    loss: nn.Module | None = None,
    width: int | None = None,
    epochs: int = 3,
    stop: int = -1,
    resume: Path | None = None,
) -> tuple[Classifier, Record]:
    """Train an MLP, or a ConvNet of ``width``; ``root / "last.ckpt"`` is written after every step and every epoch."""
    torch.manual_seed(0)
    backbone = MLP((1, 8, 8), [16]) if width is None else ConvNet((1, 8, 8), [width])
    size: Any = backbone.num_features
    model = Classifier(
        backbone,
        nn.Linear(size, 10),
        loss or CrossEntropyLoss(),
        task=SPLITS.task,
        prepare=deepcopy(SPLITS.prepare),
        optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.9),
        strategies=strategies,
        seed=3,
    )
    data = DataModule(
        SPLITS,
        RandomSampler(targets=SPLITS.train.targets, seed=3),
        batch_size=64,
        augment=ShiftFlip(shift=1, flip=True),
        seed=3,
    )
    record = Record(stop)
    save = LastCheckpoint(root / "last.ckpt", STOP, every_minutes=0)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        callbacks=[record, *strategies, save],
        log_every_n_steps=1,
    )
    try:
        trainer.fit(model, data, ckpt_path=resume, weights_only=True)
    except InterruptedError:
        assert stop >= 0
    return model, record


STEPS = -(-len(SPLITS.train) // 64)
"""Steps of an epoch."""
