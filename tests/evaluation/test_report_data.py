"""The data of the report: complete, whatever a page has room for."""

import csv
from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.evaluation.distributions import reliability_bins, score_histograms
from imbalance_lab.evaluation.epoch_history import EpochHistory
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.mistakes import read_mistakes
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.report_data import ReportData, RunRecord, compute_report_data
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_title import RunTitle
from imbalance_lab.posthoc import fit_postprocessor
from imbalance_lab.posthoc.heuristic import MaxF1
from imbalance_lab.report.page import build_payload
from imbalance_lab.report.tables import write_tables

C = 60
CLASSES = tuple(f"class {c}" for c in range(C))
METADATA = {"command": "python train.py", "seed": 0, "checkpoint": "c.ckpt", "versions": {"imbalance-lab": "1"}}


def predictions(n: int, seed: int, absent: int | None = None) -> Predictions:
    rng = np.random.default_rng(seed)
    target = np.arange(n) % C
    target[target == absent] = 0
    logits = (rng.normal(size=(n, C)) + 2 * np.eye(C)[target]).astype(np.float32)
    return Predictions.of(CLASSES, np.arange(n), target, logits)


@pytest.fixture(scope="module")
def data() -> ReportData:
    """Sixty classes, the last of them the rarest; class 7 has no test example."""
    counts = [1000 - 10 * c for c in range(C)]
    val, test = Evaluation(predictions(1200, 0), counts), Evaluation(predictions(1200, 1, absent=7), counts)
    fitted = fit_postprocessor(val.predictions.logits, val.predictions.target, CLASSES, MaxF1(), train_prior=None)
    return compute_report_data(RunRecord("run", METADATA), val, test, fitted)


def test_every_class_is_in_the_data(data: ReportData) -> None:
    assert [each.class_index for each in data.reliability] == [None, *range(C)]
    assert [each.class_index for each in data.histograms] == list(range(C))
    assert [each.class_index for each in data.operating_point.thresholds] == list(range(C))
    assert data.rarest_ranked == [c for c in reversed(range(C)) if c != 7]
    for each, positives in zip(data.histograms, data.counts["test"], strict=True):
        assert (sum(each.positive), sum(each.negative)) == (positives, 1200 - positives)
    assert all(sum(each.n for each in curve.bins) == 1200 for curve in data.reliability)


def test_tables_hold_all_classes_and_the_page_says_what_it_leaves_out(data: ReportData, tmp_path: Path) -> None:
    scores = {"val": data.val.as_json(), "test": data.test.as_json(), "test_adjusted": None}
    write_tables(tmp_path, scores, data)
    for name in ("reliability", "histograms", "operating_point"):
        with (tmp_path / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert {row["class"] for row in rows} - {""} == set(CLASSES), name
    payload = build_payload(data)
    assert [each["class"] for each in payload["curves"]] == data.rarest_ranked[:40]
    assert payload["curves_note"] == "The 40 rarest of 59 classes are shown."
    assert payload["confusion"]["note"] == "The 40 most confused of 60 classes."
    assert len(payload["classes"]) == len(payload["point"]["rows"]) == C


def test_reliability_bins_hold_equally_many_examples() -> None:
    p = np.linspace(0.05, 0.95, 100)
    bins = reliability_bins(p, p > 0.5)
    assert [each.n for each in bins] == [10] * 10
    assert [each.positive_share for each in bins] == [0] * 5 + [1] * 5
    assert [each.mean_probability for each in bins] == pytest.approx(p.reshape(10, 10).mean(1))


def test_equal_probabilities_stay_in_one_bin() -> None:
    (only,) = reliability_bins(np.full(50, 0.2), np.arange(50) < 10)
    assert (only.n, only.mean_probability, only.positive_share) == (50, pytest.approx(0.2), 0.2)
    assert only.interval[0] < 0.2 < only.interval[1]


def test_outlying_negatives_are_counted_in_the_last_bin_and_no_positive_is_an_outlier(data: ReportData) -> None:
    scores = np.zeros((5000, C), np.float32)
    scores[:, 0] = np.linspace(0, 1, 5000)
    scores[0, 0], scores[1, 0] = 50, 20
    positive = np.zeros((5000, C), bool)
    positive[1, 0] = True
    fitted = fit_postprocessor(
        data.val.predictions.logits, data.val.predictions.target, CLASSES, MaxF1(), train_prior=None
    )
    first = score_histograms(scores, positive, fitted)[0]
    assert first.edges[-1] == pytest.approx(20)
    assert (first.positive[-1], first.negative[-1]) == (1, 1)


def test_epochs_count_from_one_and_undefined_is_none() -> None:
    rows = [
        {"epoch": "0", "val/auroc/macro": "0.6", "val/loss": "nan", "train/loss": ""},
        {"epoch": "0", "val/auroc/macro": "", "val/loss": "3", "train/loss": "2"},
        {"epoch": "1", "val/auroc/macro": "0.7", "val/loss": "1", "train/loss": "2"},
    ]
    history = EpochHistory.from_rows(rows)
    assert history == EpochHistory((1, 2), (0.6, 0.7), (None, 1.0), (None, 2.0), best=1)
    unvalidated = EpochHistory.from_rows(rows[1:2])
    assert unvalidated == EpochHistory((1,), (None,), (3.0,), (2.0,), best=0)
    assert EpochHistory.from_rows([{"epoch": "0", "val/auroc/macro": "", "train/loss": ""}]) is None


def test_a_run_record_reads_what_training_left_and_not_the_scores(finished_run: Path, tmp_path: Path) -> None:
    record = RunRecord.read(RunDirectory(finished_run), METADATA, read_mistakes(RunDirectory(finished_run).mistakes))
    assert record.epochs is not None
    assert len(record.epochs.epoch) == 3
    assert len(record.mistakes) > 0
    assert RunRecord.read(
        RunDirectory(tmp_path), METADATA, read_mistakes(RunDirectory(tmp_path).mistakes)
    ) == RunRecord(tmp_path.name, METADATA, title=RunTitle((), ()))
