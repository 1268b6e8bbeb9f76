"""Searches that have ended, with made-up trials: a directory of runs and a study, without Optuna."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.study import STUDY, Study, read_study
from tests.helpers.sweeps import made_run


def study_content(n: int = 8, n_objectives: int = 1, seed: int = 0, error: str = "out of memory") -> dict[str, Any]:
    """What the file of a study holds: every fifth trial is pruned, every ninth has failed."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n):
        loss, gamma, lr = ("focal", "ldam")[rng.integers(2)], 5 * rng.random(), 10 ** rng.uniform(-5, -1)
        given = {"loss": loss, **({"loss.gamma": repr(gamma)} if loss == "focal" else {}), "optimizer.lr": repr(lr)}
        score = 0.9 - abs(gamma - 3) / 20 - abs(np.log10(lr) + 3) / 30
        state = "pruned" if number % 5 == 3 else "fail" if number % 9 == 7 else "complete"
        trials.append(
            {
                "number": number,
                "state": state,
                "values": [score, 0.02 + gamma / 50][:n_objectives] if state == "complete" else None,
                "given": given,
                "overrides": ["max_epochs=5", *(f"{key}={text}" for key, text in given.items())],
                "run": str(number),
                "epochs": 2 if state == "pruned" else 5,
                "last": score - 0.05 if state == "pruned" else score,
                "error": error if state == "fail" else None,
            }
        )
    objectives = [
        {"name": "auroc", "direction": "maximize", "score": "auroc"},
        {"name": "calibration_error", "direction": "minimize", "score": "calibration_error"},
    ]
    rows = [{"key": "optimizer.lr", "share": 0.71, "n": n}, {"key": "loss", "share": 0.29, "n": n}]
    return {
        "study": "search",
        "n_trials": n,
        "sampler": "TPESampler",
        "pruner": "MedianPruner" if n_objectives == 1 else None,
        "objectives": objectives[:n_objectives],
        "space": {"loss": "choice(focal,ldam)", "loss.gamma": "interval(0,5)", "optimizer.lr": "tag(log,…)"},
        "command": ["python", "train.py"],
        "trials": trials,
        "importances": [[*rows, {"key": "loss.gamma", "share": 0.4, "n": n // 2}]] * n_objectives,
    }


def made_study(folder: Path, n: int = 8, n_objectives: int = 1, **given: Any) -> Study:
    """A directory with the runs of a search, and the file of its study."""
    folder.mkdir(parents=True, exist_ok=True)
    content = study_content(n, n_objectives, **given)
    for trial in content["trials"]:
        run = folder / trial["run"]
        if trial["state"] == "complete":
            made_run(run, trial["overrides"], skill=3 * (trial["values"][0] - 0.3), seed=trial["number"], n=120)
            continue
        (run / ".hydra").mkdir(parents=True)
        (run / ".hydra" / "overrides.yaml").write_text(json.dumps(trial["overrides"]))
        state = {"fail": "failed"}.get(trial["state"], trial["state"])
        error = trial["error"] or "pruned after epoch 2 of 5, val/auroc/macro 0.8123"
        RunDirectory(run).write_status({"state": state, "error": error})
    (folder / STUDY).write_text(json.dumps(content))
    study = read_study(folder)
    assert study is not None
    return study


def write_study(folder: Path, n: int, n_objectives: int = 1) -> None:
    """The file of a study whose runs may be elsewhere."""
    (folder / STUDY).write_text(json.dumps(study_content(n, n_objectives)))
