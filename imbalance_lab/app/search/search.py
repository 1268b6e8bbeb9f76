"""A search from its first trial to its last: ask, launch, tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from optuna.trial import FrozenTrial, Trial, TrialState

from imbalance_lab.app.cli import Sweep
from imbalance_lab.app.distributed import cluster_environment
from imbalance_lab.app.resume import is_ignored
from imbalance_lab.app.search.objectives import Objective
from imbalance_lab.app.search.options import SearchOptions, read_options
from imbalance_lab.app.search.quiet import quiet
from imbalance_lab.app.search.record import write_record
from imbalance_lab.app.search.shared_study import SharedStudy
from imbalance_lab.app.search.space import Space, read_space
from imbalance_lab.app.sweep_record import write_record as write_sweep
from imbalance_lab.errors import UsageError, describe
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.score_keys import nearest, stored_scores
from imbalance_lab.files import write_json
from imbalance_lab.text import split_override

BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@dataclass(frozen=True)
class AskedTrial:
    """A trial that this process is to run: its settings by key, and the directory of its run."""

    trial: Trial
    given: Mapping[str, str]
    directory: RunDirectory

    def overrides(self, space: Space) -> list[str]:
        """The command line of its run."""
        return space.overrides(self.given)


def search(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: Sequence[str]) -> None:
    """Run the trials that are missing of a search; its files are in the directory of the sweep.

    Raises:
        UsageError: for a search that cannot be run, before anything is written; at the end if a trial has failed.
    """
    quiet()
    options = read_options(config)
    space = read_space(context, config, arguments)
    _check_job(config)
    launcher = _launcher(context, task_function, config, options.jobs)
    write_sweep(config, options.directory)
    with SharedStudy(options) as study:
        study.describe(_description(options, space))
        if not study.trials():
            _check_directory(options)
        while batch := _next_batch(study, space):
            write_record(study, space)
            Sweep.job_started = True
            for trials in _consecutive(batch):
                given = [each.overrides(space) for each in trials]
                returns = launcher.launch(given, initial_job_idx=trials[0].trial.number)
                for each, returned in zip(trials, returns, strict=True):
                    _tell(study, each, returned)
        write_record(study, space, is_over=True)
        if study.is_exhausted and len(study.trials()) < options.n_trials:
            print(f"every setting is tried, after {len(study.trials())} of {options.n_trials} trials", flush=True)
        failed = [each for each in study.trials() if each.state == TrialState.FAIL]
    if failed:
        first = failed[0]
        raise UsageError(
            f"{len(failed)} of {options.n_trials} trials failed, the first one {first.number}: "
            f"{first.user_attrs.get('error', 'without a word')}"
        )


def _check_job(config: DictConfig) -> None:
    """Raise an error for what would give trials directories or processes that the search does not know."""
    if cluster_environment() is not None:
        raise UsageError(
            "sweep=optuna asks for each trial once, and torchrun or srun started several processes of it: start one, "
            "and let Lightning start those of a trial (trainer=ddp trainer.devices=2)"
        )
    hydra: Any = OmegaConf.to_container(config.hydra, resolve=False)
    if hydra["sweep"]["subdir"] != "${hydra.job.num}":
        raise UsageError(
            f"hydra.sweep.subdir={hydra['sweep']['subdir']}: a search calls the directory of a run by the number of "
            "its trial: leave it out"
        )


def _check_directory(options: SearchOptions) -> None:
    """Raise an error for a new search in a directory with other runs."""
    found = [each for each in options.directory.glob("*/") if each.name.isdigit() and RunDirectory(each).is_run]
    if found:
        raise UsageError(f"{options.directory} has runs of another sweep: choose another hydra.sweep.dir")


def _launcher(context: HydraContext, task_function: TaskFunction, config: DictConfig, jobs: int) -> Launcher:
    """The chosen launcher; for several trials at once that of ``sweep=parallel``, if none was chosen."""
    if jobs > 1 and config.hydra.launcher._target_ == BASIC:
        config = cast(DictConfig, OmegaConf.merge(config))
        with open_dict(config):
            config.hydra.launcher = ConfigStore.instance().load("hydra/launcher/imbalance_lab_parallel.yaml").node
            config.hydra.launcher.jobs = jobs
    return Plugins.instance().instantiate_launcher(hydra_context=context, task_function=task_function, config=config)


def _description(options: SearchOptions, space: Space) -> dict[str, Any]:
    """What must be the same wherever trials of one study run."""
    return {
        "space": space.dimensions,
        "settings": [word for word in space.fixed if not is_ignored(split_override(word)[0])],
        "objectives": [f"{each.name} ({each.direction})" for each in options.objectives],
    }


def _consecutive(batch: Sequence[AskedTrial]) -> list[list[AskedTrial]]:
    """A batch in parts with consecutive numbers, as launchers count jobs: another process may have asked in between."""
    parts: list[list[AskedTrial]] = []
    for each in batch:
        if parts and each.trial.number == parts[-1][-1].trial.number + 1:
            parts[-1].append(each)
        else:
            parts.append([each])
    return parts


def _next_batch(study: SharedStudy, space: Space) -> list[AskedTrial]:
    """Up to as many trials as run at the same time; empty once there are no more."""
    batch: list[AskedTrial] = []
    with study.lock:  # so that the numbers of a batch follow each other
        while len(batch) < study.options.jobs and (trial := study.ask()) is not None:
            if (asked := _settled(study, space, trial)) is not None:
                batch.append(asked)
    return batch


def _settled(study: SharedStudy, space: Space, trial: Trial) -> AskedTrial | None:
    """A trial with its settings; None if there is nothing to run, because its outcome is known."""
    given = space.suggest(trial)
    directory = RunDirectory(study.options.directory / str(trial.number))
    same = _finished_with(study, given)
    trial.set_user_attr("given", given)
    trial.set_user_attr("directory", str(directory.path) if same is None else same.user_attrs["directory"])
    if same is not None:
        study.tell(trial, TrialState.COMPLETE, same.values)
        return None
    if directory.read_status()["state"] == "pruned":  # and the process was killed before it could tell
        study.tell(trial, TrialState.PRUNED)
        return None
    asked = AskedTrial(trial, given, directory)
    _prepare(study, asked)
    return asked


def _finished_with(study: SharedStudy, given: Mapping[str, str]) -> FrozenTrial | None:
    """A complete trial with the same settings: another run would repeat it digit by digit."""
    complete = (each for each in study.trials() if each.state == TrialState.COMPLETE)
    return next((each for each in complete if each.user_attrs.get("given") == given), None)


def _prepare(study: SharedStudy, asked: AskedTrial) -> None:
    """Leave word in the directory of the run whom its epochs are reported to, if trials are pruned."""
    options = study.options
    if options.pruner is not None:
        content = {"storage": options.url, "study": options.study, "number": asked.trial.number}
        write_json(asked.directory.trial, {**content, "pruner": dict(options.pruner), "allow": list(options.allow)})


def _tell(study: SharedStudy, asked: AskedTrial, returned: JobReturn) -> None:
    """Tell how a run has ended: its scores, that it was pruned, or why it failed."""
    if asked.directory.read_status()["state"] == "pruned":
        study.tell(asked.trial, TrialState.PRUNED)
        return
    try:
        values = [_value(each, asked.directory, returned.return_value) for each in study.options.objectives]
    except Exception as error:
        study.tell(asked.trial, TrialState.FAIL, error=describe(error))
    else:
        study.tell(asked.trial, TrialState.COMPLETE, values)


def _value(objective: Objective, directory: RunDirectory, returned: Any) -> float:
    """The value of an objective.

    Raises:
        UsageError: if the run has no such score.
    """
    if objective.is_returned:
        value = float(returned)
        if math.isnan(value):
            raise UsageError(f"{objective.name} is undefined on the validation split")
        return value
    known = stored_scores(directory.read_scores() or {}, "val")
    if objective.score not in known:
        near = ", ".join(nearest(objective.name, list(known)))
        raise UsageError(f"the run has no {objective.name} on validation; the nearest are {near}")
    return known[objective.score].value
