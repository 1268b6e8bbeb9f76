"""The bar of a whole run: its plan against what Lightning does, and on a real terminal (a pseudo one)."""

import os
import pty
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Timer
from torch.utils.data import DataLoader

from imbalance_lab.training.callbacks import ProgressBar
from tests.conftest import ROOT
from tests.helpers import fork_server

TRAIN, VAL = 10, 3
"""Batches."""


class Counted(ProgressBar):
    """A bar that draws nothing, and remembers where a fit began and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.disable()
        self.ends: list[float] = []

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.ends = [self.done_before, self.done, self.total]


class Tiny(pl.LightningModule):
    """One weight; it stops where `Classifier` does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch).sum()
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.global_step == self.trainer.max_steps:
            self.trainer.should_stop = True

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fitted(checkpoint: Path | None = None, save_at: int | None = None, to: Path | None = None, **options: Any) -> Any:
    """The (begin, end, planned end) of a fit."""
    bar = Counted()

    class Save(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.fit_loop.epoch_loop.total_batch_idx + 1 == save_at:
                trainer.save_checkpoint(to)

    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    more: dict[str, Any] = {"num_sanity_val_steps": 0} | options
    trainer = pl.Trainer(accelerator="cpu", callbacks=[bar, Save()], **quiet, **more)
    loaders = [DataLoader(torch.ones(n, 1), batch_size=1) for n in (TRAIN, VAL)]
    trainer.fit(Tiny(), *loaders, ckpt_path=checkpoint, weights_only=True)
    return bar.ends


OPTIONS: list[dict[str, Any]] = [
    {"max_epochs": 3},
    {"max_epochs": 2, "num_sanity_val_steps": 2},
    {"max_epochs": 2, "limit_train_batches": 4, "limit_val_batches": 0.4},
    {"max_epochs": 2, "limit_val_batches": 0},
    {"max_epochs": 2, "val_check_interval": 0.5},
    {"max_epochs": 2, "val_check_interval": 4},
    {"max_epochs": 5, "check_val_every_n_epoch": 2},
    {"max_epochs": 3, "check_val_every_n_epoch": None, "val_check_interval": 7},
    {"max_epochs": 3, "accumulate_grad_batches": 4},
    {"max_epochs": 9, "max_steps": 13},
    {"max_epochs": 9, "max_steps": 20},
    {"max_epochs": 9, "max_steps": 13, "val_check_interval": 3},
    {"max_epochs": 9, "max_steps": 25, "check_val_every_n_epoch": 2},
    {"max_epochs": 9, "max_steps": 5, "accumulate_grad_batches": 4},
    {"max_epochs": 9, "max_steps": 18, "check_val_every_n_epoch": None, "val_check_interval": 7},
    {"max_epochs": -1, "max_steps": 13},
]

QUIET = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:.*tensorboard", "ignore:.*LeafSpec", "ignore:You're resuming"
)


@QUIET
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_bar_ends_where_it_was_planned_to(options: dict[str, Any]) -> None:
    begin, end, total = fitted(**options)
    assert begin == 0
    assert end == total


@QUIET
@pytest.mark.parametrize("options", [OPTIONS[at] for at in (0, 4, 7, 8)], ids=str)
@pytest.mark.parametrize("saved_at", [8, 16])
def test_a_resumed_bar_begins_where_the_run_is(options: dict[str, Any], saved_at: int, tmp_path: Path) -> None:
    file = tmp_path / "some.ckpt"
    _, _, total = fitted(save_at=saved_at, to=file, **options)
    begin, end, planned = fitted(checkpoint=file, **options)
    assert planned == total
    assert saved_at <= begin < total
    assert end == total


@QUIET
def test_an_early_stop_and_a_time_limit_end_the_bar_early() -> None:
    begin, end, total = fitted(max_epochs=1000, max_time={"seconds": 1})
    assert begin == 0
    assert 0 < end < total == 1000 * (TRAIN + VAL)


def test_the_time_left_is_that_of_the_batches_to_come_and_at_most_what_the_limit_leaves() -> None:
    bar: Any = Counted()
    bar._start(1000, 400)
    assert bar._seconds_left() is None
    bar.done, bar.started = 500, bar.started - 10  # 100 batches in 10 seconds, 500 to come
    assert bar._seconds_left() == pytest.approx(50, abs=0.5)
    bar.time_limit = Timer(duration={"seconds": 20})
    bar.time_limit._start_time["train"] = time.monotonic() - 10
    assert bar._seconds_left() == pytest.approx(10, abs=0.5)


needs_terminal = pytest.mark.skipif(not hasattr(os, "forkpty"), reason="there are no pseudo-terminals here")


def in_terminal(
    folder: Path,
    *overrides: str,
    act: Callable[[Any, bytes], None] | None = None,
    errors: Path | None = None,
    **own: str,
) -> tuple[int, str]:
    """The exit code of ``train.py OVERRIDES`` and what it writes to a terminal 80 columns wide."""
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    environment |= {"COLUMNS": "80", "LINES": "40", "TERM": "xterm-256color", "OMP_NUM_THREADS": "1"} | own
    with (errors or Path(os.devnull)).open("wb") as file:
        process = fork_server.Popen(
            [sys.executable, str(ROOT / "train.py"), "logger=none", *overrides],
            cwd=folder,
            env=environment,
            stdout=follower,
            stderr=follower if errors is None else file,
            close_fds=True,
        )
    os.close(follower)
    written = b""
    try:
        while part := os.read(leader, 65536):
            written += part
            if act is not None:
                act(process, written)
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(leader)
    return process.wait(), written.decode()


def screen(written: str) -> list[str]:
    """The lines that a terminal shows in the end: carriage returns, line erasing and moving up are done."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif re.fullmatch(r"\x1b\[\d*A", part):
            row -= int(part[2:-1] or 1)
        elif part[0] != "\x1b":
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


@pytest.mark.exhaustive
@needs_terminal
@pytest.mark.parametrize("colors", [True, False])
def test_the_lines_of_the_epochs_and_the_tables_remain_and_the_bar_does_not(tmp_path: Path, colors: bool) -> None:
    errors = tmp_path / "errors.txt"
    own = {} if colors else {"NO_COLOR": "1"}
    code, written = in_terminal(tmp_path, "max_epochs=3", "batch_size=4", "hydra.run.dir=run", errors=errors, **own)
    assert code == 0
    assert re.search(r"epoch 2/3.* \d?\d%  0:\d\d spent", re.sub(r"\x1b\[[0-9;]*m", "", written))
    assert ("\x1b[38;5" in written) is colors
    lines = screen(written)
    assert [line.split("  ")[0] for line in lines if "val AUROC" in line] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert not any("━" in line or "spent" in line for line in lines)
    assert max(map(len, lines[lines.index("Test scores of run/checkpoints/best.ckpt") :])) <= 80
    assert lines[-2:] == ["run", ""]
    assert f"{(tmp_path / 'run' / 'report.html').as_uri()}" in written
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor is seen
    assert errors.read_text() == ""


@needs_terminal
def test_ctrl_c_clears_the_bar_and_says_how_to_go_on(tmp_path: Path) -> None:
    sent: list[float] = []

    def interrupt(process: Any, written: bytes) -> None:
        if not sent and b"spent" in written:
            sent.append(time.monotonic())
            os.kill(process.pid, signal.SIGINT)

    code, written = in_terminal(tmp_path, "max_epochs=2000", "batch_size=4", "hydra.run.dir=run", act=interrupt)
    assert code == 130
    lines = screen(written)
    assert not any("━" in line or "spent" in line for line in lines)
    assert any("ckpt_path=run/checkpoints/last.ckpt" in line for line in lines)
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
