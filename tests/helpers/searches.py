"""Searches with a task that is a known function of its settings: Optuna is real, Hydra composes each choice once."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.compose import config_directory
from imbalance_lab.app.search import search as module
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.study import Study, read_study
from imbalance_lab.text import split_override

SPACE = ("loss=choice(focal,logit_adjusted)", "loss.gamma=interval(0,5)", "loss.tau=tag(log,interval(0.1,2))")

Task = Callable[[dict[str, str], RunDirectory], Any]


def score(given: dict[str, str], directory: RunDirectory) -> float:
    """Best for the focal loss with γ = 3."""
    if given.get("loss", "focal") == "focal":
        return 0.9 - abs(float(given["loss.gamma"]) - 3) / 10
    return 0.5 + float(given["loss.tau"]) / 100


@cache
def loader() -> Any:
    """Hydra's, of our configurations."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return GlobalHydra.instance().config_loader()


@cache
def composed(*overrides: str) -> DictConfig:
    """The configuration of a search."""
    config: DictConfig = loader().load_configuration("train", ["sweep=optuna", *overrides], RunMode.MULTIRUN)
    return config


@cache
def _groups(group: str) -> list[str]:
    found: list[str] = loader().get_group_options(group)
    return found


class Launcher:
    """Calls the task with the overrides of each job in place of a configuration."""

    def __init__(self, task: Task, directory: Path) -> None:
        self.task, self.directory = task, directory

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """As Hydra's, which notes each call in a file."""
        jobs = enumerate(job_overrides, initial_job_idx)
        return [self._run(str(number), dict(map(split_override, words))) for number, words in jobs]

    def _run(self, name: str, given: dict[str, str]) -> JobReturn:
        directory = RunDirectory(self.directory / name)
        directory.overrides.parent.mkdir(parents=True, exist_ok=True)
        directory.overrides.write_text(yaml.safe_dump([f"{key}={text}" for key, text in given.items()]))
        with (self.directory / "calls.txt").open("a") as file:
            file.write(f"{name}\n")
        try:
            return JobReturn(status=JobStatus.COMPLETED, _return_value=self.task(given, directory))
        except Exception as error:
            return JobReturn(status=JobStatus.FAILED, _return_value=error)


def search(directory: Path, *words: str, task: Task = score, space: Sequence[str] = SPACE) -> Study:
    """``python train.py -m sweep=optuna SPACE WORDS`` in ``directory``."""
    config = OmegaConf.merge(composed())
    assert isinstance(config, DictConfig)
    config.hydra.sweep.dir = str(directory)
    for key, text in map(split_override, words):
        if not OverridesParser.create().parse_override(f"{key}={text}").is_sweep_override():
            OmegaConf.update(config, key, yaml.safe_load(text), merge=False)
    context: Any = SimpleNamespace(
        config_loader=SimpleNamespace(
            get_group_options=_groups,
            load_sweep_config=lambda _, overrides: composed(*(word for word in overrides if "=" in word)),
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_launcher", lambda *_: Launcher(task, directory))
        module.search(context, lambda _: None, config, ["sweep=optuna", *space, *words])
    study = read_study(directory)
    assert study is not None
    return study


def calls(directory: Path) -> list[str]:
    """The names of the run directories in which the task was called."""
    return (directory / "calls.txt").read_text().split()
