"""A cross-validation: every fold is a run of its own below the directory, and then what they say is joined.

A fold is the run of the same command line with ``cv.fold=NUMBER`` and a seed of its own, so that the spread of the
folds is also that of the seeds. It can be resumed, evaluated, exported and compared like any other run. A fold that has
finished is not trained again; one that was interrupted goes on.
"""

import copy
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from imbalance_lab.app.distributed import cluster_environment, is_first_process, job_overrides
from imbalance_lab.app.endings import job_command, run_endings
from imbalance_lab.app.restart import Restart, find_restart
from imbalance_lab.app.status import recording_status
from imbalance_lab.app.validate_config import validate_config
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write
from imbalance_lab.seeding import hash_seeds
from imbalance_lab.text import override, shell_words, split_override, visible

Job = Callable[[DictConfig, RunDirectory, Sequence[str], Restart], float]


def is_cross_validation(config: DictConfig) -> bool:
    """Whether all folds are asked for; a check of the data looks at the first one only.

    Raises:
        UsageError: with a checkpoint, or if a launcher has started several processes.
    """
    if config.cv.folds is None or config.cv.fold is not None or config.check:
        return False
    if config.ckpt_path is not None or not config.fit:
        raise UsageError(
            f"cv.folds={config.cv.folds} trains a model for each fold, but ckpt_path={config.ckpt_path} is one model: "
            "leave one out, or name its fold with cv.fold=NUMBER"
        )
    if cluster_environment() is not None:
        raise UsageError(
            f"cv.folds={config.cv.folds} trains the folds one after the other, in processes of its own: under torchrun "
            "or srun start each as a job with cv.fold=NUMBER hydra.run.dir=DIR/folds/NUMBER, and then, without a "
            "launcher, the same command with hydra.run.dir=DIR, which joins them"
        )
    return True


def cross_validate(config: DictConfig, directory: RunDirectory, restart: Restart, job: Job) -> float:
    """Run every fold that is not finished, and join them; return the mean of their monitored validation scores.

    Args:
        config: of the whole.
        directory: of the whole.
        restart: what there is of it.
        job: trains one run in its directory.

    Raises:
        UsageError: after all folds, if one of them failed; at once, if the first one could not begin.
    """
    with recording_status(directory, job_overrides(), restart) as status:
        validate_config(config)
        n: int = config.cv.folds * config.cv.repeats
        scores, failed = list[float](), dict[int, str]()
        for number in range(n):
            try:
                scores.append(_run_fold(config, directory, number, n, job))
            except UsageError as error:
                if not number and not RunDirectory(directory.fold(0)).last_checkpoint.is_file():
                    raise  # the others would not begin either
                failed[number] = str(error)
                print(f"error: fold {number}: {visible(str(error))}", file=sys.stderr, flush=True)
        if failed:
            number, sentence = next(iter(failed.items()))
            raise UsageError(f"{len(failed)} of {n} folds failed, fold {number}: {sentence}")
        join(directory, config.cv.folds, config.cv.repeats)
        status.score = sum(scores) / n
    return status.score


def join(directory: RunDirectory, folds: int, repeats: int) -> None:
    """Join the finished folds in a directory; write the page, and print the table."""
    from imbalance_lab.evaluation.join_folds import join_folds  # here: what these import takes seconds
    from imbalance_lab.report.cross_validation_page import write_cross_validation_page
    from imbalance_lab.report.fold_table import fold_lines, fold_table
    from imbalance_lab.report.terminal import console, print_path, print_sentence

    joined = join_folds(directory, folds, repeats)
    command = RunDirectory(directory.fold(0)).read_metadata()["command"]
    write_cross_validation_page(directory.report, joined, command, directory.read_config_text() or "")
    console().print()
    for line in fold_lines(joined):
        print_sentence(line)
    console().print(fold_table(joined, directory.scores.name))
    print_path(directory.path, opens=directory.report)


def resume_command(directory: Path) -> str:
    """The command line that goes on with this job in its directory."""
    return shell_words(*job_command(), *job_overrides(), override("hydra.run.dir", os.path.relpath(directory)))


def _run_fold(config: DictConfig, directory: RunDirectory, number: int, n: int, job: Job) -> float:
    run = RunDirectory(directory.fold(number))
    seed = hash_seeds(config.seed, number) >> 33
    given = [word for word in job_overrides() if split_override(word)[0] != "seed"]
    words = [*given, f"seed={seed}", f"cv.fold={number}"]
    own = copy.deepcopy(config)
    own.cv.fold, own.seed = number, seed
    restart = find_restart(run, own, words)
    place = f"\nfold {number}  ({number + 1} of {n})"
    if restart.score is not None:
        print(f"{place}  has finished before", flush=True)
        return restart.score
    print(place, flush=True)
    with _job_of_fold(run, words), run_endings(is_sweep=True) as ending:
        ending.directory, ending.is_part = run, True
        _write_configuration(run, own, words)
        return job(own, run, words, restart)
    raise AssertionError("run_endings raises or returns")


def _write_configuration(run: RunDirectory, config: DictConfig, overrides: Sequence[str]) -> None:
    """Write what Hydra writes of a run."""
    if not is_first_process():
        return
    hydra = OmegaConf.masked_copy(HydraConfig.instance().cfg, ["hydra"])  # type: ignore[arg-type]
    contents = {run.config: config, run.hydra: hydra, run.overrides: OmegaConf.create(list(overrides))}
    for file, content in contents.items():
        with atomic_write(file) as unfinished:
            unfinished.write_text(OmegaConf.to_yaml(content), encoding="utf-8")


@contextmanager
def _job_of_fold(run: RunDirectory, overrides: Sequence[str]) -> Iterator[None]:
    """Let Hydra describe the job as that of a fold: so the processes that Lightning starts repeat the fold alone."""
    described = HydraConfig.instance()
    before = described.cfg
    own: Any = copy.deepcopy(before)  # Hydra's own type lacks the node that it has
    with read_write(own.hydra), open_dict(own.hydra):
        own.hydra.overrides.task = list(overrides)
        own.hydra.runtime.output_dir = str(run.path)
    described.cfg = own
    try:
        yield
    finally:
        described.cfg = before
