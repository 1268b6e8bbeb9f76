"""A job in this process, from the words of its command line to its end, in the directory that it is given."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict

from imbalance_lab.app import job
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.status import RunStatus
from imbalance_lab.training.classifier import Classifier

QUICK = ("trainer=cpu", "baselines=false", "backbone=mlp")


class KilledError(BaseException):
    """Ends a job without its noticing, as SIGKILL would."""


def run_in(directory: Path, *overrides: str, mode: str = "MULTIRUN", number: int = 0) -> float:
    """Run a job as Hydra does in ``directory``, as a run of a sweep or with ``mode="RUN"`` on its own."""
    words = [*QUICK, *overrides]
    config = compose_config(words, with_hydra=True)
    with open_dict(config):
        config.hydra.mode, config.hydra.job.num = mode, number
        config.hydra.job.id, config.hydra.runtime.cwd = str(number), os.getcwd()
        config.hydra.runtime.output_dir, config.hydra.sweep.dir = str(directory), str(directory.parent)
    HydraConfig.instance().set_config(config)
    (directory / ".hydra").mkdir(parents=True, exist_ok=True)
    with open_dict(config):
        own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    OmegaConf.save(own, directory / ".hydra" / "config.yaml")
    OmegaConf.save(words, directory / ".hydra" / "overrides.yaml")
    try:
        return job.run(own)
    finally:
        HydraConfig.instance().cfg = None


def killed_in(directory: Path, overrides: Sequence[str], owner: object, hook: str, step: int = 0) -> None:
    """Run a job that is killed when ``owner.hook`` is called at this step or later: its status stays "running"."""
    with pytest.MonkeyPatch.context() as patch:
        genuine = getattr(owner, hook)

        def call(*arguments: object, **options: object) -> object:
            module = next((each for each in arguments if isinstance(each, Classifier)), None)
            if module is None or module.global_step >= step:
                raise KilledError
            return genuine(*arguments, **options)

        patch.setattr(owner, hook, call)
        patch.setattr(RunStatus, "end", lambda self, *arguments: None)
        with pytest.raises(KilledError):
            run_in(directory, *overrides)
