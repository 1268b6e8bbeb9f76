"""The study of a search, read from the file that the search has left in the directory of its sweep."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imbalance_lab.evaluation.stored_files import read_json, reading
from imbalance_lab.validation import check_choice, check_integer, check_list, check_number, check_text

STUDY = "study.json"
"""The file in the directory of a sweep."""

State = Literal["complete", "pruned", "fail", "running", "waiting"]
STATES = ("complete", "pruned", "fail", "running", "waiting")


@dataclass(frozen=True)
class StudyTrial:
    """One trial of a search.

    Args:
        number: from 0 on, also the name of the directory of its run.
        state: "complete", "pruned", "fail", "running" or "waiting" to go on.
        values: of the objectives, if it is complete.
        given: its settings by key, as the command line has them.
        overrides: of its command line, the fixed ones first.
        run: the name of the directory of its run; None for a run elsewhere.
        epochs: for which a score was reported to the pruner.
        last: the last of those scores.
        error: why it failed.
    """

    number: int
    state: State
    values: tuple[float, ...]
    given: Mapping[str, str]
    overrides: tuple[str, ...]
    run: str | None
    epochs: int | None
    last: float | None
    error: str | None


@dataclass(frozen=True)
class StudyObjective:
    """A score that is searched for; ``score`` is its key in `metrics.json`, None for the loss."""

    name: str
    is_lower_better: bool
    score: str | None


@dataclass(frozen=True)
class Importance:
    """The share of the variance of an objective that a key explains, among the ``n`` trials that have it."""

    key: str
    share: float
    n: int


@dataclass(frozen=True)
class Study:
    """A search.

    Args:
        name: of the study.
        n_trials: that it was to have in total.
        sampler, pruner: names of their classes.
        objectives: at least one.
        space: the values that each key may have, as the command line has them.
        command: the program, and the flags that choose its configuration.
        trials: by number.
        importances: of each objective; empty while the search runs.
    """

    name: str
    n_trials: int
    sampler: str
    pruner: str | None
    objectives: tuple[StudyObjective, ...]
    space: Mapping[str, str]
    command: tuple[str, ...]
    trials: tuple[StudyTrial, ...]
    importances: tuple[tuple[Importance, ...], ...]

    @property
    def complete(self) -> list[StudyTrial]:
        """The trials with values."""
        return [each for each in self.trials if each.state == "complete"]

    def count(self, state: State) -> int:
        """The number of trials in a state."""
        return sum(each.state == state for each in self.trials)

    @property
    def front(self) -> list[StudyTrial]:
        """The complete trials that no other beats in one objective without losing in another, the best first.

        Of one objective the best trial, or the best ones, if several are equal.
        """
        costs = {each.number: self._costs(each) for each in self.complete}
        best = [a for a in self.complete if not any(_dominates(b, costs[a.number]) for b in costs.values())]
        return sorted(best, key=lambda each: (costs[each.number], each.number))

    def best_so_far(self, objective: int = 0) -> list[float | None]:
        """After each trial, in their order, the best value of an objective; None before the first complete one."""
        best: float | None = None
        found: list[float | None] = []
        choose = min if self.objectives[objective].is_lower_better else max
        for each in self.trials:
            if each.state == "complete":
                value = each.values[objective]
                best = value if best is None else choose(best, value)
            found.append(best)
        return found

    def _costs(self, trial: StudyTrial) -> tuple[float, ...]:
        """The values of a trial, the lower the better."""
        pairs = zip(trial.values, self.objectives, strict=True)
        return tuple(value if objective.is_lower_better else -value for value, objective in pairs)


def _dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def read_study(directory: Path) -> Study | None:
    """The study of the search in a directory; None for one without.

    Raises:
        UsageError: if its file is damaged.
    """
    path = directory / STUDY
    if not path.is_file():
        return None
    with reading(path, "run the search again with the same command, which writes it anew"):
        content = read_json(path)
        objectives = tuple(_objective(each) for each in check_list("objectives", content["objectives"]))
        if not objectives:
            raise ValueError("objectives is empty")
        trials = [_trial(each, len(objectives)) for each in check_list("trials", content["trials"])]
        return Study(
            name=check_text("study", content["study"]),
            n_trials=check_integer("n_trials", content["n_trials"], minimum=1),
            sampler=check_text("sampler", content["sampler"]),
            pruner=None if content["pruner"] is None else check_text("pruner", content["pruner"]),
            objectives=objectives,
            space=_texts("space", content["space"]),
            command=tuple(check_text("command", each) for each in check_list("command", content["command"])),
            trials=tuple(sorted(trials, key=lambda each: each.number)),
            importances=tuple(
                tuple(_importance(row) for row in check_list("importances", rows))
                for rows in check_list("importances", content["importances"])
            ),
        )


def _objective(content: Any) -> StudyObjective:
    direction = check_choice("direction", content["direction"], ("maximize", "minimize"))
    score = None if content["score"] is None else check_text("score", content["score"])
    return StudyObjective(check_text("name", content["name"]), direction == "minimize", score)


def _trial(content: Any, n_objectives: int) -> StudyTrial:
    state: Any = check_choice("state", content["state"], STATES)
    values = check_list("values", content["values"], n_objectives) if state == "complete" else []
    epochs, last = content["epochs"], content["last"]
    return StudyTrial(
        number=check_integer("number", content["number"], minimum=0),
        state=state,
        values=tuple(check_number("values", each) for each in values),
        given=_texts("given", content["given"]),
        overrides=tuple(map(str, check_list("overrides", content["overrides"]))),
        run=None if content["run"] is None else check_text("run", content["run"]),
        epochs=None if epochs is None else check_integer("epochs", epochs, minimum=0),
        last=None if last is None or math.isnan(last) else check_number("last", last),
        error=None if content["error"] is None else str(content["error"]),
    )


def _importance(content: Any) -> Importance:
    share = check_number("share", content["share"], minimum=0, maximum=1.000001)
    return Importance(check_text("key", content["key"]), share, check_integer("n", content["n"], minimum=0))


def _texts(name: str, content: Any) -> dict[str, str]:
    if not isinstance(content, Mapping):
        raise TypeError(f"{name} must be a mapping, got {content!r}")
    return {str(key): str(value) for key, value in content.items()}
