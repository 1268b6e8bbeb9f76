"""What a search has found, in sentences for the terminal and the page."""

from collections.abc import Sequence

from imbalance_lab.evaluation.score_keys import heading
from imbalance_lab.evaluation.study import Study, StudyObjective, StudyTrial
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.text import shell_words, visible

MAX_LISTED = 5
"""Trials that a line lists at most."""


def study_summary(study: Study) -> str:
    """What was searched, and how the trials have ended."""
    names = " and ".join(f"the {better(each)} {objective_name(each)}" for each in study.objectives)
    states = [("complete", "complete"), ("pruned", "pruned"), ("fail", "failed"), ("running", "running")]
    counts = [(study.count(state), word) for state, word in states]  # type: ignore[arg-type]
    waiting = study.n_trials - sum(count for count, _ in counts)
    parts = [f"{count} {word}" for count, word in [*counts, (waiting, "still to run")] if count > 0]
    pruner = "" if study.pruner is None else f", {study.pruner}"
    return visible(
        f"Search for {names} on validation ({study.sampler}{pruner}): {study.n_trials} trials, {', '.join(parts)}."
    )


def study_lines(study: Study) -> list[str]:
    """What the search has found: the best trial or the Pareto front, and which keys matter."""
    front = study.front
    if not front:
        return [study_summary(study)]
    lines = [study_summary(study), visible(_best(study, front))]
    return lines + [visible(line) for line in _importances(study)]


def study_commands(study: Study) -> list[str]:
    """The command line of the best trial, or of the trials of the Pareto front, to copy into a shell."""
    return [
        shell_words(*study.command, *each.overrides) for each in study.front[: 1 if _is_single(study) else MAX_LISTED]
    ]


def pruned_line(runs: Sequence[Run]) -> str | None:
    """Which runs were pruned, and where; None if none was."""
    pruned = sorted((run for run in runs if run.is_pruned), key=lambda run: natural(run.name))
    if not pruned:
        return None
    listed = ", ".join(f"{run.name} ({run.state.removeprefix('pruned ')})" for run in pruned[:MAX_LISTED])
    more = f" and {len(pruned) - MAX_LISTED} more" if len(pruned) > MAX_LISTED else ""
    return visible(f"Pruned, and so without scores: {'run' if len(pruned) == 1 else 'runs'} {listed}{more}.")


def natural(name: str) -> tuple[int, str]:
    """A key that sorts the names of runs: numbers by their value."""
    return (int(name), "") if name.isdecimal() else (-1, name)


def objective_name(objective: StudyObjective) -> str:
    """What an objective is called in a sentence: "AUROC", "loss"."""
    return objective.name.removeprefix("val/") if objective.score is None else heading(objective.score)


def better(objective: StudyObjective) -> str:
    """Which values of an objective are better."""
    return "lowest" if objective.is_lower_better else "highest"


def _is_single(study: Study) -> bool:
    return len(study.objectives) == 1


def _best(study: Study, front: Sequence[StudyTrial]) -> str:
    n = study.count("complete")
    if not _is_single(study):
        listed = "; ".join(f"trial {each.number}: {_values(study, each)}" for each in front[:MAX_LISTED])
        more = f"; and {len(front) - MAX_LISTED} more" if len(front) > MAX_LISTED else ""
        return f"Pareto front of {len(front)} of {n} complete trials: {listed}{more}."
    price = f", which as the best of {n} is optimistic: judge it by its test scores" if n > 1 else ""
    return f"Best trial {front[0].number}: {_values(study, front[0])} on validation{price}."


def _values(study: Study, trial: StudyTrial) -> str:
    pairs = zip(study.objectives, trial.values, strict=True)
    return ", ".join(f"{objective_name(objective)} {value:.4f}" for objective, value in pairs)


def _importances(study: Study) -> list[str]:
    lines = []
    n = study.count("complete")
    for objective, rows in zip(study.objectives, study.importances, strict=False):
        if rows:
            among = [f"{each.key} {each.share:.2f}" + f" (in {each.n} trials)" * (each.n < n) for each in rows]
            lines.append(f"What {objective_name(objective)} depends on (importance): {', '.join(among)}.")
    return lines
