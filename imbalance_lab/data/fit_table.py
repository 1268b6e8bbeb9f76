"""The preparation of a table's rows, fitted on the training rows, and the schema with its shapes."""

from dataclasses import replace

from torch import Tensor

from imbalance_lab.data.preprocess import Preprocess
from imbalance_lab.data.table_schema import TableSchema


def fit_schema(schema: TableSchema, training: Tensor) -> tuple[TableSchema, Preprocess]:
    """The preparation of encoded ``training`` rows (N, F), and the schema with its shapes."""
    numbers = schema.numbers
    fitted = Preprocess.fitted(training, len(numbers), schema.scaling, numerical=schema.numerical)
    gaps = tuple(numbers[column] for column in fitted.gaps.tolist())
    return replace(schema, gaps=gaps, n_quantiles=fitted.quantiles.shape[1], n_bins=fitted.n_bins), fitted


def fit_like(schema: TableSchema, training: Tensor) -> Preprocess:
    """The preparation of other rows, with the shapes of the trained model's: its weights can replace it."""
    gaps = [schema.numbers.index(name) for name in schema.gaps]
    return Preprocess.fitted(
        *(training, len(schema.numbers), schema.scaling),
        numerical=schema.numerical,
        gaps=gaps,
        n_quantiles=schema.n_quantiles,
        n_bins=schema.n_bins,
    )
