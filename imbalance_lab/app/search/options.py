"""What the keys below ``sweep`` ask of a search, checked before anything is written."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler

from imbalance_lab.app.build import allowed_packages, instantiate_node
from imbalance_lab.app.search.objectives import Objective, read_objectives
from imbalance_lab.app.sweep_record import number_of_jobs
from imbalance_lab.errors import UsageError
from imbalance_lab.seeding import hash_seeds
from imbalance_lab.validation import MAX_SEED, check_integer, check_text, did_you_mean

DATABASE = "study.db"
"""The storage of a search that names none, in the directory of the sweep."""

OWN_STUDY = "search"
"""Its name there."""


@dataclass(frozen=True)
class SearchOptions:
    """The checked keys below ``sweep``.

    Args:
        n_trials: in total, with those of earlier and of other processes.
        jobs: trials at the same time.
        seed: of the sampler.
        objectives: what is searched for; several have a Pareto front.
        sampler, pruner: mappings with a ``_target_``; without a pruner None.
        directory: of the sweep.
        url, study: the storage, and the name of the study there.
        allow: packages that a ``_target_`` may name.
    """

    n_trials: int
    jobs: int
    seed: int
    objectives: Sequence[Objective]
    sampler: Mapping[str, Any]
    pruner: Mapping[str, Any] | None
    directory: Path
    url: str
    study: str
    allow: Sequence[str]

    def build_sampler(self, number: int) -> BaseSampler:
        """The sampler of a trial.

        Its seed is that of the search and the number of the trial, so that a search that was interrupted asks for the
        same trials as one that was not. Quasi-random points are a design over all trials: those have one seed.
        """
        own = hash_seeds(self.seed, number) >> 32  # NumPy's generators take 32 bits
        given: dict[str, Any] = {"seed": own, "constant_liar": self.jobs > 1}
        if self.sampler["_target_"].endswith(".QMCSampler"):
            given |= {"seed": self.seed >> 32 ^ self.seed & 0xFFFFFFFF, "independent_sampler": RandomSampler(own)}
        return cast(BaseSampler, build_part("sweep.sampler", self.sampler, BaseSampler, self.allow, given))

    def build_pruner(self) -> BasePruner:
        """The pruner; one that stops nothing if none was chosen."""
        if self.pruner is None:
            return optuna.pruners.NopPruner()
        return cast(BasePruner, build_part("sweep.pruner", self.pruner, BasePruner, self.allow, {}))


def read_options(config: DictConfig) -> SearchOptions:
    """Check the keys below ``sweep``.

    Raises:
        UsageError: naming the key, its value and the remedy.
    """
    given: Any = OmegaConf.to_container(config.sweep, resolve=True)
    try:
        check_integer("sweep.n_trials", given["n_trials"], minimum=1)
        check_integer("sweep.seed", given["seed"], minimum=0, maximum=MAX_SEED)
        for key in ("storage", "study"):
            if given[key] is not None:
                check_text(f"sweep.{key}", given[key])
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    objectives = read_objectives(config, given["objectives"])
    if given["storage"] is not None and given["study"] is None:
        raise UsageError("sweep.storage may hold many studies: name this one with sweep.study=NAME")
    directory = Path(config.hydra.sweep.dir).absolute()
    options = SearchOptions(
        n_trials=given["n_trials"],
        jobs=number_of_jobs(given["jobs"], os.cpu_count() or 1),
        seed=given["seed"],
        objectives=objectives,
        sampler=_node("sweep.sampler", given["sampler"], optuna.samplers, "Sampler"),
        pruner=None if given["pruner"] is None else _node("sweep.pruner", given["pruner"], optuna.pruners, "Pruner"),
        directory=directory,
        url=given["storage"] or f"sqlite:///{directory / DATABASE}",
        study=given["study"] or OWN_STUDY,
        allow=allowed_packages(config),
    )
    if options.pruner is not None and len(objectives) > 1:
        raise UsageError("sweep.pruner stops trials by one score: leave it out, or search for one objective")
    if options.pruner is not None and OmegaConf.select(config, "cv.folds") is not None:
        raise UsageError("sweep.pruner stops single trainings, and cv trains one for each fold: leave one of them out")
    _check_parts(options)
    return options


def _check_parts(options: SearchOptions) -> None:
    if isinstance(options.build_sampler(0), QMCSampler) and options.seed > 0xFFFFFFFF:
        raise UsageError(f"sweep.seed={options.seed} is too large for this sampler: choose one below {1 << 32}")
    options.build_pruner()


def _node(key: str, given: object, module: ModuleType, suffix: str) -> dict[str, Any]:
    """A mapping with the ``_target_`` that was given, or that the name stands for: "tpe" or "TPESampler"."""
    if isinstance(given, Mapping) and isinstance(given.get("_target_"), str):
        if "seed" in given:
            raise UsageError(f"{key}.seed is that of every single trial: give sweep.seed instead")
        return dict(given)
    names = {
        name.removesuffix(suffix).lower(): name
        for name in module.__all__
        if name.endswith(suffix) and not name.startswith("Base")
    }
    name = str(given).removesuffix(suffix).lower()
    if name not in names:
        near, known = did_you_mean(name, names), ", ".join(sorted(names))
        raise UsageError(f"{key}={given} is not one of Optuna's{near} ({known}, or a mapping with its _target_)")
    return {"_target_": f"{module.__name__}.{names[name]}"}


def build_part(
    key: str, node: Mapping[str, Any], kind: type, allow: Sequence[str], available: Mapping[str, Any]
) -> object:
    """A sampler or a pruner from its ``_target_`` and arguments.

    Raises:
        UsageError: for what its constructor refuses, and for a class of another kind.
    """
    built = instantiate_node(key, OmegaConf.create(dict(node)), [*allow, "optuna"], **available)
    if not isinstance(built, kind):
        raise UsageError(f"{key}: {node['_target_']} is not a {kind.__name__} of Optuna")
    return built
