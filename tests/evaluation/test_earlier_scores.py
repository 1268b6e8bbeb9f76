"""Runs of an earlier release stored the Brier score of two classes in another form, and no log loss."""

import json
from pathlib import Path

import pytest

from imbalance_lab.evaluation.sweep import read_run
from tests.helpers.sweeps import made_run


def as_earlier(run: Path, factor: float = 2) -> dict[str, float]:
    """Make a run look like one of an earlier release; returns today's scores of it."""
    file = run / "metrics.json"
    scores = json.loads(file.read_text())
    today = {
        f"{split}.{name}": scores[split][name] for split in ("val", "test") for name in ("log_loss", "brier_score")
    }
    for split in ("val", "test"):
        del scores[split]["log_loss"]
        scores[split]["brier_score"] *= factor
    file.write_text(json.dumps(scores))
    return today


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_they_are_computed_again_from_the_predictions(tmp_path: Path, classes: tuple[str, ...]) -> None:
    run = made_run(tmp_path / "run", [], skill=1, classes=classes, counts=(90, 10, 5)[: len(classes)])
    today = as_earlier(run)
    found = read_run(run)
    for split in ("val", "test"):
        for name in ("log_loss", "brier_score"):
            score = found.score(split, name)
            assert score is not None
            assert score.value == pytest.approx(today[f"{split}.{name}"])
    assert found.score("test", "auroc") is not None


def test_without_predictions_there_is_no_score_rather_than_another(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", [], skill=1, classes=("a", "b"), counts=(90, 10))
    as_earlier(run)
    (run / "predictions" / "test.parquet").unlink()
    found = read_run(run)
    assert found.score("test", "brier_score") is None
    assert found.score("val", "brier_score") is not None
