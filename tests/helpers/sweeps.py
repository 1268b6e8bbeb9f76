"""Finished runs with made-up predictions, as a sweep leaves them: of whatever settings, in milliseconds each."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory

CLASSES, COUNTS = ("common", "<b>rare</b>", "$x$"), (500, 50, 10)
HOSTILE = ("<i>2</i>", "=1+1", "a b=c", "", "$5$", "x" * 200, "&amp;\u202e", "</script><script>window.hit=1</script>")
"""Values of overrides and names of classes that no page may read as anything but text."""


def made_run(
    folder: Path,
    overrides: Sequence[str],
    *,
    skill: float,
    seed: int = 0,
    classes: Sequence[str] = CLASSES,
    counts: Sequence[int] = COUNTS,
    labels: bool = False,
    n: int = 300,
    first_index: int = 0,
    epochs: int = 3,
) -> Path:
    """The directory of a finished run; the higher the skill, the better the logits.

    Args:
        folder: of the run, which is made.
        overrides: of its command line.
        skill: how far the logit of the true class is above the others, in their standard deviations.
        seed: of the logits; the targets are the same of every run.
        classes, counts: names and training counts of the classes.
        labels: whether the task is multilabel.
        n: examples of each split.
        first_index: of the examples; runs with another one were tested on other examples.
        epochs: rows of `metrics.csv`.
    """
    rng, truth = np.random.default_rng(seed), np.random.default_rng(0)
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(json.dumps(list(overrides)))
    shares = np.sqrt(counts) / np.sqrt(counts).sum()
    scores: dict[str, Any] = {}
    for split in ("val", "test"):
        target = truth.choice(len(classes), n, p=shares)
        target[: len(classes)] = np.arange(len(classes))
        one_hot = np.eye(len(classes), dtype=np.int64)[target]
        if labels:
            one_hot = one_hot | (truth.random(one_hot.shape) < 0.1)
        logits = (rng.normal(size=one_hot.shape) + skill * one_hot).astype(np.float32)
        stored = Predictions.of(classes, np.arange(n) + first_index, one_hot if labels else target, logits)
        stored.write(folder / "predictions" / f"{split}.parquet")
        scores[split] = Evaluation(stored, counts).as_json()
    (folder / "metrics.json").write_text(json.dumps(scores))
    final = scores["val"]["auroc"]["value"]
    rows = [f"{epoch},{0.5 + (final - 0.5) * (epoch + 1) / epochs}" for epoch in range(epochs)]
    (folder / "metrics.csv").write_text("\n".join(["epoch,val/auroc/macro", *rows]) + "\n")
    return folder


def with_baselines(run: Path, seed: int = 5) -> Path:
    """Store baselines of the examples of a made run of two classes in it; they are functions of ``seed``."""
    directory, models = RunDirectory(run), []
    for key, skill in (("class_prior", 0), ("logistic_regression", 0.4), ("gradient_boosting", 1.2)):
        for split in ("val", "test"):
            own = directory.read_predictions(split)  # type: ignore[arg-type]
            noise = np.random.default_rng([seed, len(key), split == "val"]).normal(size=own.logits.shape)
            logits = (noise + skill * np.eye(2)[own.target]).astype(np.float32)
            if not skill:
                logits = np.tile(np.log(np.array([0.9, 0.1], np.float32)), (len(noise), 1))
            stored = Predictions(own.task, own.index, own.target, logits)
            stored.write(directory.baseline_predictions(key, split))  # type: ignore[arg-type]
        models.append({"key": key, "about": "made up"})
    scores = json.loads(directory.scores.read_text())
    directory.scores.write_text(json.dumps(scores | {"baselines": {"models": models}}))
    return run
