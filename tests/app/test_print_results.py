"""What a person reads after a run: at most a screen or two, whatever the number of classes and the width."""

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from imbalance_lab.app.evaluate import RunResults, print_results
from imbalance_lab.app.postprocessing import fit_postprocessing
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.set_coverage import score_sets
from imbalance_lab.report import terminal, threshold_table
from tests.conftest import composed


def results_of(n_classes: int, *options: str) -> RunResults:
    """Of a long tail in which the first 30 classes have enough positives for a threshold."""
    rng = np.random.default_rng(0)
    names = tuple(f"Larus argentatus subspecies {c:03d}" for c in range(n_classes))
    counts = [max(3, 900 // (c + 1)) for c in range(n_classes)]
    splits = []
    for _ in range(3):
        target = np.repeat(np.arange(n_classes), [max(1, count // 2) for count in counts])
        logits = (rng.normal(size=(len(target), n_classes)) + 3 * np.eye(n_classes)[target]).astype(np.float32)
        splits.append(Predictions.of(names, np.arange(len(target)), target, logits))
    val, test, calibration = splits
    postprocessor = fit_postprocessing(composed(*options), val, None, calibration)
    on_test = postprocessor.evaluate_on(test.logits, test.target)
    sets = score_sets(postprocessor, test)
    return RunResults(Evaluation(val, counts), Evaluation(test, counts), None, postprocessor, on_test, sets)


@pytest.fixture(scope="module")
def of_100() -> RunResults:
    return results_of(100, "conformal=class_conditional")


@pytest.fixture(scope="module")
def of_2() -> RunResults:
    return results_of(2)


def shown(
    results: RunResults, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    monkeypatch.setattr(terminal, "console", lambda: Console(width=width, force_terminal=True, color_system=None))
    print_results(results, "Test scores")
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_hundred_classes_take_a_few_screens_at_most_and_fit(
    of_100: RunResults, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threshold_table, "missing_threshold_lines", lambda *_: ["no threshold for 70 classes"])
    lines = shown(of_100, width, monkeypatch, capsys)
    assert max(map(cell_len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "the 15 rarest of 100 classes" in text
    assert "the 15 rarest classes that have a threshold" in text
    for file in ("classes", "operating_point", "prediction_sets"):
        assert f"more in tables/{file}.csv" in text
    first_set = next(at for at, line in enumerate(lines) if line.startswith("Prediction sets"))
    assert first_set <= 60
    assert len(lines) <= 100
    rows = [line for line in lines if line.startswith("Larus")]
    assert len(rows) == 3 * 15
    assert all("…" in row or " 0" in row for row in rows)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_binary_task_takes_less_than_twenty_lines(
    of_2: RunResults, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(of_2, width, monkeypatch, capsys)
    assert max(map(cell_len, lines)) <= width
    assert len(lines) < 20
    assert "macro" not in "\n".join(lines)
    names = [line.split("  ")[0] for line in lines if line.startswith("Larus")]
    assert [name[-3:] for name in names] == ["001"] * 2  # the rarer class: scores and threshold
