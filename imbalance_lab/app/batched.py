"""Runs the jobs of ``sweep=batched``: groups those that can be trained as one, and runs the others one by one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from imbalance_lab.app.stacked import differing_key, shared_settings, train_together
from imbalance_lab.app.sweep_jobs import config_of
from imbalance_lab.errors import UsageError
from imbalance_lab.text import visible
from imbalance_lab.validation import check_integer


@dataclass
class Job:
    """A job of the sweep.

    Args:
        number: in the sweep, from 0.
        config: what Hydra composed for it.
        settings: those in which jobs must agree to be trained as one, see `shared_settings`.
    """

    number: int
    config: DictConfig
    settings: str | None


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    overrides: Sequence[Sequence[str]],
    first: int,
    size: int,
) -> list[JobReturn]:
    """Run every job; return how each has ended, in their order.

    Args:
        context, task, config: what Hydra sets a launcher up with.
        overrides: of each job.
        first: the number of the first one.
        size: the most runs that are trained as one.

    Raises:
        UsageError: for a ``size`` that is no number of runs.
    """
    try:
        check_integer("sweep.size", size, minimum=2)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    setup_globals()
    Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    jobs = [_compose(context, config, list(words), first + place) for place, words in enumerate(overrides)]
    ended: dict[int, JobReturn] = {}
    for group in _groups(jobs, size):
        calls = [partial(_run, context, task, job) for job in group]
        results = [calls[0]()] if len(calls) == 1 else train_together(calls, group[0].config)
        ended |= dict(zip([job.number for job in group], results, strict=True))
    return [ended[job.number] for job in jobs]


def _compose(context: HydraContext, config: DictConfig, words: list[str], number: int) -> Job:
    composed = config_of(context, config, number, words, str(number))
    return Job(number, composed, shared_settings(composed))


def _run(context: HydraContext, task: TaskFunction, job: Job) -> JobReturn:
    return run_job(task, job.config, "hydra.sweep.dir", "hydra.sweep.subdir", context)


def _groups(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """The jobs that are trained as one, at most ``size`` each; says of a single one why it is alone."""
    alike: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        alike[f"job {job.number}" if job.settings is None else job.settings].append(job)
    largest = max(alike.values(), key=len, default=[])
    for group in alike.values():
        if len(group) == 1 and group is not largest and group[0].settings and largest[0].settings:
            reason = differing_key(group[0].settings, largest[0].settings)
            print(f"run {group[0].number} is trained alone: only it has {visible(reason)}", flush=True)
    return [group[start : start + size] for group in alike.values() for start in range(0, len(group), size)]
