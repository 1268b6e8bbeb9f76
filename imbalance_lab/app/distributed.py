"""The processes of one job: which is the first, how the others start, and the clean-up after them."""

import os
import sys

from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_original_cwd
from omegaconf import OmegaConf


def is_first_process() -> bool:
    """Whether this is the process that writes files and prints."""
    return not int(os.environ.get("LOCAL_RANK", 0)) and not int(os.environ.get("NODE_RANK", 0))


def repeat_only_this_job() -> None:
    """Make Lightning start the other DDP processes with `ddp_command`."""
    from lightning.fabric.strategies.launchers import subprocess_script as fabric
    from lightning.pytorch.strategies.launchers import subprocess_script as pytorch

    for module in (fabric, pytorch):
        module._hydra_subprocess_cmd = ddp_command  # type: ignore[attr-defined]


def ddp_command(local_rank: int) -> tuple[list[str], str]:
    """The command and working directory with which a DDP process repeats exactly the job that started it.

    Lightning would repeat ``sys.argv``: in a multirun each process would then start the whole sweep.
    """
    import __main__

    hydra = HydraConfig.get()
    spec = __main__.__spec__
    script = [os.path.join(get_original_cwd(), sys.argv[0])] if spec is None else ["-m", spec.name]
    overrides = [
        *job_overrides(),
        f'hydra.run.dir="{hydra.runtime.output_dir}"',
        "hydra.mode=RUN",
        f"hydra.job.name={hydra.job.name}_rank{local_rank}",
        "hydra.output_subdir=null",  # the config is written once, by the first process
    ]
    command = [sys.executable, *script, *job_flags(), *overrides]
    return command, get_original_cwd()


def job_flags() -> list[str]:
    """Hydra's flags of this job that select the configuration."""
    hydra = HydraConfig.get()
    flags = ["--config-name", hydra.job.config_name] if hydra.job.config_name else []
    for source in hydra.runtime.config_sources:
        if source.provider == "command-line":
            flags += ["--config-dir", source.path]
    return flags


def job_overrides() -> list[str]:
    """The overrides of this job (in a sweep, of this run), without Hydra's own."""
    task: list[str] = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)  # type: ignore[assignment]
    return task


def leave_process_group() -> None:
    """Undo what Lightning set up, so that the next run of a sweep can start its own processes."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return
    torch.distributed.destroy_process_group()
    for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        os.environ.pop(name, None)
