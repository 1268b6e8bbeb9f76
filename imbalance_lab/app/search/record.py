"""``study.json`` of a search: its trials in plain values, from which tables and pages are made without Optuna."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from imbalance_lab.app.distributed import config_flags
from imbalance_lab.app.search.shared_study import SharedStudy
from imbalance_lab.app.search.space import Space
from imbalance_lab.evaluation.study import STUDY
from imbalance_lab.files import write_json

FEWEST = 4
"""Trials below which importances would be noise."""


def write_record(study: SharedStudy, space: Space, *, is_over: bool = False) -> None:
    """Write what is known of a search; the importances only when it is over, because they take seconds."""
    options, trials = study.options, study.trials()
    program = ["python", sys.argv[0]] if sys.argv[0].endswith(".py") else [sys.argv[0]]
    flags = config_flags(space.config.hydra)
    content = {
        "study": options.study,
        "n_trials": options.n_trials,
        "sampler": _name(options.sampler),
        "pruner": None if options.pruner is None else _name(options.pruner),
        "objectives": [
            {"name": each.name, "direction": each.direction, "score": each.score} for each in options.objectives
        ],
        "space": space.dimensions,
        "command": [*program, *([] if flags == ["--config-name", "train"] else flags)],
        "trials": [_trial(each, space, options.directory) for each in trials],
        "importances": [_importances(trials, place) for place in range(len(options.objectives))] if is_over else [],
    }
    write_json(options.directory / STUDY, content)


def _name(node: Mapping[str, Any]) -> str:
    return str(node["_target_"]).rpartition(".")[2]


def _trial(trial: FrozenTrial, space: Space, directory: Path) -> dict[str, Any]:
    given = trial.user_attrs.get("given", {})
    run = Path(trial.user_attrs.get("directory", ""))
    steps = trial.intermediate_values
    last = max(steps, default=None)
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "values": list(trial.values) if trial.state == TrialState.COMPLETE else None,
        "given": given,
        "overrides": space.overrides(given) if given else [],
        "run": run.name if run.parent == directory else None,
        "epochs": last,
        "last": None if last is None else steps[last],
        "error": trial.user_attrs.get("error"),
    }


def _importances(trials: Sequence[FrozenTrial], objective: int) -> list[dict[str, Any]]:
    """How much of the variance of an objective each key explains, the largest share first.

    A key that only some trials have is judged among those, beside the keys that all of them have.
    """
    complete = [each for each in trials if each.state == TrialState.COMPLETE]
    keys = dict.fromkeys(key for each in complete for key in each.params)
    having = {key: [each for each in complete if key in each.params] for key in keys}
    found: dict[int, dict[str, float]] = {}  # keys of the same trials are judged once
    rows = []
    for key, own in having.items():
        group = hash(tuple(each.number for each in own))
        if group not in found:
            found[group] = _shares(own, objective)
        if key in found[group]:
            rows.append({"key": key, "share": found[group][key], "n": len(own)})
    return sorted(rows, key=lambda row: (-row["share"], row["key"]))


def _shares(trials: Sequence[FrozenTrial], objective: int) -> dict[str, float]:
    """The importances of the keys that all of the trials have; none if they do not vary or say nothing."""
    values = {each.values[objective] for each in trials}
    if len(trials) < FEWEST or len(values) < 2:
        return {}
    own = optuna.create_study(directions=["maximize"] * len(trials[0].values))
    own.add_trials(list(trials))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return optuna.importance.get_param_importances(own, target=lambda each: float(each.values[objective]))
        except (ValueError, RuntimeError):  # as of values that are all but equal
            return {}
