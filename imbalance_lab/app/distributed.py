"""The processes of one job: which is the first, what they share, how Lightning starts the others."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_original_cwd
from omegaconf import OmegaConf

from imbalance_lab.errors import UsageError
from imbalance_lab.text import is_of_sweep, override

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

Shared = TypeVar("Shared")

LAUNCHERS = ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "JSM_NAMESPACE_SIZE", "OMPI_COMM_WORLD_SIZE")
"""Variables of torchrun, Slurm, LSF and Open MPI. Where there is none, Lightning starts the processes of a machine."""

ENVIRONMENTS = ("TorchElasticEnvironment", "SLURMEnvironment", "LSFEnvironment", "MPIEnvironment")
"""Lightning's names of them, in the order of its Trainer."""


def cluster_environment() -> "ClusterEnvironment | None":
    """Lightning's view of what has started several processes; None for a single one, or if Lightning starts the others.

    Lightning is only imported if a launcher is there.

    Raises:
        UsageError: if Slurm does not say how many processes a machine has.
    """
    if not any(name in os.environ for name in LAUNCHERS):
        return None
    from lightning.fabric.plugins import environments

    kinds: Any = [getattr(environments, name) for name in ENVIRONMENTS]
    try:
        found: ClusterEnvironment | None = next((kind() for kind in kinds if kind.detect()), None)
    except RuntimeError as error:
        raise UsageError(
            f"Slurm was asked for {os.environ.get('SLURM_NTASKS')} processes (--ntasks), but not for how many on each "
            "machine: use --ntasks-per-node"
        ) from error
    return found if found is not None and found.world_size() > 1 else None


def process_rank() -> int:
    """The rank of this process among all of the job, on every machine."""
    environment = cluster_environment()
    if environment is not None:
        return environment.global_rank()
    # Lightning's children; on another machine than the first, the number only has to be different from 0.
    return int(os.environ.get("LOCAL_RANK", 0)) + int(os.environ.get("NODE_RANK", os.environ.get("GROUP_RANK", 0)))


def is_first_process() -> bool:
    """Whether this is the process that writes files and prints."""
    return process_rank() == 0


def is_lightnings_child() -> bool:
    """Whether Lightning has started this process."""
    return "LOCAL_RANK" in os.environ and os.environ["LOCAL_RANK"] != "0" and cluster_environment() is None


def hydra_overrides(given: list[str]) -> list[str]:
    """Overrides for a process that is not the first of a launcher's: Hydra must make no directory for it."""
    if cluster_environment() is None:
        return given
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # see `imbalance_lab.app.peers`
    if is_first_process():
        return given
    kept = [word for word in given if word.partition("=")[0] not in ("hydra.run.dir", "hydra.sweep.dir")]
    return [*kept, *scratch_overrides()]


def scratch_overrides() -> list[str]:
    """Hydra's overrides for a process that keeps nothing: its directory is removed when it ends."""
    scratch = tempfile.mkdtemp(prefix="imbalance_lab_")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return [f"hydra.run.dir={scratch}", f"hydra.sweep.dir={scratch}", "hydra.output_subdir=null"]


def shared(value: Shared, timeout: object = None) -> Shared:
    """The first process's ``value``, in every process of a launcher; connects them.

    Args:
        value: this process's own, plain data or a path.
        timeout: seconds that a process waits for the others, here and in every later step; if it is no such number,
            which is refused soon after, 120.
    """
    environment = cluster_environment()
    if environment is None:
        return value
    import torch.distributed as dist

    if not dist.is_initialized():
        os.environ |= {"MASTER_ADDR": environment.main_address, "MASTER_PORT": str(environment.main_port)}
        import torch

        try:
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
                rank=environment.global_rank(),
                world_size=environment.world_size(),
                timeout=timedelta(seconds=timeout if isinstance(timeout, int | float) and timeout > 0 else 120),
            )
        except RuntimeError as error:  # of which those of the store are a kind
            raise UsageError(
                f"process {environment.global_rank()} cannot reach the others ({str(error).splitlines()[0]}): see that "
                "all were started, and that GLOO_SOCKET_IFNAME and NCCL_SOCKET_IFNAME name the network between machines"
            ) from error
    values = [value]
    dist.broadcast_object_list(values)
    return values[0]


def program_words() -> list[str]:
    """The first words of a command line that starts this program again."""
    return ["python", sys.argv[0]] if sys.argv[0].endswith(".py") else [sys.argv[0]]


def ddp_command(local_rank: int) -> tuple[list[str], str]:
    """The command and working directory with which a DDP process repeats exactly the job that started it.

    Lightning would repeat ``sys.argv``: in a multirun each process would then start the whole sweep.
    """
    hydra = HydraConfig.get()
    program = _adopted or Program.of_this_process()
    script = [os.path.join(get_original_cwd(), program.argv[0])] if program.module is None else ["-m", program.module]
    overrides = [
        *job_overrides(),
        override("hydra.run.dir", hydra.runtime.output_dir),
        "hydra.mode=RUN",
        f"hydra.job.name={hydra.job.name}_rank{local_rank}",
        "hydra.output_subdir=null",  # the config is written once, by the first process
    ]
    command = [sys.executable, *script, *job_flags(), *overrides]
    return command, get_original_cwd()


@dataclass(frozen=True)
class Program:
    """The command that a user gave, for a process that a cluster's own program starts in its place.

    Args:
        argv: ``sys.argv``.
        module: what ``python -m`` was given; None for a script.
        folder: where it was given.
    """

    argv: tuple[str, ...]
    module: str | None
    folder: str

    @classmethod
    def of_this_process(cls) -> "Program":
        """That of this process."""
        import __main__

        spec = getattr(__main__, "__spec__", None)
        return cls(tuple(sys.argv), None if spec is None else spec.name, os.getcwd())

    def adopt(self) -> None:
        """Make it the one that hints, records and further processes of this process repeat."""
        global _adopted
        _adopted, sys.argv = self, list(self.argv)
        os.chdir(self.folder)

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let processes that are started inside import what this one can: its package may lie beside its script."""
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(os.path.abspath(each) for each in sys.path))
        try:
            yield
        finally:
            os.environ.pop("PYTHONPATH")
            if before is not None:
                os.environ["PYTHONPATH"] = before


_adopted: Program | None = None


def job_flags() -> list[str]:
    """Hydra's flags of this job that select the configuration."""
    return config_flags(HydraConfig.get())


def config_flags(hydra: Any) -> list[str]:
    """The flags that select the configuration to which ``hydra``, Hydra's own part, belongs."""
    flags = ["--config-name", hydra.job.config_name] if hydra.job.config_name else []
    for source in hydra.runtime.config_sources:
        if source.provider == "command-line":
            flags += ["--config-dir", source.path]
    return flags


def job_overrides() -> list[str]:
    """The overrides of this job (in a sweep, of this run), without Hydra's own and those of the sweep."""
    task: list[str] = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)  # type: ignore[assignment]
    return [word for word in task if not is_of_sweep(word)]


def varied_overrides() -> list[str]:
    """What sets this run apart from the others of its sweep, as the command line has it; none for a run on its own.

    Those of its overrides that the sweep was not given literally: a sweep is given ``seed=0,1``, its runs ``seed=0``.
    """
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return []
    file = Path(get_original_cwd()) / HydraConfig.get().sweep.dir / "multirun.yaml"
    given = sys.argv[1:]  # sweepers other than Hydra's own write no such file
    if file.is_file():
        given = list(yaml.safe_load(file.read_text(encoding="utf-8"))["hydra"]["overrides"]["task"])
    return [word for word in job_overrides() if word not in given]


def leave_process_group() -> None:
    """Undo what Lightning set up, so that the next run of a sweep can start its own processes."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return
    if cluster_environment() is not None:
        return  # a launcher's processes stay connected for the whole sweep
    torch.distributed.destroy_process_group()
    for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        os.environ.pop(name, None)
