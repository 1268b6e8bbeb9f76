"""The baselines of a table: what they learn, that they are those of other libraries, and that nothing stops a run."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax, softmax
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from imbalance_lab.data import Splits, table
from imbalance_lab.training.baselines import TableExamples, fit_baselines, gradient_boosting, has_baselines
from imbalance_lab.training.baselines import logistic_regression as logistic
from imbalance_lab.training.baselines.gradient_boosting import fit_gradient_boosting
from imbalance_lab.training.baselines.logistic_regression import fit_logistic_regression
from tests.helpers.payments import payments

EVERY = ["class_prior", "logistic_regression", "gradient_boosting"]


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    path = tmp_path_factory.mktemp("payments") / "payments.csv"
    payments(1500, 0, 0.1).to_csv(path, index=False)
    return table(path=str(path), target="class", drop=["id"])


def examples(splits: Splits, split: str = "train") -> TableExamples:
    rows = splits.parts[split]
    return TableExamples(rows.inputs.numpy(), rows.targets.numpy(), len(splits.schema.numbers), len(splits.classes))


@pytest.fixture(params=["lightgbm", "scikit-learn"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "lightgbm":
        pytest.importorskip("lightgbm")
    else:
        monkeypatch.setattr(gradient_boosting, "_lightgbm", lambda: None)
    return str(request.param)


def auroc(splits: Splits, logits: np.ndarray, split: str = "test") -> float:
    return float(roc_auc_score(splits.parts[split].targets.numpy(), logits[:, 1] - logits[:, 0]))


def test_each_learns_what_it_can_and_says_how(splits: Splits, library: str) -> None:
    found = fit_baselines(splits, threads=1)
    assert [each.key for each in found.fitted] == EVERY
    assert found.left_out == {}
    prior, regression, boosting = found.fitted
    shares = splits.class_counts.numpy() / len(splits.train)
    np.testing.assert_allclose(softmax(prior.logits["test"], 1), np.tile(shares, (len(splits.test), 1)), rtol=1e-5)
    assert auroc(splits, regression.logits["test"]) > 0.85
    assert auroc(splits, boosting.logits["test"]) > 0.85
    assert {"lightgbm": "LightGBM", "scikit-learn": "scikit-learn"}[library] in boosting.about
    for each in found.fitted:
        assert {split: len(logits) for split, logits in each.logits.items()} == {
            "val": len(splits.val),
            "test": len(splits.test),
        }
    again = fit_baselines(splits, threads=1)
    for one, other in zip(found.fitted, again.fitted, strict=True):
        assert all(np.array_equal(one.logits[split], other.logits[split]) for split in ("val", "test"))


def test_logistic_regression_is_the_usual_pipeline(splits: Splits) -> None:
    train, val = examples(splits), examples(splits, "val")
    k, kinds = train.n_numbers, list(range(train.n_numbers, train.rows.shape[1]))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    losses, oracles = [], []
    for penalty in logistic.PENALTIES:
        columns = make_column_transformer(
            (numbers, list(range(k))),
            (MissingIndicator(), list(range(k))),
            (OneHotEncoder(handle_unknown="ignore"), kinds),
            sparse_threshold=0,
        )
        oracle = make_pipeline(columns, LogisticRegression(C=penalty, max_iter=1000)).fit(train.rows, train.target)
        losses.append(log_loss(val.target, oracle.predict_proba(val.rows)[:, 1]))
        oracles.append(oracle)
    best = int(np.argmin(losses))
    found = fit_logistic_regression(train, val, 0)
    assert f"C = {logistic.PENALTIES[best]:g} " in found.about
    ours = softmax(found.logits(val.rows), 1)[:, 1]
    np.testing.assert_allclose(ours, oracles[best].predict_proba(val.rows)[:, 1], atol=2e-3)


def test_boosting_has_as_many_trees_as_are_best_on_validation(splits: Splits, library: str) -> None:
    train, val = examples(splits), examples(splits, "val")
    found = fit_gradient_boosting(train, val, 0, threads=1, seconds=60)
    n = int(found.about.split(" trees")[0].rpartition(" ")[2].replace(",", ""))
    assert 1 <= n < gradient_boosting.ROUNDS
    ours = -log_softmax(found.logits(val.rows), 1)[np.arange(len(val)), val.target].mean()
    with pytest.MonkeyPatch.context() as patch:
        for rounds in (max(n // 2, 1), n):
            patch.setattr(gradient_boosting, "ROUNDS", rounds)
            patch.setattr(gradient_boosting, "BLOCK", rounds)
            fewer = fit_gradient_boosting(train, val, 0, threads=1, seconds=60)
            loss = -log_softmax(fewer.logits(val.rows), 1)[np.arange(len(val)), val.target].mean()
            assert ours <= loss + 1e-9
            assert rounds < n or ours == pytest.approx(loss)


def test_boosting_uses_categories_as_such_and_missing_values(library: str) -> None:
    rng = np.random.default_rng(0)
    kind, gap = rng.integers(1, 41, 3000), rng.random(3000) < 0.3
    target = ((kind % 2 == 0) ^ gap).astype(np.int64)  # no order of the codes helps
    rows = np.stack([np.where(gap, np.nan, rng.normal(size=3000)), kind], 1).astype(np.float32)
    train, val = TableExamples(rows[:2000], target[:2000], 1, 2), TableExamples(rows[2000:], target[2000:], 1, 2)
    found = fit_gradient_boosting(train, val, 0, threads=1, seconds=60)
    assert (found.logits(val.rows).argmax(1) == val.target).mean() > 0.95


def test_time_is_limited(splits: Splits, library: str) -> None:
    found = fit_gradient_boosting(examples(splits), examples(splits, "val"), 0, threads=1, seconds=0)
    assert "stopped after 0 s" in found.about
    assert np.isfinite(found.logits(examples(splits, "test").rows)).all()


def test_large_tables_are_trained_on_a_part_and_say_so(splits: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_boosting, "MAX_ROWS", 700)
    monkeypatch.setattr(logistic, "MAX_CELLS", 0)
    found = fit_baselines(splits, threads=1)
    assert "on 700 of 1,050 training rows" in found.fitted[2].about
    assert "on 1,000 of 1,050 training rows" in found.fitted[1].about


def test_a_class_without_a_training_row_gets_nearly_no_probability(library: str) -> None:
    rng = np.random.default_rng(0)
    target = rng.choice([0, 2], 200)
    rows = (rng.normal(size=(200, 3)) + target[:, None]).astype(np.float32)
    train = TableExamples(rows, target, 3, 4)
    for fit in (
        lambda: fit_logistic_regression(train, train, 0),
        lambda: fit_gradient_boosting(train, train, 0, threads=1, seconds=60),
    ):
        p = softmax(fit().logits(rows), 1)
        assert p.shape == (200, 4)
        assert p[:, [1, 3]].max() < 1e-6
        assert (p.argmax(1) == target).mean() > 0.8


def test_what_fails_is_left_out_with_a_sentence(splits: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck\nin line 2")

    monkeypatch.setattr("imbalance_lab.training.baselines.fit.fit_gradient_boosting", fails)
    found = fit_baselines(splits, threads=1)
    assert [each.key for each in found.fitted] == EVERY[:2]
    assert found.left_out == {"gradient_boosting": "out of luck in line 2"}


def test_a_single_class_cannot_be_learned() -> None:
    only = TableExamples(np.zeros((9, 1), np.float32), np.zeros(9, np.int64), 1, 2)
    with pytest.raises(ValueError, match="the training rows have only one class"):
        fit_logistic_regression(only, only, 0)
    with pytest.raises(ValueError, match="the training rows have only one class"):
        fit_gradient_boosting(only, only, 0, threads=1, seconds=1)


def test_every_label_has_models_of_its_own(wine_labels: Path) -> None:
    splits = table(path=str(wine_labels), target=["strong", "dark"])
    found = fit_baselines(splits, threads=1)
    assert [each.key for each in found.fitted] == EVERY
    target = splits.test.targets.numpy()
    for each in found.fitted[1:]:
        assert each.logits["test"].shape == target.shape
        assert all(roc_auc_score(target[:, c], each.logits["test"][:, c]) > 0.6 for c in range(2))


def test_lightgbm_is_not_used_where_it_may_crash_or_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        assert gradient_boosting._lightgbm() is None
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert gradient_boosting._lightgbm() is None


def test_only_tables_have_baselines(splits: Splits) -> None:
    from imbalance_lab.data import Arrays

    assert has_baselines(splits)
    arrays = [Arrays(each.inputs.nan_to_num(), each.targets, each.index) for each in (splits.train, splits.val)]
    assert not has_baselines(Splits(splits.classes, arrays[0], arrays[1], arrays[1]))


def test_wide_categories_and_unknown_ones_are_no_trouble(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"kind": [f"k{i}" for i in rng.integers(0, 400, 1500)], "y": rng.random(1500) < 0.2})
    frame.to_csv(tmp_path / "wide.csv", index=False)
    found = fit_baselines(table(path=str(tmp_path / "wide.csv"), target="y"), threads=1)
    assert found.left_out == {}
