"""TabM as its authors recommend it (Gorishniy et al. 2025, arXiv 2410.24210), with the package `tabm`.

The recipe: numbers through a noisy quantile transformation to a normal distribution, piecewise-linear embeddings of
48 bins, k = 32 members with a loss of their own, AdamW with learning rate 0.002 and weight decay 0.0003, batches of
256 rows, gradients clipped to norm 1, and a stop after 16 epochs without a better validation loss.

Reduced for a CPU: blocks are `WIDTH` wide (512 in the package), and a fit ends after `SECONDS` of processor time, with
its best weights so far.
"""

import copy
import time
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import QuantileTransformer
from torch import Tensor, nn

from table_benchmark.prepared import PreparedTable

WIDTH = 128
SECONDS = 10.0
PATIENCE = 16
BATCH = 256
Floats = NDArray[np.float64]


def fit_tabm(table: PreparedTable, seed: int) -> tuple[Floats, Floats]:
    """Probabilities (N, C) of the validation and of the test rows: the mean of the members'."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inputs = _inputs(table, seed)
        model = _model(table, inputs["train"][0])
        target = {split: torch.as_tensor(labels) for split, labels in table.target.items()}
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-4)
        started = time.process_time()  # after the imports
        best, waited, kept = float("inf"), 0, copy.deepcopy(model.state_dict())
        while waited <= PATIENCE and time.process_time() - started < SECONDS:
            _train_epoch(model, optimizer, inputs["train"], target["train"], started)
            loss = float(nn.functional.nll_loss(_predict(model, inputs["val"]).log(), target["val"]))
            waited += 1
            if loss < best:
                best, waited, kept = loss, 0, copy.deepcopy(model.state_dict())
        model.load_state_dict(kept)
    val, test = (_predict(model, inputs[split]).double().numpy() for split in ("val", "test"))
    return val, test


def _inputs(table: PreparedTable, seed: int) -> dict[str, tuple[Tensor | None, Tensor | None]]:
    """Numbers (N, D) and codes (N, E) by split, None where a table has none; 0 is the code of the unknown."""
    d = table.num_numbers
    train = table.native["train"][:, :d]
    varied = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in train.T], dtype=bool)
    median = np.nanmedian(train[:, varied], 0) if varied.any() else np.zeros(0)
    filled = {
        split: np.where(np.isnan(rows[:, :d][:, varied]), median, rows[:, :d][:, varied])
        for split, rows in table.native.items()
    }
    if varied.any():
        noise = np.random.default_rng(seed).normal(0, 1e-5, filled["train"].shape)
        quantiles = max(min(len(train) // 30, 1000), 10)
        scaler = QuantileTransformer(n_quantiles=quantiles, output_distribution="normal", subsample=None)
        scaler.fit(filled["train"] + noise * filled["train"].std(0))
        filled = {split: scaler.transform(rows) for split, rows in filled.items()}
    codes = {split: np.nan_to_num(rows[:, d:] + 1).astype(np.int64) for split, rows in table.native.items()}
    return {
        split: (
            torch.as_tensor(filled[split], dtype=torch.float32) if varied.any() else None,
            torch.as_tensor(codes[split]) if table.cardinalities else None,
        )
        for split in table.native
    }


def _model(table: PreparedTable, numbers: Tensor | None) -> nn.Module:
    embeddings: Any = None
    if numbers is not None:
        package: Any = import_module("rtdl_num_embeddings")
        bins = package.compute_bins(numbers, n_bins=min(48, len(numbers) - 1))
        embeddings = package.PiecewiseLinearEmbeddings(bins, 16, activation=False, version="B")
    model: nn.Module = import_module("tabm").TabM.make(
        n_num_features=0 if numbers is None else numbers.shape[1],
        cat_cardinalities=[size + 1 for size in table.cardinalities],
        d_out=len(table.classes),
        num_embeddings=embeddings,
        d_block=WIDTH,
    )
    return model


def _train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: tuple[Tensor | None, Tensor | None],
    target: Tensor,
    started: float,
) -> None:
    model.train()
    for rows in torch.split(torch.randperm(len(target)), BATCH):
        logits = model(*(None if each is None else each[rows] for each in inputs))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[rows].repeat_interleave(logits.shape[1]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if time.process_time() - started > SECONDS:
            return


@torch.no_grad()
def _predict(model: nn.Module, inputs: tuple[Tensor | None, Tensor | None]) -> Tensor:
    """Probabilities (N, C)."""
    model.eval()
    size = max(len(each) for each in inputs if each is not None)
    batches = torch.split(torch.arange(size), 1024)
    found = [model(*(None if each is None else each[rows] for each in inputs)) for rows in batches]
    return torch.cat(found).softmax(-1).mean(1).clamp_min(1e-12)
