"""One bar for a whole run in a terminal: all epochs with their validations, and the time that is left."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.callbacks.progress.progress_bar import ProgressBar as LightningProgressBar
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table

REFRESH = 0.1
"""Seconds between two drawings, which cost about a millisecond each."""

BAR_WIDTH, SETTLED = 40, 2.0
"""Columns of the bar at most, and seconds until the time left is said."""


@dataclass(frozen=True)
class Plan:
    """How many batches a fit has: training and validation.

    Args:
        epoch: training batches of an epoch.
        train: training batches of the whole fit; infinite if only time ends it.
        stops: whether ``max_steps`` ends it, after which it is validated.
        validation: batches of a validation.
        interval: training batches between two validations, within an epoch.
        every: epochs between two that are validated; None if ``interval`` counts over the epochs.
    """

    epoch: float
    train: float
    stops: bool
    validation: float
    interval: float
    every: int | None

    @classmethod
    def of(cls, trainer: pl.Trainer) -> "Plan":
        """That of a trainer whose fit has started."""
        epoch = trainer.num_training_batches
        train = epoch * (math.inf if trainer.max_epochs in (None, -1) else trainer.max_epochs or 0)
        last = math.inf
        if trainer.max_steps != -1:
            per_step = trainer.accumulate_grad_batches  # the last step of an epoch may have fewer
            whole, rest = divmod(trainer.max_steps, math.ceil(epoch / per_step))
            last = whole * epoch + min(rest * per_step, epoch)
        interval = trainer.val_check_batch or math.inf  # none if validation goes by time
        every = trainer.check_val_every_n_epoch
        return cls(epoch, min(train, last), last <= train, sum(_sizes(trainer.num_val_batches)), interval, every)

    @property
    def total(self) -> float:
        """All batches, of training and validation."""
        if math.isinf(self.train):
            return math.inf
        epoch, batch = divmod(self.train - 1, self.epoch)
        place = self.train if self.every is None else batch + 1
        is_more = self.stops and place % self.interval and (self.every is None or (epoch + 1) % self.every == 0)
        return self.done(self.train) + self.validation * bool(is_more)

    def done(self, train: float) -> float:
        """The batches that are done after ``train`` training batches and the validations among them."""
        if self.every is None:
            return train + self.validation * (train // self.interval)
        epochs, within = divmod(train, self.epoch)
        validations = (epochs // self.every) * (self.epoch // self.interval)
        if (epochs + 1) % self.every == 0:
            validations += within // self.interval
        return train + self.validation * validations


class ProgressBar(LightningProgressBar):
    """Shows the epoch, the share of the run that is done, and the times spent and left, on the last line.

    What is printed meanwhile appears above. The bar is drawn by the steps themselves, at most ten times a second: no
    thread, which a worker process could be forked beside. It is cleared at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live: Live | None = None
        self.plan: Plan | None = None
        self.is_enabled = True
        self.description = ""
        self.done = self.total = self.done_before = 0.0
        self.started = self.drawn = 0.0
        self.time_limit: Timer | None = None

    def enable(self) -> None:
        """Show the bar from now on."""
        self.is_enabled = True

    def disable(self) -> None:
        """Show no bar, as in every process but the first."""
        self.is_enabled = False
        self._stop()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin where the run is: at 0, or where it was resumed."""
        any_trainer: Any = trainer
        self.plan = plan = Plan.of(trainer)
        self._name_epoch(trainer)  # Lightning says nothing of an epoch that is resumed within
        self.time_limit = next((each for each in any_trainer.callbacks if isinstance(each, Timer)), None)
        self._start(plan.total, plan.done(trainer.fit_loop.epoch_loop.total_batch_idx + 1))

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Name the epoch."""
        self._name_epoch(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count a batch."""
        self._advance()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin another bar; in a fit, only see how large a validation is: before the first one it may be unknown."""
        if self.plan is not None and trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.total = replace(self.plan, validation=sum(_sizes(trainer.num_val_batches))).total
        elif trainer.state.fn != "fit":
            self._start_evaluation(trainer.num_val_batches, "validation")

    def on_validation_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count a batch."""
        if not trainer.sanity_checking:
            self._advance()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear the bar, unless a fit goes on."""
        if trainer.state.fn != "fit":
            self._stop()

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin another bar."""
        any_trainer: Any = trainer
        self._start_evaluation(trainer.num_test_batches, any_trainer.datamodule.tested)

    def on_test_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count a batch."""
        self._advance()

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear the bar."""
        self._stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear the bar."""
        self._stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Clear the bar, so that the terminal is left as it was."""
        self._stop()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Clear the bar."""
        self._stop()

    def __rich__(self) -> RenderableType:
        """The line, as rich draws it."""
        spent, left = time.monotonic() - self.started, self._seconds_left()
        share = self.done / self.total if self.total else 0.0
        if left and self.time_limit is not None:
            share = max(share, spent / (spent + left))
        line = Table.grid(padding=(0, 2))
        words = [f"{min(share, 1):4.0%}", f"{_clock(spent)} spent", f"{'–:--' if left is None else _clock(left)} left"]
        assert self.live is not None
        room = self.live.console.width - len(self.description) - sum(2 + len(word) for word in words) - 4
        bar = [Bar(1, share, width=min(BAR_WIDTH, room))] if room >= 5 else []
        line.add_row(self.description, *bar, *words)
        return line

    def _name_epoch(self, trainer: pl.Trainer) -> None:
        of = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
        self.description = f"epoch {trainer.current_epoch + 1}{of}".ljust(len(f"epoch {trainer.max_epochs}{of}"))

    def _start_evaluation(self, batches: Sequence[float] | float, description: str) -> None:
        self.time_limit, self.description = None, description
        self._start(sum(_sizes(batches)), 0)

    def _start(self, total: float, done: float) -> None:
        self._stop()
        self.total, self.done, self.done_before = total, done, done
        self.started = self.drawn = time.monotonic()
        if self.is_enabled:
            is_shown = sys.stderr.isatty()  # else it goes to a file, as with 2> errors.txt
            self.live = Live(self, console=Console(), auto_refresh=False, transient=True, redirect_stderr=is_shown)
            self.live.start()
            self.live.console.show_cursor()  # where the process is killed it would stay hidden

    def _advance(self) -> None:
        self.done += 1
        if self.live is not None and time.monotonic() - self.drawn >= REFRESH:
            self.drawn = time.monotonic()
            self.live.refresh()

    def _stop(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _seconds_left(self) -> float | None:
        """By the mean time of the batches so far, and by ``max_time``; None at the start."""
        spent, done = time.monotonic() - self.started, self.done - self.done_before
        limit = None if self.time_limit is None else self.time_limit.time_remaining("train")
        if spent < SETTLED or not done or not math.isfinite(self.total):
            return limit
        left = spent / done * max(self.total - self.done, 0)
        return left if limit is None else min(left, limit)


def _sizes(batches: Sequence[float] | float) -> Sequence[float]:
    """Lightning has one number, or one for each loader."""
    return batches if isinstance(batches, Sequence) else [batches]


def _clock(seconds: float) -> str:
    """As 0:05 or 1:02:03."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
