"""What ``sweep=slurm`` asks of Slurm for each run: checked, and in submitit's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.errors import UsageError
from imbalance_lab.validation import check_choice, check_integer, check_list, check_number, check_text

CLUSTERS = ("slurm", "local")


@dataclass(frozen=True)
class SlurmOptions:
    """The keys of ``configs/sweep/slurm.yaml``.

    Args:
        cluster: "slurm", or "local" for processes of this machine.
        partition: of the cluster; None for its default.
        gpus: of each machine.
        cpus: of each process; None for the cluster's default.
        memory: GB of each machine; None likewise.
        time: minutes of a job.
        requeues: how many times a job that has used up its time goes on.
        signal_delay: seconds before the end of its time that a job gets SIGUSR2.
        jobs: that run at a time.
        setup: shell commands before each job.
        options: of sbatch by their long names.

    Raises:
        TypeError, ValueError: naming the key, its value and what it may be.
    """

    cluster: str = "slurm"
    partition: str | None = None
    gpus: int = 0
    cpus: int | None = None
    memory: float | None = None
    time: int = 60
    requeues: int = 100
    signal_delay: int = 120
    jobs: int = 256
    setup: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice("sweep.cluster", self.cluster, CLUSTERS)
        for name, minimum in (("gpus", 0), ("time", 1), ("requeues", 0), ("signal_delay", 1), ("jobs", 1)):
            check_integer(f"sweep.{name}", getattr(self, name), minimum=minimum)
        if self.partition is not None:
            check_text("sweep.partition (or null)", self.partition)
        if self.cpus is not None:
            check_integer("sweep.cpus (or null)", self.cpus, minimum=1)
        if self.memory is not None:
            check_number("sweep.memory (or null)", self.memory, above=0)
        if self.signal_delay >= 60 * self.time:
            raise ValueError(
                f"sweep.signal_delay={self.signal_delay} seconds leave nothing of sweep.time={self.time} minutes: "
                f"choose sweep.signal_delay < {60 * self.time}"
            )
        for place, command in enumerate(check_list("sweep.setup", self.setup)):
            check_text(f"sweep.setup[{place}]", command)
        if not isinstance(self.options, Mapping):
            raise TypeError(f"sweep.options must be a mapping of sbatch's options, got {self.options!r}")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "SlurmOptions":
        """Those of the group ``sweep``.

        Raises:
            UsageError: for one that is not valid.
        """
        plain: Any = OmegaConf.to_container(options, resolve=True) if isinstance(options, DictConfig) else options
        try:
            return cls(**plain)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error

    def processes(self, trainer: DictConfig) -> int:
        """How many processes of a run each machine has: as many as ``trainer.devices``.

        Raises:
            UsageError: if the GPUs that are asked for are not those that the trainer uses.
        """
        devices = trainer.devices
        given = f"trainer.devices={devices}"
        count = len(devices) if isinstance(devices, Sequence) and not isinstance(devices, str) else devices
        wants_gpus = trainer.accelerator in ("gpu", "cuda")
        if count in ("auto", -1, "-1"):
            if not self.gpus and wants_gpus:
                raise UsageError(f"sweep.gpus=0, but {given} means all GPUs of a machine: choose sweep.gpus=N")
            return max(self.gpus, 1) if wants_gpus else 1
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise UsageError(f"{given} must be an integer ≥ 1, auto or a list, with sweep=slurm")
        if wants_gpus and self.gpus < count:
            raise UsageError(f"sweep.gpus={self.gpus}, but {given} needs {count}: choose sweep.gpus={count}")
        if self.gpus > count:
            raise UsageError(
                f"sweep.gpus={self.gpus}, but {given} uses {count}: choose sweep.gpus={count}, or "
                f"trainer=ddp trainer.devices={self.gpus}"
            )
        return count

    def parameters(self, trainer: DictConfig) -> dict[str, Any]:
        """The arguments of ``submitit.AutoExecutor.update_parameters``.

        Raises:
            UsageError: if they do not fit to the trainer, see `processes`.
        """
        processes, nodes = self.processes(trainer), trainer.num_nodes
        is_local = self.cluster == "local"
        if is_local and nodes > 1:
            raise UsageError(
                f"trainer.num_nodes={nodes} needs more machines than sweep.cluster=local has: leave it out"
            )
        shared = {
            "timeout_min": self.time,
            "gpus_per_node": self.gpus or None,
            "cpus_per_task": self.cpus,
            "mem_gb": self.memory,
            "nodes": nodes,
            # On one machine Lightning starts the other processes.
            "tasks_per_node": 1 if is_local else processes,
            f"{self.cluster}_setup": list(self.setup) or None,
        }
        own = {
            "slurm_partition": self.partition,
            "slurm_signal_delay_s": self.signal_delay,
            "slurm_array_parallelism": self.jobs,
            # Slurm itself puts a job back in the queue when a node fails or a preemption ends it.
            "slurm_additional_parameters": {"requeue": True, **self.options},
        }
        given = shared if is_local else shared | own
        return {name: value for name, value in given.items() if value is not None}
