"""Finished cross-validations with made-up predictions, as their folds leave them, joined."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imbalance_lab.data.folds import deal
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.join_folds import JoinedFolds, join_folds
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.posthoc import Calibration, PostProcessor

CLASSES, COUNTS = ("common", "rare"), (200, 40)
PLAIN = PostProcessor(CLASSES, Calibration("softmax", 1.0, (0.0, 0.0), None), None, ["none was asked for"] * 2)


def made_cross_validation(
    folder: Path,
    overrides: Sequence[str],
    *,
    skill: float,
    seed: int = 0,
    folds: int = 4,
    repeats: int = 1,
    scales: Sequence[float] = (1,),
    without_positives: bool = False,
) -> JoinedFolds:
    """The directory of a cross-validation of 240 examples; the higher the skill, the better.

    Args:
        folder: is made.
        overrides: of its command line.
        skill: how far the logits of the classes are apart.
        seed: of the logits; examples and folds are the same of every run.
        folds, repeats: of the cross-validation.
        scales: of the logits of the folds, in turn: no fold's scores are on the scale of another's.
        without_positives: whether fold 0 tests none of the rare class.
    """
    target = np.repeat([0, 1], COUNTS)
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(json.dumps(list(overrides)))
    for number in range(folds * repeats):
        run = RunDirectory(RunDirectory(folder).fold(number))
        part = deal(target, folds, number // folds)
        if without_positives:
            part[(part == 0) & (target == 1)] = 1
        rng = np.random.default_rng([seed, number])
        scores = {}
        for split in ("val", "test"):
            index = np.flatnonzero(part == number % folds)
            truth = target[index] if split == "test" else np.repeat([0, 1], (20, 10))
            index = index if split == "test" else np.arange(30)
            z = (rng.normal(size=len(index)) + skill * truth) * scales[number % len(scales)]
            logits = np.stack([np.zeros(len(z)), z], 1).astype(np.float32)
            stored = Predictions.of(CLASSES, index, truth, logits)
            stored.write(run.predictions(split), PLAIN)
            scores[split] = Evaluation(stored, COUNTS).as_json()
        run.write_scores(scores | {"selected_on": "val", "positive": "rare"})
        examples = {"train": 150, "val": 30, "test": len(index)}
        run.write_metadata(
            {
                "command": "python train.py",
                "checkpoint": "checkpoints/best.ckpt",
                "seed": number,
                "train_counts": list(COUNTS),
                "train_prior": None,
                "versions": {"imbalance-lab": "0"},
                "examples": examples,
            }
        )
    return join_folds(RunDirectory(folder), folds, repeats)
