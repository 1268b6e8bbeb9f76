"""A trained run as a classifier of scikit-learn: for its pipelines, inspection and calibration, and for shap.

classifier = TrainedClassifier("runs/DATE/TIME")
permutation_importance(classifier, frame, target)
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from imbalance_lab.data.encode_columns import source_columns
from imbalance_lab.data.schema import ArraySchema, ImageSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.model import Model, load_model


class TrainedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The model of a run, with its calibration, prior correction and thresholds; `fit` trains nothing.

    Inputs ``X`` are what the run was trained on. Of tables: a DataFrame, an Arrow table or columns by name, where order
    and further columns do not matter, or an array (N, F) with the columns in the order of ``feature_names_in_``. Of
    image files: a list of paths. Of arrays: an array (N, …), or the same flattened to (N, F), as scikit-learn's tools
    and shap handle it.

    The model is loaded when it is first needed. A pickle holds the path of the run, not the model.

    Args:
        run: the run directory, or a checkpoint.
        allow: further packages whose classes the checkpoint may name; see `imbalance_lab.load_model`.
    """

    def __init__(self, run: str | Path, allow: Sequence[str] = ()) -> None:
        self.run = run
        self.allow = allow

    @property
    def model_(self) -> Model:
        """The model."""
        key = (str(self.run), tuple(self.allow))
        loaded: tuple[Any, Model] | None = self.__dict__.get("_loaded")
        if loaded is None or loaded[0] != key:
            loaded = self._loaded = key, load_model(self.run, allow=self.allow)
        return loaded[1]

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes, or labels, (C,), in the order of `predict_proba`: their names, or integers if all are such.

        A file with the classes 0 and 1 holds integers to pandas too, so that they can be compared with predictions.
        """
        names = self.model_.classes
        is_integer = all(re.fullmatch(r"0|-?[1-9]\d{0,17}", name) for name in names)
        return np.array([int(name) for name in names] if is_integer else names)

    @property
    def n_features_in_(self) -> int:
        """F, the number of columns of a table, or of values of an array; not of image files."""
        if isinstance(self.model_.schema, ImageSchema):
            raise AttributeError("image files have no number of features")
        schema = self.model_.schema
        return (
            len(source_columns(schema.columns)) if isinstance(schema, TableSchema) else int(np.prod(schema.input_shape))
        )

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The columns of a table, (F,)."""
        schema = self.model_.schema
        if not isinstance(schema, TableSchema):
            raise AttributeError("only the columns of a table have names")
        return np.array(source_columns(schema.columns), object)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check that ``X`` is what the model takes, and return the classifier as it is, as `FrozenEstimator` does.

        Raises:
            ValueError, TypeError: naming what does not fit.
        """
        if y is not None:
            assert_all_finite(y, input_name="y")
            check_classification_targets(y)
            check_consistent_length(X, y if self.model_.task.is_multilabel else column_or_1d(y, warn=True))
        self.model_.schema.encode(self._raw(X))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Calibrated probabilities (N, C), for the class priors that the run chose; of labels each for its own."""
        return self.model_.probabilities(self._raw(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class, (N,) of ``classes_``; of labels (N, C), 1 where one reaches its threshold."""
        output = self.model_.predict(self._raw(X))
        return output.flags.astype(np.int64) if output.labels is None else self.classes_[output.labels]

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Calibrated and adjusted logits (N, C); of two classes the second's minus the first's, (N,)."""
        model = self.model_
        adjusted: NDArray[np.float64] = model.evaluated_postprocessor.adjusted(model.logits(self._raw(X)))
        return adjusted[:, 1] - adjusted[:, 0] if model.task.kind == "binary" else adjusted

    def __sklearn_is_fitted__(self) -> bool:
        """It is trained before it is made."""
        return True

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect of it."""
        tags = super().__sklearn_tags__()
        model = self.model_
        tags.requires_fit = False
        tags.classifier_tags.multi_label = model.task.is_multilabel
        tags.target_tags.multi_output = model.task.is_multilabel
        is_table = isinstance(model.schema, TableSchema)
        tags.input_tags.allow_nan = is_table
        tags.input_tags.categorical = bool(model.schema.cardinalities)
        tags.input_tags.string = isinstance(model.schema, ImageSchema) or bool(model.schema.cardinalities)
        tags.input_tags.two_d_array = not isinstance(model.schema, ImageSchema)
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: the parameters, without the model."""
        return {name: value for name, value in super().__getstate__().items() if name != "_loaded"}

    def _raw(self, X: Any) -> Any:
        """Inputs as the model's schema takes them."""
        schema = self.model_.schema
        if isinstance(schema, ImageSchema):
            return [X] if isinstance(X, str | Path) else [str(path) for path in np.asarray(X, object).ravel()]
        if isinstance(schema, TableSchema) and _has_named_columns(X):
            return X
        if isinstance(schema, ArraySchema) and np.shape(X)[1:] == schema.shape and len(schema.shape) != 1:
            return X
        if isinstance(schema, TableSchema) and isinstance(X, list):
            X = np.asarray(X, object)  # NumPy would turn numbers beside text into text
        finite: Any = "allow-nan" if isinstance(schema, TableSchema) else True
        array = check_array(X, dtype=None, ensure_all_finite=finite, input_name="X", estimator=self)
        if array.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {array.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input"
            )
        if isinstance(schema, ArraySchema):
            with np.errstate(invalid="ignore"):
                same = array.astype(schema.dtype)  # tools turn integers into floats
            return (same if np.array_equal(same, array) else array).reshape(-1, *schema.shape)
        names = source_columns(schema.columns) if isinstance(schema, TableSchema) else ()
        return {name: _column(values) for name, values in zip(names, array.T, strict=True)}


def _has_named_columns(X: Any) -> bool:
    """Whether it is a table whose columns have names, and not only numbers."""
    if isinstance(X, Mapping | pa.Table):
        return not issparse(X)  # of which one kind is a dictionary
    columns = getattr(X, "columns", None)
    return columns is not None and all(isinstance(name, str) for name in columns)


def _column(values: NDArray[Any]) -> pa.Array:
    """A column of an array, NaN as a missing value."""
    if values.dtype.kind != "O":
        return pa.array(values.tolist() if values.dtype.kind == "U" else np.ascontiguousarray(values), from_pandas=True)
    present = [value for value in values if not isinstance(value, str | int | float | np.number | np.bool_ | None)]
    if present:
        raise TypeError(f"in X every argument must be a string or a number, got {type(present[0]).__name__}")
    return pa.array(values, from_pandas=True)
