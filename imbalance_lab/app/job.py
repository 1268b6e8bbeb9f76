"""One job from its start to its end: what is left to do of it, its status, its exit code."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.cross_validation import cross_validate, is_cross_validation, resume_command
from imbalance_lab.app.distributed import is_first_process, job_overrides, shared
from imbalance_lab.app.endings import report_death, run_endings
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.peers import sharing_errors
from imbalance_lab.app.restart import Restart, find_restart
from imbalance_lab.app.status import recording_status
from imbalance_lab.app.train import prepare, train
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import STOP, Pruned, ignore_signals
from imbalance_lab.text import visible


def run(config: DictConfig) -> float:
    """Run the job that ``config`` describes in Hydra's output directory; return the validation score of its model.

    A job that has finished there is not run again, and one that was interrupted goes on, see
    `imbalance_lab.app.restart`.
    """
    hydra = HydraConfig.get()
    is_sweep = hydra.mode == RunMode.MULTIRUN
    with STOP.handled(), run_endings(is_sweep) as ending:
        own = Path(hydra.runtime.output_dir).absolute()
        directory = ending.directory = RunDirectory(shared(own, OmegaConf.select(config, "trainer.timeout")))
        overrides = job_overrides()
        restart = find_restart(directory, config, overrides)
        if is_first_process():
            _announce(restart, directory, f"run {hydra.job.num}  {' '.join(overrides)}" if is_sweep else None)
        if restart.score is not None:
            return restart.score
        if is_cross_validation(config):
            ending.command = resume_command(directory.path)
            score = cross_validate(config, directory, restart, run_once)
        else:
            score = run_once(config, directory, overrides, restart)
        if not is_sweep:
            ignore_signals()  # the status says that it has finished
        return score
    raise AssertionError("run_endings raises or returns")


def run_once(config: DictConfig, directory: RunDirectory, overrides: Sequence[str], restart: Restart) -> float:
    """Train and test one model in its directory, or check the data; return its validation score."""
    restart.apply(config)
    with (
        recording_status(directory, overrides, restart) as status,
        sharing_errors(partial(report_death, directory, status)),
    ):
        experiment = instantiate_experiment(config, overrides)
        if is_first_process():
            prepare(directory, config, experiment, restart)
        try:
            status.score = math.nan if config.check else train(config, experiment, directory)
        except Pruned as stop:
            status.pruned, status.score = stop, stop.score
            if is_first_process():
                print(stop, flush=True)
    return status.score


def _announce(restart: Restart, directory: RunDirectory, run: str | None) -> None:
    """Print which run of a sweep begins, and of any run that it has finished before."""
    if restart.score is None:
        if run is not None:
            print(f"\n{visible(run)}", flush=True)
        return
    score = "" if math.isnan(restart.score) else f", validation score {restart.score:.4f}"
    remedy = "" if run else "; to train it again, delete it or choose another directory"
    print(visible(f"{run or directory.path}  has finished before{score}{remedy}"), flush=True)
