"""Columns that tell too much, each kind planted once and found; and honest tables, of which nothing is said."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from imbalance_lab.data import table
from imbalance_lab.data.column_ranking import class_rates, number_auroc
from imbalance_lab.data.columns import fit_column
from imbalance_lab.data.encode_columns import encode_columns
from imbalance_lab.data.feature_rows import MAX_ROWS, FeatureRows, drop_override
from imbalance_lab.data.leaks import describe_leaks
from imbalance_lab.data.splitting import SplitIndices, stratified_split
from tests.conftest import composed

N = 600


def rows_of(columns: dict[str, Any], labels: np.ndarray, parts: SplitIndices | None = None) -> FeatureRows:
    """Columns as `table` hands them over, in one file and stratified splits."""
    data = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    parts = parts or stratified_split(torch.from_numpy(labels), val_fraction=0.2, test_fraction=0.2)
    training = data.take(pa.array(parts.train.numpy()))
    kinds = {name: "category" if pa.types.is_string(data[name].type) else "number" for name in data.column_names}
    features = [fit_column(name, kind, training[name]) for name, kind in kinds.items()]  # type: ignore[arg-type]
    inputs, _ = encode_columns(features, data)
    n_classes = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    return FeatureRows(data, features, inputs, [f"c{c}" for c in range(n_classes)], labels, parts, ())


def remarks(columns: dict[str, Any], labels: np.ndarray, *splits: str, **options: Any) -> list[str]:
    return list(describe_leaks(rows_of(columns, labels, **options), splits, None))


def noise(rng: np.random.Generator, n: int = N) -> dict[str, Any]:
    """Columns of many kinds that know nothing of the class, nor of the row."""
    gaps = rng.random(n) < 0.3
    return {
        "normal": rng.normal(size=n),
        "rounded": rng.normal(size=n).round(1),
        "count": rng.poisson(3, n),
        "cents": rng.integers(0, 100_000, n),
        "year": rng.integers(1990, 2020, n),
        "zip": rng.integers(10_000, 10_000 + n // 3, n),
        "flag": rng.integers(0, 2, n),
        "gaps": np.where(gaps, np.nan, rng.normal(size=n)),
        "color": rng.choice(list("rgby"), n),
        "street": [f"s{i}" for i in rng.integers(0, n // 2, n)],
        "product_id": rng.integers(0, 12, n),
    }


def rare(rng: np.random.Generator, n: int = N, share: float = 0.15) -> np.ndarray:
    return (rng.random(n) < share).astype(np.int64)


def test_noise_is_not_remarked_on() -> None:
    """Files of many sizes with two given splits, drawn at random, and classes that nothing tells."""
    rng, alarms = np.random.default_rng(0), []
    for _ in range(60):
        n, n_classes = int(rng.choice([60, 150, 600, 1500])), int(rng.choice([2, 2, 5]))
        labels = np.minimum(rng.geometric(0.7, n) - 1, n_classes - 1)
        labels[:n_classes] = np.arange(n_classes)
        alarms += remarks(noise(rng, n), labels, "val", "test")
    assert alarms == []


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "wine", "digits"])
def test_honest_tables_are_not_remarked_on_and_their_row_numbers_are(name: str, tmp_path: Path) -> None:
    """Also where one feature separates a class perfectly, as the petals of iris do with few flowers."""
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame.to_csv(tmp_path / "plain.csv", index=False)
    plain = [note for note in table(path=str(tmp_path / "plain.csv"), target="target").notes if "constant" not in note]
    assert plain == []
    frame.to_csv(tmp_path / "numbered.csv", index_label="nr")
    numbered = table(path=str(tmp_path / "numbered.csv"), target="target").notes
    (note,) = (note for note in numbered if "constant" not in note)
    assert note.startswith("column 'nr' numbers the rows")
    assert ("the order tells the class" in note) == (name in ("iris", "wine"))
    assert "data.drop=[nr]" in note


COUNTING = {
    "from 1": np.arange(1, N + 1),
    "descending": np.arange(N)[::-1] * 1.0,
    "with gaps": np.cumsum(np.random.default_rng(0).integers(1, 50, N)),
    "in blocks": np.arange(N) % 200,
    "text": [f"T0-{i:06}" for i in range(N)],
    "some missing": np.where(np.arange(N) % 50 == 7, np.nan, np.arange(N)),
}


@pytest.mark.parametrize("kind", COUNTING)
def test_a_column_that_counts_the_rows(kind: str) -> None:
    """Noise with the rows ordered by class, as files put together are: the number alone would predict."""
    rng = np.random.default_rng(1)
    labels = (np.arange(N) >= 500).astype(np.int64)
    (note,) = remarks({"x": COUNTING[kind], **noise(rng)}, labels)
    assert note.startswith("column 'x' numbers the rows, and the order tells the class (class 'c1': AUROC 0.999)")
    assert note.endswith("pass 'data.drop=[x]'")
    (note,) = remarks({"x": COUNTING[kind], **noise(rng)}, rare(rng))
    assert note == "column 'x' numbers the rows, which says nothing about new rows: pass 'data.drop=[x]'"


def test_ids_are_told_by_their_values_or_their_name() -> None:
    rng = np.random.default_rng(2)
    ids = {
        "shuffled": rng.permutation(N),
        "uuid": [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(N)],
        "hash": [rng.bytes(8).hex() for _ in range(N)],
        "order_id": rng.choice(10**9, N, replace=False),
    }
    (note,) = remarks({**ids, **noise(rng)}, rare(rng))
    assert note == (
        "columns 'shuffled', 'uuid', 'hash' and 'order_id' have another value in every row, as an id, which says "
        "nothing about new rows: pass 'data.drop=[shuffled,uuid,hash,order_id]'"
    )
    honest = {"amount": rng.choice(10**9, N, replace=False), "PAID": rng.choice(10**9, N, replace=False)}
    honest["sorted"] = np.sort(rng.integers(0, 90, N))
    assert remarks({**honest, **noise(rng)}, rare(rng)) == []


def test_a_column_that_follows_the_order_of_rows_sorted_by_class() -> None:
    rng = np.random.default_rng(3)
    labels = (np.arange(N) >= 400).astype(np.int64)
    time = np.arange(N) + rng.normal(size=N) * 20
    (note,) = remarks({"time": time, **noise(rng)}, labels, parts=None)
    assert "the rows are ordered by class" in note
    assert "column 'time' follows the order within the classes" in note
    assert remarks({"time": time, **noise(rng)}, rare(rng)) == []


def test_a_single_column_that_ranks_a_class_almost_perfectly() -> None:
    rng = np.random.default_rng(4)
    labels = rare(rng, share=0.2)
    balance = np.where(labels > 0, -3, 3) + rng.normal(size=N) * 0.8
    reason = np.where(labels > 0, rng.choice(list("uvwxyz"), N), rng.choice(list("abcdef"), N))
    (note,) = remarks({"balance": balance, "reason": reason, **noise(rng)}, labels)
    assert note.startswith(
        "columns 'balance' and 'reason' each alone rank a class almost perfectly (class 'c1': AUROC 1.000 for"
    )
    assert note.endswith("known before the prediction? If not, pass 'data.drop=[balance,reason]'")
    three = labels + (rng.random(N) < 0.3) * (1 - labels) * 2
    (note,) = remarks({"balance": balance, **noise(rng)}, three)
    assert "(class 'c1': AUROC" in note
    several = np.stack([rare(rng), labels], 1)
    (note,) = remarks({"balance": balance, **noise(rng)}, several)
    assert "(class 'c1': AUROC" in note


def test_a_tiny_class_ranked_perfectly_by_chance_is_not_remarked_on() -> None:
    """Of 400 random columns some rank one or two examples first, and some are missing there alone."""
    rng = np.random.default_rng(5)
    for n_rare in (1, 2, 3):
        labels = np.zeros(N, np.int64)
        labels[rng.permutation(N)[:n_rare]] = 1
        columns = {f"x{i}": rng.normal(size=N) for i in range(200)}
        columns |= {f"f{i}": (rng.random(N) < n_rare / N) * 1.0 for i in range(200)}
        assert remarks(columns, labels) == []


def test_a_copy_of_the_class_in_other_words() -> None:
    rng = np.random.default_rng(6)
    labels = np.arange(40) % 2
    (note,) = remarks({"line": np.array(["A", "B"])[labels], "x": rng.normal(size=40)}, labels)
    assert note == (
        "column 'line' alone determines the class of every training row: is it known before the prediction? If not, "
        "pass 'data.drop=[line]'"
    )


def test_values_that_only_one_class_has_or_lacks() -> None:
    rng = np.random.default_rng(7)
    labels = rare(rng)
    refund = np.where((labels > 0) & (rng.random(N) < 0.5), rng.normal(size=N), np.nan)
    phone = [None if missing else "abc"[i % 3] for i, missing in enumerate((labels > 0) & (rng.random(N) < 0.5))]
    missing, present = remarks({"refund": refund, "phone": phone, **noise(rng)}, labels)
    assert missing.startswith("column 'phone' is missing in training rows of class 'c1' alone: is that known before")
    assert present.startswith("column 'refund' is given in training rows of class 'c1' alone")
    assert present.endswith("pass 'data.drop=[refund]'")


def test_patients_in_two_splits_without_a_group() -> None:
    rng = np.random.default_rng(8)
    patient = rng.permutation(N) // 4
    (note,) = remarks({"patient": patient, **noise(rng)}, rare(rng))
    assert note.startswith("column 'patient' has the same values in training and in other splits: if they are patients")
    assert note.endswith("without data.group=patient")
    labels = rare(rng, 150)[patient]
    (note,) = remarks({"code": [f"x{p}" for p in patient], **noise(rng)}, labels)
    assert "data.group=code" in note
    (note,) = remarks({"code": rng.permutation(150)[patient], **noise(rng)}, labels, "test")
    assert note.endswith("data.group=code and splits that do not share them")
    assert remarks({"num_customer": patient, "users": patient, **noise(rng)}, rare(rng)) == []
    whole = [torch.from_numpy(np.flatnonzero(np.isin(patient % 5, each))) for each in ([0, 1, 2], [3], [4])]
    assert remarks({"patient": patient, **noise(rng)}, labels, parts=SplitIndices(*whole)) == []
    size = rng.integers(0, 150, N)  # a measure: also neighboring values have the same class
    assert remarks({"size": size, **noise(rng)}, ((size > 60) ^ (rng.random(N) < 0.05)).astype(np.int64)) == []


def test_features_of_another_distribution_in_given_splits() -> None:
    rng = np.random.default_rng(9)
    labels, rows = rare(rng), np.arange(N)
    parts = SplitIndices(*map(torch.from_numpy, np.split(rows, [400, 450])))
    late = rows >= 400
    columns = noise(rng) | {
        "normal": rng.normal(size=N) + late,
        "gaps": np.where(late & (rows % 2 > 0), np.nan, rng.normal(size=N)),
    }
    columns["color"] = np.where(rng.random(N) < 0.6 * late, "violet", columns["color"])
    (note,) = remarks(columns, labels, "val", "test", parts=parts)
    assert note.startswith(
        "columns 'color', 'gaps' and 'normal' are distributed otherwise in val and test than in training"
    )
    assert "('color' most of all: 'violet' 0% in training, 60% in test)" in note
    assert note.endswith("pass 'data.drop=[color]'")
    (note,) = remarks({"normal": columns["normal"]}, labels, "test", parts=parts)
    assert "is distributed otherwise in test than in training ('normal': median 0.0" in note
    assert remarks(columns, labels, parts=parts) == []


def test_other_class_shares_are_not_taken_for_other_features() -> None:
    """The test file has half positives, where training has 15 %: all features that know the class differ."""
    rng = np.random.default_rng(10)
    n = 3000
    rows, labels = np.arange(n), rare(rng, n)
    labels[2000:] = rng.integers(0, 2, n - 2000)
    parts = SplitIndices(*map(torch.from_numpy, np.split(rows, [1600, 2000])))
    columns = noise(rng, n) | {f"x{i}": labels * 1.5 + rng.normal(size=n) for i in range(4)}
    columns["color"] = np.where(rng.random(n) < 0.5 * labels, "r", columns["color"])
    assert remarks(columns, labels, "val", "test", parts=parts) == []


def test_whole_groups_are_not_taken_for_drift() -> None:
    """Patients are in one split each: a measure that a patient has for good differs by few patients' chance."""
    rng, alarms, naive = np.random.default_rng(11), 0, 0
    for _ in range(40):
        patient = rng.permutation(N) // 20
        split = rng.permutation(30)[patient]
        parts = SplitIndices(
            *(torch.from_numpy(np.flatnonzero(np.isin(split, each))) for each in (range(20), [20], range(21, 30)))
        )
        height = rng.normal(size=30)[patient] + rng.normal(size=N) * 0.1
        rows = rows_of({"height": height, "x": rng.normal(size=N)}, rare(rng), parts)
        alarms += len(list(describe_leaks(rows, ["test"], patient)))
        naive += len(list(describe_leaks(rows, ["test"], None)))
    assert alarms == 0
    assert naive > 10


@given(st.integers(0, 10**6), st.integers(2, 4), st.booleans())
def test_rates_and_midranks_rank_as_scikit_learn_does(seed: int, n_classes: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 40)]
    members = labels[:, None] == np.arange(n_classes)
    values = rng.normal(size=len(labels)).round(0 if ties else 9)
    expected = [roc_auc_score(each, values) for each in members.T]
    np.testing.assert_allclose(number_auroc(values, members), expected, atol=1e-12)
    rates = class_rates(rng.integers(0, 8, len(labels)), members)
    np.testing.assert_allclose(rates.auroc(), [rates.ranking(c).auroc for c in range(n_classes)], atol=1e-12)
    assert rates.total.sum() == len(labels)
    np.testing.assert_array_equal(rates.counts.sum(0), members.sum(0))


def test_many_categories_do_not_rank_by_their_number() -> None:
    rng = np.random.default_rng(12)
    labels = rare(rng)[:, None] > 0
    assert class_rates(rng.permutation(N), labels).auroc() == pytest.approx(0.5, abs=0.02)
    told = class_rates(np.where(labels[:, 0], 1, 0) * 3 + rng.integers(0, 3, N), labels)
    assert told.auroc() == pytest.approx(1)


def test_of_many_rows_a_sample_is_looked_at_with_all_of_the_rare_class() -> None:
    labels = np.zeros(MAX_ROWS * 3, np.int64)
    labels[::300] = 1
    whole = [torch.from_numpy(each) for each in np.split(np.arange(len(labels)), [-20, -10])]
    rows = rows_of({"x": np.random.default_rng(0).normal(size=len(labels))}, labels, SplitIndices(*whole))
    assert len(rows.training) <= MAX_ROWS + 300
    assert labels[rows.training].sum() == labels[:-20].sum()
    assert np.all(np.diff(rows.training) > 0)


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=1, max_size=3))
def test_the_remedy_is_read_back_by_shell_and_hydra(names: list[str]) -> None:
    import shlex

    word = drop_override(names)
    if word.startswith("$'"):
        return  # control characters: bash's own quotes, which shlex does not know
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (argument,) = shlex.split(word)
    assert OverridesParser.create().parse_override(argument).value() == names


def test_a_table_is_told_of_and_one_for_a_trained_model_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    frame = pd.DataFrame({"id": range(1, N + 1), "x": rng.normal(size=N), "y": (np.arange(N) >= 500) * 1})
    frame.to_csv(tmp_path / "t.csv", index=False)
    first = table(path=str(tmp_path / "t.csv"), target="y")
    assert [note for note in first.notes if "column 'id' numbers the rows" in note]
    again = table(path=str(tmp_path / "t.csv"), target="y", schema=first.schema)
    assert list(again.notes) == []
    drop = composed("data=table", f"data.path='{tmp_path}/t.csv'", "data.target=y", 'data.drop=["",id]').data.drop
    assert list(drop) == ["", "id"]


@pytest.mark.parametrize("written", ["${:.2f}", "{:.2f} EUR", "{:.1f} %"])
def test_amounts_written_as_text_are_no_ids(written: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    amounts = [written.format(amount) for amount in 100 * rng.random(60)]
    pd.DataFrame({"amount": amounts, "x": rng.normal(size=60), "y": [0, 1] * 30}).to_csv(
        tmp_path / "t.csv", index=False
    )
    splits = table(path=str(tmp_path / "t.csv"), target="y")
    assert [column.kind for column in splits.schema.columns] == ["number", "number"]
    assert splits.notes == []
