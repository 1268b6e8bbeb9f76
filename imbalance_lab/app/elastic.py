"""A job that torchrun starts again by itself, with the same words, when a process or a machine is lost."""

import os
import sys
from collections.abc import Sequence

from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.errors import UsageError

OWN_STORES = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
"""A variable of torchrun. Without it, torch 2.15 keeps one store for all starts of a job, with the addresses of each:
a process can then try to reach one that is gone, and so fail at every start."""


def check_restarts(given: Sequence[str]) -> None:
    """Refuse what keeps such a job from going on.

    Args:
        given: the words of the command line.

    Raises:
        UsageError: in the first process; the others end.
    """
    restarts = os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") if "TORCHELASTIC_RUN_ID" in os.environ else "0"
    if restarts == "0":
        return
    key = "hydra.sweep.dir" if {"-m", "--multirun"} & set(given) else "hydra.run.dir"
    problems = []
    if not any(word.startswith(f"{key}=") for word in given):
        problems.append(f"the job goes on in its own directory only if that stays the same: add {key}=DIR")
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True" and os.environ.get(OWN_STORES) != "1":
        problems.append(
            f"a process that is started again could be told the address of one that is gone: set {OWN_STORES}=1 "
            "before torchrun"
        )
    if problems and not is_first_process():
        sys.exit(2)
    if problems:
        raise UsageError(f"torchrun --max-restarts={restarts}: {'; and '.join(problems)}")
