"""A trained run in scikit-learn: its own checks, its tools, and what other programs do with arrays."""

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import imbalance_lab
from imbalance_lab import TrainedClassifier, load_model
from imbalance_lab.errors import UsageError
from tests.helpers.payments import payments
from tests.helpers.runs import trained

NEEDS_TRAINING = {
    "check_classifiers_one_label": "trains on the check's data, which have a single class",
    "check_classifiers_classes": "trains on classes of the check's own names",
    "check_classifiers_train": "trains on the check's data, and expects an accuracy there",
    "check_n_features_in": "expects that the number of features is not known before fit",
}
"""scikit-learn's checks that cannot apply, each with the reason."""

SHAPES = ((2, 2), (3, 3), (4, 3), (5, 2), (10, 2), (1, 2))
"""Numbers of features and classes of models: each check has data of one number of features."""


def numbers_run(folder: Path, features: int, classes: int) -> Path:
    """A run on a table of numbers."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, classes, 150)
    frame = pd.DataFrame(rng.normal(size=(150, features)), columns=[f"x{number}" for number in range(features)])
    frame = frame.assign(x0=frame["x0"] + 2 * target, y=target)
    path = folder / f"{features}_{classes}.csv"
    frame.to_csv(path, index=False)
    # scikit-learn wants batches of any size to agree within 1e-7, which float32 sums of many encoded bins do not.
    data = ("data=table", f"data.path='{path}'", "data.target=y", "data.numerical=plain", "ensemble=1")
    return trained(folder / path.stem, *data, "max_epochs=1", "backbone.widths=[8]", "logger=none")


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_s_own_checks(tmp_path: Path) -> None:
    """A check applies to a model of its own number of features; to the others it is refused for that."""
    passed: set[str] = set()
    failed: dict[str, list[Exception]] = defaultdict(list)
    for features, classes in SHAPES:
        classifier = TrainedClassifier(numbers_run(tmp_path, features, classes))
        for result in check_estimator(classifier, expected_failed_checks=NEEDS_TRAINING, on_fail=None):
            if result["status"] == "passed":
                passed.add(result["check_name"])
            elif result["status"] in ("failed", "xfail"):
                failed[result["check_name"]].append(result["exception"])
    assert len(passed) > 40
    assert passed.isdisjoint(NEEDS_TRAINING), "a reason is out of date"
    assert set(failed) - passed == set(NEEDS_TRAINING)


@pytest.fixture(scope="module")
def classifier(payments_run: Path) -> TrainedClassifier:
    return TrainedClassifier(payments_run)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return payments(300, seed=3, share=0.2)


def as_array(classifier: TrainedClassifier, frame: pd.DataFrame) -> NDArray[Any]:
    return np.asarray(frame[list(classifier.feature_names_in_)].to_numpy(object))


def test_its_probabilities_are_the_model_s(
    classifier: TrainedClassifier, payments_run: Path, frame: pd.DataFrame
) -> None:
    output = load_model(payments_run).predict(frame)
    p = classifier.predict_proba(frame)
    assert np.array_equal(p, output.probabilities)
    assert classifier.classes_.tolist() == ["fraud", "legit"]
    assert output.predicted is not None
    assert classifier.predict(frame).tolist() == output.predicted.tolist()
    np.testing.assert_allclose(classifier.decision_function(frame), np.log(p[:, 1] / p[:, 0]), atol=1e-6)
    assert classifier.n_features_in_ == 5
    assert set(classifier.feature_names_in_) == {"amount", "hour", "country", "device", "account_age"}


def test_every_form_of_a_table_is_the_same_table(classifier: TrainedClassifier, frame: pd.DataFrame) -> None:
    p, array = classifier.predict_proba(frame), as_array(classifier, frame)
    forms = (
        *(frame[frame.columns[::-1]], pa.Table.from_pandas(frame), frame.to_dict("list"), array, array.tolist()),
        pd.DataFrame(array),  # columns without names
    )
    for form in forms:
        assert np.array_equal(classifier.predict_proba(form), p)


def test_clone_and_pickle_hold_the_path_alone(classifier: TrainedClassifier, frame: pd.DataFrame) -> None:
    p = classifier.predict_proba(frame)
    stored = pickle.dumps(classifier)
    assert len(stored) < 2000
    for other in (clone(classifier), pickle.loads(stored)):
        assert other.get_params() == {"run": classifier.run, "allow": ()}
        assert np.array_equal(other.predict_proba(frame), p)
    other = clone(classifier).set_params(run="nowhere")
    with pytest.raises(UsageError, match="nowhere"):
        other.predict(frame)
    assert "nowhere" in repr(other)


def test_fit_trains_nothing_but_checks(classifier: TrainedClassifier, frame: pd.DataFrame) -> None:
    p = classifier.predict_proba(frame)
    assert classifier.fit(frame, frame["class"]) is classifier
    assert np.array_equal(classifier.predict_proba(frame), p)
    with pytest.raises(ValueError, match="the data have no column 'amount'"):
        classifier.fit(frame.drop(columns="amount"))
    with pytest.raises(ValueError, match="X has 2 features, but TrainedClassifier is expecting 5 features as input"):
        classifier.predict(np.zeros((3, 2)))


def test_permutation_importance_finds_the_columns_that_matter(
    classifier: TrainedClassifier, frame: pd.DataFrame
) -> None:
    for X in (frame[list(classifier.feature_names_in_)], as_array(classifier, frame)):
        found = permutation_importance(classifier, X, frame["class"], scoring="roc_auc", n_repeats=3, random_state=0)
        order = classifier.feature_names_in_[np.argsort(-found.importances_mean)].tolist()
        assert order.index("amount") < order.index("device"), "the device says nothing of the class"
    curve = partial_dependence(classifier, frame[list(classifier.feature_names_in_)], ["amount"], grid_resolution=5)
    assert np.ptp(curve["average"]) > 0.05


def test_pipelines_calibration_and_cross_validation(classifier: TrainedClassifier, frame: pd.DataFrame) -> None:
    renamed = frame.rename(columns={"amount": "euros"})
    pipeline = make_pipeline(FunctionTransformer(lambda rows: rows.rename(columns={"euros": "amount"})), classifier)
    assert np.array_equal(pipeline.fit(renamed, frame["class"]).predict_proba(renamed), classifier.predict_proba(frame))
    assert np.isfinite(cross_val_score(classifier, frame, frame["class"], scoring="neg_log_loss", cv=2)).all()
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier)).fit(frame, frame["class"])
    later = payments(1000, seed=4, share=0.2)
    before, after = (log_loss(later["class"], each.predict_proba(later)) for each in (classifier, calibrated))
    assert after < before, "fitted where a fifth is fraud, not a twentieth"


def shapley_values(model: Any, row: NDArray[Any], background: NDArray[Any]) -> NDArray[np.float64]:
    """Shapley values of a row by its definition, over all subsets: what shap.KernelExplainer estimates."""
    F = len(row)
    value = {}
    for subset in range(2**F):
        rows = background.copy()
        inside = [bool(subset >> place & 1) for place in range(F)]
        rows[:, inside] = row[inside]
        value[subset] = model(rows).mean()
    phi = np.zeros(F)
    for place in range(F):
        for subset in (each for each in value if not each >> place & 1):
            size = subset.bit_count()
            weight = 1 / (F * np.prod([(F - 1 - k) / (k + 1) for k in range(size)]))
            phi[place] += weight * (value[subset | 1 << place] - value[subset])
    return phi


def test_a_function_of_arrays_is_explained(classifier: TrainedClassifier, frame: pd.DataFrame) -> None:
    rows = as_array(classifier, frame)
    fraud = lambda array: classifier.predict_proba(array)[:, 0]  # noqa: E731  # as in shap's own examples
    row = rows[classifier.predict_proba(frame)[:, 0].argmax()]
    phi = shapley_values(fraud, row, rows[:20])
    assert phi.sum() == pytest.approx(fraud(row[None])[0] - fraud(rows[:20]).mean(), abs=1e-6)


def test_integers_are_classes_as_pandas_reads_them(tmp_path: Path) -> None:
    classifier = TrainedClassifier(numbers_run(tmp_path, 3, 3))
    frame = pd.read_csv(tmp_path / "3_3.csv")
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert 0 <= classifier.score(frame, frame["y"]) <= 1
    assert classifier.decision_function(frame).shape == (150, 3)


@pytest.mark.exhaustive
def test_labels_are_an_indicator_matrix(label_sweep: Path, wine_labels: Path) -> None:
    classifier, frame = TrainedClassifier(label_sweep / "sigmoid_focal"), pd.read_csv(wine_labels)
    output = load_model(label_sweep / "sigmoid_focal").predict(frame)
    assert classifier.classes_.tolist() == ["strong", "dark"]
    assert np.array_equal(classifier.predict(frame), output.flags.astype(int))
    assert classifier.predict_proba(frame).shape == (len(frame), 2)
    assert classifier.__sklearn_tags__().classifier_tags.multi_label
    assert 0 <= classifier.fit(frame, frame[["strong", "dark"]]).score(frame, frame[["strong", "dark"]]) <= 1


def test_image_paths(images_run: Path) -> None:
    classifier = TrainedClassifier(images_run)
    paths = sorted((images_run.parent / "train").rglob("*.png"))[:6]
    p = load_model(images_run).probabilities(paths)
    for form in (paths, [str(path) for path in paths], np.array(paths, object), np.array(paths, str)[:, None]):
        assert np.array_equal(classifier.predict_proba(form), p)
    assert not hasattr(classifier, "n_features_in_")
    assert not hasattr(classifier, "feature_names_in_")


def test_arrays_are_taken_flat_too(finished_run: Path) -> None:
    from imbalance_lab.data import digits

    classifier, inputs = TrainedClassifier(finished_run), digits().test.inputs.numpy()[:20]
    p = load_model(finished_run).probabilities(inputs)
    assert classifier.n_features_in_ == inputs[0].size
    for form in (inputs, inputs.reshape(20, -1), inputs.reshape(20, -1).astype(float)):
        assert np.array_equal(classifier.predict_proba(form), p)


def test_it_is_exported_without_loading_scikit_learn_first() -> None:
    assert imbalance_lab.TrainedClassifier is TrainedClassifier
    assert "TrainedClassifier" in imbalance_lab.__all__
