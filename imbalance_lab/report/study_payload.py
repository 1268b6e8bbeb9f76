"""The study of a search as plain values, for the section of the comparison page."""

from typing import Any

from imbalance_lab.evaluation.study import Study, StudyTrial
from imbalance_lab.report.study_texts import objective_name, study_commands, study_lines
from imbalance_lab.text import visible


def study_payload(study: Study | None) -> dict[str, Any] | None:
    """What the script of the page draws: the trials, the best values so far, the importances, the Pareto front."""
    if study is None or not study.trials:
        return None
    return {
        "objectives": [
            {"title": visible(objective_name(each)), "lower_is_better": each.is_lower_better}
            for each in study.objectives
        ],
        "keys": [visible(key) for key in study.space],
        "trials": [_trial(each, study) for each in study.trials],
        "best_so_far": [study.best_so_far(place) for place in range(len(study.objectives))],
        "importances": [
            [{"key": visible(each.key), "share": each.share, "n": each.n} for each in rows]
            for rows in study.importances
        ],
        "commands": [visible(each) for each in study_commands(study)],
    }


def study_note(study: Study | None) -> str:
    """The sentences above the plots; empty without a study."""
    return "" if study is None else " ".join(study_lines(study))


def _trial(trial: StudyTrial, study: Study) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": {"fail": "failed"}.get(trial.state, trial.state),
        "values": list(trial.values) or None,
        "given": [visible(trial.given.get(key, "")) for key in study.space],
        "epochs": trial.epochs,
        "last": trial.last,
        "error": None if trial.error is None else visible(trial.error),
        "is_best": trial.number in {each.number for each in study.front},
    }
