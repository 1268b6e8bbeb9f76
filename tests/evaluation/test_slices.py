"""Slices against SciPy, hand-computed values and simulations with known truth."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.score_slices import score_slices
from imbalance_lab.evaluation.slice_tests import (
    ExactTest,
    beta_prior_strength,
    detectable_share,
    fisher_exact_test,
    shrunken_share,
    tarone_holm,
)
from imbalance_lab.evaluation.slice_values import MAX_VALUES, slice_values
from imbalance_lab.evaluation.stored_slices import read_slices, write_slices
from imbalance_lab.posthoc import Calibration, PostProcessor, Threshold
from imbalance_lab.task import Task

RNG_SEED = 16
SHARES = ([0.6, 0.4], [0.35, 0.25, 0.2, 0.15, 0.05], [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.04, 0.01])


def test_the_exact_test_is_scipys_and_its_smallest_p_is_that_of_the_most_extreme_table() -> None:
    rng = np.random.default_rng(RNG_SEED)
    for _ in range(200):
        n, elsewhere = rng.integers(1, 40, 2).tolist()
        tp, other = int(rng.integers(0, n + 1)), int(rng.integers(0, elsewhere + 1))
        found = fisher_exact_test(tp, n, other, elsewhere)
        assert found.p == pytest.approx(stats.fisher_exact([[tp, n - tp], [other, elsewhere - other]])[1], rel=1e-9)
        total = tp + other
        every = [
            fisher_exact_test(k, n, total - k, elsewhere).p for k in range(max(0, total - elsewhere), min(n, total) + 1)
        ]
        assert found.smallest_p == pytest.approx(min(every))


def test_tests_that_cannot_reject_do_not_cost_the_others() -> None:
    tests = [ExactTest(0.01, 0.0001), ExactTest(0.04, 0.001), *[ExactTest(1.0, 0.3)] * 20]
    adjusted = tarone_holm(tests)
    assert adjusted.n_tests == 2
    assert adjusted.p == (pytest.approx(0.02), pytest.approx(0.04), *[None] * 20)
    borderline = [ExactTest(0.03, 0.03)] * 2  # of two tests neither can reach 0.025, so neither counts with K = 2
    assert tarone_holm(borderline).n_tests == 0
    assert tarone_holm([]).p == ()


def test_the_prior_is_recovered_and_no_variation_draws_all_the_way() -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth, sizes = rng.beta(20 * 0.8, 20 * 0.2, 3000), rng.integers(5, 80, 3000)
    found = rng.binomial(sizes, truth)
    assert beta_prior_strength([(found.tolist(), sizes.tolist())]) == pytest.approx(20, rel=0.12)
    assert beta_prior_strength([([8, 16], [10, 20])]) is None
    assert beta_prior_strength([([10, 20], [10, 20]), ([0], [0])]) is None
    assert shrunken_share(3, 10, 0.8, None) == 0.8
    assert shrunken_share(3, 10, 0.8, 10) == pytest.approx((3 + 8) / 20)
    assert shrunken_share(0, 0, 0.8, 5) == pytest.approx(0.8)


def test_shrunken_recalls_err_less_than_raw_ones() -> None:
    rng = np.random.default_rng(RNG_SEED)
    raw, shrunken = [], []
    for _ in range(200):
        truth, sizes = rng.beta(17, 3, 8), rng.integers(5, 60, 8)
        found = rng.binomial(sizes, truth)
        strength = beta_prior_strength([(found.tolist(), sizes.tolist())])
        overall = float(found.sum() / sizes.sum())
        estimates = [shrunken_share(int(tp), int(n), overall, strength) for tp, n in zip(found, sizes, strict=True)]
        raw.append(np.mean((found / sizes - truth) ** 2))
        shrunken.append(np.mean((np.array(estimates) - truth) ** 2))
    assert np.mean(shrunken) < 0.85 * np.mean(raw)


def simulated_p(rng: np.random.Generator, planted: int, recall: float) -> tuple[list[float | None], float]:
    """Adjusted p of 15 slices of 250 positives found with 0.85, and the raw recall of slice 2, which is planted."""
    values = [rng.choice(len(shares), 250, p=shares) for shares in SHARES]
    rate = np.full(250, 0.85)
    if planted:
        values[1] = np.where(np.arange(250) < planted, 0, rng.integers(1, 5, 250))
        rate[:planted] = recall
    hit = rng.random(250) < rate
    tests, recalls = [], []
    for column, shares in zip(values, SHARES, strict=True):
        for value in range(len(shares)):
            tp, n = int(hit[column == value].sum()), int((column == value).sum())
            tests.append(fisher_exact_test(tp, n, int(hit.sum()) - tp, 250 - n))
            recalls.append(tp / max(n, 1))
    return list(tarone_holm(tests).p), recalls[2] - float(hit.mean())


def test_false_findings_stay_below_5_percent_and_a_planted_slice_is_found() -> None:
    rng = np.random.default_rng(RNG_SEED)
    false = [any(p is not None and p < 0.05 for p in simulated_p(rng, 0, 0)[0]) for _ in range(300)]
    assert np.mean(false) <= 0.05
    planted = [simulated_p(rng, 60, 0.55) for _ in range(200)]
    assert np.mean([p[2] is not None and p[2] < 0.05 and lower < 0 for p, lower in planted]) >= 0.9


def test_what_would_be_found_is_found_in_about_80_percent() -> None:
    rng = np.random.default_rng(RNG_SEED)
    low = detectable_share(60, 190, 0.85, 0.05 / 15)
    assert low is not None
    p = [fisher_exact_test(rng.binomial(60, low), 60, rng.binomial(190, 0.85), 190).p for _ in range(1000)]
    assert np.mean(np.array(p) < 0.05 / 15) == pytest.approx(0.8, abs=0.06)
    assert detectable_share(2, 190, 0.85, 0.05 / 15) is None
    assert detectable_share(0, 190, 0.85, 0.05) is None


def test_every_example_is_in_one_value_of_a_column() -> None:
    rng = np.random.default_rng(RNG_SEED)
    numbers = np.where(rng.random(500) < 0.1, np.nan, rng.normal(size=500))
    columns = {
        "number": pa.array(numbers),
        "code": pa.array(rng.integers(0, 3, 500)),
        "many": pa.array([f"v{n}" for n in rng.integers(0, 40, 500)]),
        "empty": pa.array(["", None, "a", "other"] * 125),
        "none": pa.array([None] * 500, pa.string()),
    }
    table = pa.table(columns)
    values = {name: slice_values(name, table[name]) for name in columns}
    for found in values.values():
        assert (np.sum([each.members for each in found], axis=0) == 1).all()
    assert [each.kind for each in values["number"]] == ["range"] * 4 + ["missing"]
    sizes = [each.members.sum() for each in values["number"][:4]]
    assert max(sizes) - min(sizes) <= 1
    assert [each.value for each in values["code"]] == ["0", "1", "2"]
    assert [each.kind for each in values["many"]] == ["value"] * MAX_VALUES + ["other"]
    assert values["many"][-1].value == "28 other values"
    assert [(each.value, each.kind) for each in values["empty"]][-2:] == [("other", "value"), ("", "missing")]
    assert [each.kind for each in values["none"]] == ["missing"]


def test_equal_numbers_are_never_in_two_bins() -> None:
    numbers = pa.chunked_array([pa.array([0.0] * 80 + [*range(1, 21)])])
    found = slice_values("x", numbers)
    assert [(each.value, int(each.members.sum())) for each in found] == [("0", 80), ("1 to 20", 20)]


def evaluated(n: int = 3000) -> tuple[Evaluation, pa.Table, PostProcessor]:
    """A binary task with one bad hospital: few of its frauds reach the threshold."""
    rng = np.random.default_rng(RNG_SEED)
    target = (rng.random(n) < 0.1).astype(np.int64)
    hospital = rng.choice(["A", "B", "C"], n)
    score = rng.normal(0, 1, n) + np.where(target == 1, np.where(hospital == "C", 1.0, 3.5), 0)
    logits = np.stack([np.zeros(n), score], 1).astype(np.float32)
    test = Predictions(Task("binary", ("no", "yes"), positive=1), np.arange(n) * 3, target, logits)
    thresholds = ["none", Threshold("r", 2.0, 0, 0, 0, 0)]
    processor = PostProcessor(test.classes, Calibration("softmax", 1.0, (0.0, 0.0), None), None, thresholds)
    return Evaluation(test, [900, 100]), pa.table({"hospital": hospital, "noise": rng.normal(size=n)}), processor


def test_a_report_counts_at_the_threshold_and_finds_the_bad_hospital() -> None:
    test, columns, processor = evaluated()
    report = score_slices(test, columns, processor)
    (of_class,) = report.classes  # a binary task is reported by its positive class
    assert of_class.at_threshold
    hospital, target = np.array(columns["hospital"].to_pylist()), test.predictions.target == 1
    flagged = test.predictions.logits[:, 1] >= 2
    (worse,) = report.found("worse")
    assert (worse.column, worse.value) == ("hospital", "C")
    inside = hospital == "C"
    assert worse.recall.value == pytest.approx(flagged[inside & target].mean())
    assert worse.rest_recall == pytest.approx(flagged[~inside & target].mean())
    assert worse.fpr.value == pytest.approx(flagged[inside & ~target].mean())
    assert worse.precision.value == pytest.approx(target[inside & flagged].mean())
    level = 0.95 ** (1 / 7)  # three hospitals and four ranges
    exact = stats.binomtest(int(flagged[inside & target].sum()), worse.n_positive).proportion_ci(level, "exact")
    assert worse.recall.interval == pytest.approx((exact.low, exact.high))
    assert worse.recall.value < worse.shrunken_recall < of_class.recall.value
    assert sum(each.n for each in of_class.results if each.column == "noise") == 3000
    assert report.as_json()["classes"][0]["slices"][0]["finding"] in ("better", "no difference", "worse")


def test_a_slice_without_positives_is_undefined_and_cannot_be_found() -> None:
    test, _, processor = evaluated()
    name = np.where(test.predictions.target == 1, "has", "has not")
    report = score_slices(test, pa.table({"x": name}), processor)
    first, second = report.classes[0].results
    assert {first.value, second.value} == {"has", "has not"}
    without = next(each for each in report.classes[0].results if each.value == "has not")
    assert without.finding == "too few positives"
    assert math.isnan(without.recall.value)
    assert without.recall.interval is None
    assert without.as_json()["recall"] == {"value": None, "ci95": None}
    assert without.as_json()["p"] is None


class Named:
    """A source with the columns of all its examples."""

    def __init__(self, index: np.ndarray, slices: pa.Table) -> None:
        import torch

        self.index, self.slices = torch.from_numpy(index), slices


def test_a_label_without_a_threshold_is_decided_at_probability_one_half() -> None:
    """Labels have no most probable one; sigmoid losses on classes have, by the largest logit."""
    rng = np.random.default_rng(RNG_SEED)
    logits = rng.normal(size=(400, 2)).astype(np.float32)
    hospital = pa.table({"hospital": ["A", "B"] * 200})
    none, plain = ["none given"] * 2, Calibration("sigmoid", 1.0, (0.0, 0.0), None)
    for target in ((logits + rng.normal(size=(400, 2)) > 0) * 1, (logits[:, 1] > logits[:, 0]) * 1):
        predictions = Predictions.of(("dark", "strong"), np.arange(400), target.astype(np.int64), logits, "sigmoid")
        processor = PostProcessor(("dark", "strong"), plain, None, none)
        for of_class in score_slices(Evaluation(predictions, [300, 100]), hospital, processor).classes:
            c = of_class.class_index
            flagged = logits[:, c] >= 0 if target.ndim == 2 else logits.argmax(1) == c
            positive = target[:, c] == 1 if target.ndim == 2 else target == c
            assert of_class.recall.value == pytest.approx(flagged[positive].mean())


def test_stored_values_come_back_by_index_and_damage_is_an_error(tmp_path: Path) -> None:
    test, columns, _ = evaluated(50)
    order = np.random.default_rng(0).permutation(50)
    source = Named(test.predictions.index[order], columns.take(pa.array(order)))
    path = tmp_path / "slices.parquet"
    write_slices(path, [(test.predictions, source)])  # type: ignore[list-item]
    wanted = columns.select(["noise", "hospital"])
    assert read_slices(path, ["noise", "hospital"], test.predictions.index).equals(wanted)
    with pytest.raises(UsageError, match="'age' is not among the stored columns hospital, noise"):
        read_slices(path, ["age"], test.predictions.index)
    with pytest.raises(UsageError, match="is of another run"):
        read_slices(path, ["noise"], test.predictions.index + 1)
    with pytest.raises(UsageError, match="does not exist: test the model again"):
        read_slices(tmp_path / "none.parquet", ["noise"], test.predictions.index)
    content = path.read_bytes()
    for at in range(8, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        try:
            found = read_slices(path, ["noise", "hospital"], test.predictions.index)
        except UsageError:
            continue
        assert found.equals(wanted)  # a byte that nothing reads
