"""Checks of what has started the processes of a job: torchrun, srun and others."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imbalance_lab.app.distributed import ENVIRONMENTS, cluster_environment, is_first_process
from imbalance_lab.errors import UsageError

if TYPE_CHECKING:
    import lightning.pytorch as pl

OWN_STORES = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
"""A variable of torchrun. Without it, torch 2.15 keeps one store for all starts of a job, with the addresses of each:
a process can then try to reach one that is gone, and so fail at every start."""


def check_restarts(given: Sequence[str]) -> None:
    """Refuse what keeps a job from going on that torchrun starts again by itself, with the same words.

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


def check_launched(trainer: "pl.Trainer") -> None:
    """Check that a launcher has started as many processes as the trainer is to have.

    Raises:
        UsageError: with both numbers.
    """
    environment = cluster_environment()
    if environment is None and trainer.num_nodes > 1:
        raise UsageError(
            f"trainer.num_nodes={trainer.num_nodes} needs a launcher, so that all machines have one run directory: "
            "start it with torchrun or srun (docs/scaling.md)"
        )
    wanted = trainer.num_devices * trainer.num_nodes
    if environment is not None and environment.world_size() != wanted:
        raise UsageError(
            f"{environment.world_size()} processes were started, but trainer.devices × trainer.num_nodes is {wanted}: "
            "choose trainer=ddp (or ddp_cpu) trainer.devices=PROCESSES_OF_A_MACHINE trainer.num_nodes=MACHINES"
        )
    of_lightning = getattr(trainer.strategy, "cluster_environment", None)
    if environment is None and wanted > 1 and type(of_lightning).__name__ in ENVIRONMENTS:
        raise UsageError(
            f"one process was started, but trainer.devices × trainer.num_nodes is {wanted}: start as many with srun "
            "(--ntasks-per-node) or torchrun (--nproc-per-node)"
        )
