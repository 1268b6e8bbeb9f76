"""Run directories with other predictions than their training left."""

from pathlib import Path

import numpy as np

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed

PLOTS = ["roc", "pr", "confusion", "reliability", "scores", "epochs", "counts"]
TAGS = ("<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "</script>")
HOSTILE = (*TAGS, "[red]", "$5$", "_x", "", "&amp;")


def rewritten(source: Path, to: Path, classes: tuple[str, ...], n: int = 400, seed: int = 0) -> Path:
    """A run directory with other predictions: random logits for ``classes``."""
    from imbalance_lab.evaluation.predictions import Predictions

    rng = np.random.default_rng(seed)
    C = len(classes)
    for at, split in enumerate(("val", "test")):
        target = np.arange(n) % C
        logits = rng.normal(size=(n, C)).astype(np.float32)
        logits[np.arange(n), target] += 2
        Predictions.of(classes, np.arange(n) + at * n, target, logits).write(to / "predictions" / f"{split}.parquet")
    about = RunDirectory(source).read_metadata()
    about |= {"train_counts": [5 + c for c in range(C)], "train_prior": None}
    RunDirectory(to).write_metadata(about)
    evaluate_run(RunDirectory(to), composed())
    return to / "report.html"
