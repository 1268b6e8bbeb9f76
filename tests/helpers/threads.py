"""A callback that writes down how many threads the process of a run uses, and each worker of its data loaders."""

import json
import os
from pathlib import Path

import lightning.pytorch as pl
import torch
from threadpoolctl import threadpool_info
from torch.utils.data import DataLoader, Dataset


class Threads(Dataset[int]):
    """Its only example is the number of threads of the process that reads it."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        return torch.get_num_threads()


class AskThreads(pl.Callback):
    """Writes ``threads.json`` into the directory of the run when its training starts."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        (of_worker,) = (int(batch) for batch in DataLoader(Threads(), num_workers=1))
        found = {
            "torch": torch.get_num_threads(),
            "worker": of_worker,
            "pools": [pool["num_threads"] for pool in threadpool_info()],
            "variables": [os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")],
        }
        Path(trainer.default_root_dir, "threads.json").write_text(json.dumps(found))
