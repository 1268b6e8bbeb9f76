"""What is unusual about a row, against counts by hand; how it is stored, and files of earlier releases."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from imbalance_lab.data import Splits
from imbalance_lab.data import table as read_splits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.mistakes import SCHEMA, read_mistakes, write_mistakes
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.unusual_features import MAX_FEATURES, MAX_ROWS, ClassValues
from tests.helpers.payments import payments


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    path = tmp_path_factory.mktemp("payments") / "payments.csv"
    payments(3000, seed=3, share=0.2).to_csv(path, index=False)
    return read_splits(path=str(path), target="class", drop=["id"])


def row_with(splits: Splits, **values: float) -> np.ndarray:
    """The median legit row, with other values in some columns."""
    names = [column.name for column in splits.schema.columns]  # type: ignore[attr-defined]
    legit = splits.train.inputs[splits.train.targets == 1].numpy()  # type: ignore[attr-defined]
    row = np.nanmedian(legit, axis=0).astype(np.float32)
    row[names.index("country")] = 1 + ["BR", "DE", "FR", "GB", "NG", "RO", "US"].index("DE")
    for name, value in values.items():
        row[names.index(name)] = value
    return row


def test_an_extreme_number_and_a_rare_category_are_named_with_what_the_class_has(splits: Splits) -> None:
    members = splits.train.targets.numpy() == 1  # legit
    values = ClassValues.of(splits.train, splits.schema, members)
    assert values is not None
    names = [column.name for column in values.columns]
    assert values.unusual(row_with(splits)) == ()
    first, second = values.unusual(row_with(splits, amount=50_000, country=5))
    amounts = values.values[:, names.index("amount")].astype(float)
    assert (first.name, first.value) == ("amount", "50,000")
    assert first.tail == pytest.approx(1 / (1 + members.sum()))
    assert first.center == pytest.approx(np.median(amounts))
    assert first.spread == pytest.approx(1.4826 * np.median(np.abs(amounts - np.median(amounts))))
    share = (values.values[:, names.index("country")] == 5).mean()
    assert (second.name, second.value, second.center) == ("country", "NG", None)
    assert second.share == pytest.approx(share)
    assert second.tail >= share


def test_missing_values_and_unknown_categories_are_unusual_where_they_are_rare(splits: Splits) -> None:
    values = ClassValues.of(splits.train, splits.schema, splits.train.targets.numpy() == 1)
    assert values is not None
    found = values.unusual(row_with(splits, account_age=np.nan, country=0))
    assert [(each.name, each.value) for each in found] == [("country", ""), ("account_age", "")]
    assert found[0].share == 0
    assert found[1].share == pytest.approx(0.05, abs=0.02)


def test_only_so_many_rows_and_features_are_taken() -> None:
    from imbalance_lab.data import TableSchema
    from imbalance_lab.data.arrays import Arrays
    from imbalance_lab.data.columns import Column

    n, columns = 4 * MAX_ROWS, tuple(Column(f"x{i}", "number") for i in range(9))
    source = Arrays(torch.zeros(n, 9), torch.zeros(n, dtype=torch.long), torch.arange(n))
    values = ClassValues.of(source, TableSchema(("a", "b"), columns, ("y",), "none"), np.ones(n, np.bool_))
    assert values is not None
    assert values.values.shape == (MAX_ROWS, 9)
    assert len(values.unusual(np.arange(9, dtype=np.float32))) == MAX_FEATURES
    assert ClassValues.of(source, None, np.ones(n, np.bool_)) is None


def test_the_true_class_is_compared_with_and_files_of_earlier_releases_are_read(splits: Splits, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    target = splits.test.targets.numpy()
    logits = rng.normal(size=(len(target), 2)).astype(np.float32)
    stored = Predictions.of(splits.classes, splits.test.index.numpy(), target, logits)
    path = tmp_path / "mistakes.parquet"
    written = write_mistakes(path, stored, splits.test, splits.class_counts, splits.train, splits.schema)
    assert read_mistakes(path) == written
    inputs = {int(index): row for index, row in zip(splits.test.index, splits.test.inputs.numpy(), strict=True)}  # type: ignore[attr-defined]
    for mistake in written:
        assert mistake.target is not None
        values = ClassValues.of(splits.train, splits.schema, splits.train.targets.numpy() == mistake.target)
        assert values is not None
        assert mistake.features == values.unusual(inputs[mistake.index])
    assert any(mistake.features for mistake in written)
    pq.write_table(pq.read_table(path).select(SCHEMA.names), path)
    assert [each.features for each in read_mistakes(path)] == [()] * len(written)
    pq.write_table(pq.read_table(path).drop_columns(["kind"]), path)
    with pytest.raises(UsageError, match="its columns are"):
        read_mistakes(path)
