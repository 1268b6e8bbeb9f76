from dataclasses import replace

import numpy as np
import pytest
from image_benchmark.methods import CROSS_ENTROPY, LOGIT_ADJUSTMENT, Method
from image_benchmark.results import ImageResult
from image_benchmark.stored_run import StoredRun
from image_benchmark.studies import Gate, ImageSet

from imbalance_lab.evaluation.predictions import Predictions


def stored(seed=0, shift=0.0, n=200):
    """A run of three classes, the first one frequent; ``shift`` makes it better."""
    rng = np.random.default_rng(seed)
    parts = []
    for first in (0, n):
        target = rng.integers(0, 3, n)
        logits = rng.normal(size=(n, 3)) + np.log([0.7, 0.2, 0.1])
        logits[np.arange(n), target] += 1 + shift
        parts.append(Predictions.of(["a", "b", "c"], np.arange(first, first + n), target, logits.astype(np.float32)))
    return StoredRun(*parts, (0.7, 0.2, 0.1), (700, 200, 10), 1)


class Recorder:
    """Stands for training: notes the command lines, and gives a run that depends on their seed."""

    def __init__(self):
        self.seeds = []

    def __call__(self, overrides):
        words = dict(word.lstrip("+").split("=", 1) for word in overrides)
        self.seeds.append(int(words["seed"]))
        return stored(int(words["seed"]), shift=float(words.get("loss.gamma", 0)))


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def image_set(recorder):
    """Two baselines and a method whose higher γ is better."""
    methods = (
        Method(CROSS_ENTROPY, "loss=cross_entropy", train=recorder),
        Method(LOGIT_ADJUSTMENT, "loss=cross_entropy prior_correction=logit_adjustment", of=CROSS_ENTROPY),
        Method("focal", "loss=focal", ("loss.gamma=1", "loss.gamma=3"), train=recorder),
    )
    return ImageSet(
        "tiny",
        "Tiny",
        "Nothing.",
        ("data=digits_lt", "data.subset_seed={seed}", "max_epochs=1"),
        methods,
        "balanced_accuracy",
        ("accuracy", "balanced_accuracy", "recall_few", "log_loss"),
        (("balanced_accuracy", CROSS_ENTROPY), ("balanced_accuracy", LOGIT_ADJUSTMENT)),
        LOGIT_ADJUSTMENT,
        (Gate("CE at least 50 %", CROSS_ENTROPY, 0.5), Gate("best at least 90 %", None, 0.9)),
    )


RESULT = ImageResult("tiny", CROSS_ENTROPY, "", 0, {}, {}, 60.0, 1, ["seed=0"], "c0ffee", "a machine")


@pytest.fixture
def result():
    def make(method, seed, score, variant="", val=None, **more):
        both = {"balanced_accuracy": score, "accuracy": score, "log_loss": 1 - score}
        val = {"balanced_accuracy": score if val is None else val}
        return replace(RESULT, method=method, variant=variant, seed=seed, test=both | more, val=val)

    return make
