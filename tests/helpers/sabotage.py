"""A callback that stops, kills, freezes or breaks its own process at a chosen moment."""

import os
import signal
import threading
from typing import Any

import lightning.pytorch as pl

ARGUMENTS = "allow=[tests]"


def sabotage(hook: str, action: str, *, step: int = 0, rank: int = 0, delay: float = 0) -> list[str]:
    """The overrides that add a `Sabotage` to a job."""
    node = f"_target_:{__name__}.Sabotage,hook:{hook},action:{action},step:{step},rank:{rank},delay:{delay}"
    return [ARGUMENTS, f"+callbacks.sabotage={{{node}}}"]


class Sabotage(pl.Callback):
    """Does something to its own process, once; nothing where the variable SABOTAGE is "off", as in a resumed run.

    Args:
        hook: the hook of Lightning's callbacks in which it does so.
        action: a signal by its name, or "raise".
        step: the first optimizer step at which it does so.
        rank: of the process.
        delay: seconds after the hook.
    """

    def __init__(self, hook: str, action: str, step: int, rank: int, delay: float) -> None:
        self.action, self.step, self.rank, self.delay = action, step, rank, delay
        self.is_done = os.environ.get("SABOTAGE") == "off"
        setattr(self, hook, self._act)

    def _act(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any, **kwargs: Any) -> None:
        if self.is_done or trainer.global_step < self.step or trainer.global_rank != self.rank:
            return
        self.is_done = True
        if self.action == "raise":
            raise KeyError(f"a bug of process {trainer.global_rank}")
        number = getattr(signal, self.action)
        if self.delay:
            threading.Timer(self.delay, os.kill, (os.getpid(), number)).start()
        else:
            os.kill(os.getpid(), number)
