"""Tables whose numbers and dates are text: read, told or refused; what a model learned holds for other files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from imbalance_lab.data.arrays import Splits
from imbalance_lab.data.columns import Column
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.data.tables import table
from imbalance_lab.deployment.serve.json_rows import RowEncoder
from imbalance_lab.deployment.serve.limits import RequestError

N = 60
AMOUNTS = [1000 + 137.25 * n for n in range(N)]
SPELLINGS: dict[str, Callable[[float], str]] = {
    "plain": lambda value: f"{value:.2f}",
    "thousands": lambda value: f'"{value:,.2f}"',
    "european": lambda value: '"' + f"{value:,.2f}".translate(str.maketrans(",.", ".,")) + '"',
    "comma": lambda value: f'"{value:.2f}"'.replace(".", ","),
    "unit": lambda value: f"{value:.2f} EUR",
    "currency": lambda value: f"$ {value:.2f}",
}


def read(folder: Path, columns: dict[str, list[str]], name: str = "t.csv", **options: object) -> Splits:
    """A CSV file with these columns and a target."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join((*cells, str(n % 2))) for n, cells in enumerate(rows)]
    (folder / name).write_text("\n".join([",".join((*columns, "y")), *lines, ""]), encoding="utf-8")
    return table(path=str(folder / name), target="y", **options)  # type: ignore[arg-type]


def days(pattern: str) -> list[str]:
    return [(np.datetime64("2020-01-01") + 11 * n).astype(object).strftime(pattern) for n in range(N)]


def schema_of(splits: Splits) -> TableSchema:
    """As it comes back from a checkpoint."""
    assert splits.input_schema is not None
    schema = InputSchema.from_dict(json.loads(json.dumps(splits.input_schema.as_dict())))
    assert schema == splits.input_schema
    assert isinstance(schema, TableSchema)
    return schema


def test_an_amount_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    """And a model that was trained on one spelling takes that and plain numbers, in files and in requests."""
    plain = read(tmp_path, {"a": [SPELLINGS["plain"](each) for each in AMOUNTS]})
    assert not plain.guesses
    for name, spelled in SPELLINGS.items():
        splits = read(tmp_path, {"a": [spelled(each) for each in AMOUNTS]}, f"{name}.csv")
        assert torch.equal(splits.train.inputs, plain.train.inputs), name  # type: ignore[attr-defined]
        assert bool(splits.guesses) == (name != "plain")
        schema = schema_of(splits)
        for other in ("plain", name):
            again = read(tmp_path, {"a": [SPELLINGS[other](each) for each in AMOUNTS]}, schema=schema)
            assert torch.equal(again.train.inputs, plain.train.inputs)  # type: ignore[attr-defined]
        text = spelled(1234.5).strip('"')
        assert (schema.columns[0].format is None) == (name in ("plain", "comma"))  # a decimal comma is the file's
        rows = [{"a": 1234.5}, {"a": text if schema.columns[0].format else 1234.5}, {"a": None}]
        inputs, _ = RowEncoder(schema.columns).encode(rows)
        assert inputs.flatten().tolist() == pytest.approx([1234.5, 1234.5, np.nan], nan_ok=True)
    with pytest.raises(RequestError, match=r"row 1, column 'a': '5 USD' is not a number"):
        RowEncoder(schema.columns).encode([{"a": "5 USD"}])


@pytest.mark.parametrize("pattern", ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d-%b-%Y", "%d %B %Y 10:30"])
def test_a_date_is_days_month_and_weekday(pattern: str, tmp_path: Path) -> None:
    splits = read(tmp_path, {"opened": days(pattern)})
    schema = schema_of(splits)
    assert [each.name for each in schema.columns] == ["opened (days)", "opened (month)", "opened (weekday)"]
    assert bool(splits.guesses) == (pattern != "%Y-%m-%d")
    columns = {"opened": [days(pattern)[5], "2020-02-25"]}
    inputs, _ = schema.encode_counting(columns)
    assert inputs[0, 1:].tolist() == inputs[1, 1:].tolist() == [2, 2]  # a Tuesday in February
    sent, unknown = RowEncoder(schema.columns).encode([{"opened": each} for each in columns["opened"]])
    assert (sent.tolist(), unknown) == (inputs.tolist(), {})
    with pytest.raises(RequestError, match=r"row 1, column 'opened': 5 is not a text with a date"):
        RowEncoder(schema.columns).encode([{"opened": 5}])
    later = read(tmp_path, {"opened": ["2031-01-01", *days(pattern)[1:]]}, schema=schema)
    assert any("1 of 60 dates are more than a day after the last one of training" in each for each in later.notes)


def test_dates_of_parquet_are_those_of_text(tmp_path: Path) -> None:
    text = read(tmp_path, {"opened": days("%d/%m/%Y")})
    dates = pa.array(np.array(days("%Y-%m-%d"), "M8[D]"))
    for kind in (pa.date32(), pa.timestamp("ns"), pa.timestamp("ms", "UTC")):
        pq.write_table(pa.table({"opened": dates.cast(kind), "y": [n % 2 for n in range(N)]}), tmp_path / "t.parquet")
        for schema in (None, text.input_schema):
            splits = table(path=str(tmp_path / "t.parquet"), target="y", schema=schema)
            assert torch.equal(splits.train.inputs, text.train.inputs)  # type: ignore[attr-defined]


def test_options_decide_what_the_column_leaves_open(tmp_path: Path) -> None:
    ambiguous = [f"0{1 + n % 9}/0{1 + n % 7}/2020" for n in range(N)]
    with pytest.raises(ValueError, match=r"'data.dates=\[\"d=%d/%m/%Y\"\]' or 'data.dates=\[\"d=%m/%d/%Y\"\]'"):
        read(tmp_path, {"d": ambiguous})
    one, other = (schema_of(read(tmp_path, {"d": ambiguous}, dates=[f"d={each}"])) for each in ("%d/%m/%Y", "%m/%d/%Y"))
    assert {*one.columns[1].categories} != {*other.columns[1].categories}
    assert schema_of(read(tmp_path, {"d": ambiguous}, categorical=["d"])).numbers == ()
    numbers = schema_of(read(tmp_path, {"d": days("%Y%m%d")}, dates=["d"]))
    assert numbers.columns[0].date is not None
    grouped = [f'"{1 + n},{100 + n}"' for n in range(N)]
    with pytest.raises(ValueError, match=r"1\.1 with data\.decimal=comma but 1100 with data\.thousands=comma"):
        read(tmp_path, {"a": grouped})
    splits = read(tmp_path, {"a": grouped}, thousands="comma")
    assert torch.cat([part.inputs for part in (splits.train, splits.val, splits.test)]).min() == 1100  # type: ignore[attr-defined]


def test_all_bad_columns_are_named_at_once(tmp_path: Path) -> None:
    columns = {
        "a": ["unknown", *(f"{n}.5" for n in range(1, N))],
        "b": [f"0{1 + n % 9}/0{1 + n % 7}/2020" for n in range(N)],
        "c": [f"10:{n:02}:00" for n in range(N)],
        "good": [str(n) for n in range(N)],
    }
    with pytest.raises(ValueError, match="3 things to put right:") as error:
        read(tmp_path, columns)
    lines = str(error.value).splitlines()
    assert [each[:4] for each in lines[1:]] == ["  - "] * 3
    assert "t.csv, line 2, column 'a': 'unknown' is not a number, but 59 of 60 values are" in lines[1]
    assert 'data.missing=["",' in lines[1]
    assert ",unknown]" in lines[1]
    with pytest.raises(ValueError, match=r"(?s)2 things.*data\.drop=x .*data\.dates=z "):
        read(tmp_path, {"a": columns["good"]}, drop=["x"], dates=["z=%Y-%m-%d"])
    fitted = schema_of(read(tmp_path, {"a": columns["good"], "b": columns["good"]}))
    with pytest.raises(ValueError, match=r"(?s)2 things.*'x'.*'z'"):
        fitted.encode({"a": ["x"], "b": ["z"]})


def test_near_twins_and_near_unique_categories_are_told(tmp_path: Path) -> None:
    names = [f"name {n}" for n in range(N)]
    quality = ["Good", "good ", "bad", "caf\u00e9", "cafe\u0301", "bad"] * 10
    splits = read(tmp_path, {"who": names, "quality": quality})
    told = "\n".join(splits.notes)
    assert "'who' is text with" in told
    assert "'data.drop=[who]'" in told
    assert "column 'quality' has values that are nearly the same: 'Good' (" in told
    assert "and 'caf\u00e9' (" in told or "'cafe\u0301' (" in told
    (tmp_path / "u.csv").write_text("a,y\n" + "".join(f"{n},{['Good', 'good ', 'bad'][n % 3]}\n" for n in range(N)))
    told = "\n".join(table(path=str(tmp_path / "u.csv"), target="y").notes)
    assert "class column 'y' has values that are nearly the same: 'Good' (20) and 'good ' (20)" in told


def test_true_and_false_are_one_and_zero(tmp_path: Path) -> None:
    """In features and in classes, in whichever file the model was trained on."""
    values = np.arange(N) // 2 % 2 == 0
    words = values.astype(str)
    forms = {"0/1": values.astype(int), "bool": values, "True": words, "TRUE": np.char.upper(words)}
    trained = {name: tmp_path / f"{at}.parquet" for at, name in enumerate(forms)}
    for name, form in forms.items():
        column = pa.array(form.tolist())
        pq.write_table(pa.table({"flag": column, "x": np.arange(N) / 7, "y": column}), trained[name])
    for path in trained.values():
        for categorical in ([], ["flag"]):
            ours = table(path=str(path), target="y", categorical=categorical)
            for other in trained.values():
                theirs = table(path=str(other), target="y", categorical=categorical, schema=schema_of(ours))
                assert torch.equal(theirs.train.targets, ours.train.targets)
                assert torch.equal(theirs.train.inputs, ours.train.inputs)  # type: ignore[attr-defined]
    together = table(path=str(trained["0/1"]), test_path=str(trained["bool"]), target="y")
    assert together.classes == ("0", "1")


def test_models_of_earlier_releases_have_no_formats() -> None:
    column = Column.from_dict({"name": "a", "kind": "number", "categories": []})
    assert (column.format, column.date, column.source) == (None, None, "a")


def test_the_cases_are_read_alike_and_a_vocabulary_travels(tmp_path: Path) -> None:
    """A category that training did not have is counted and told; the codes of the others stay."""
    colors = ["white", "red", "blue"] * 20
    trained = read(tmp_path, {"color": colors, "noise": [str(n) for n in range(N)]})
    renamed = ["amber" if each == "white" else each for each in colors]
    again = read(tmp_path, {"color": renamed, "noise": [str(n) for n in range(N)]}, schema=schema_of(trained))
    assert any("20 of 60 values are not among the training categories ('amber' 20)" in each for each in again.notes)
    before, after = (part.train.inputs[:, 1] for part in (trained, again))  # type: ignore[attr-defined]
    assert torch.equal(after, torch.where(before == 3, 0, before))  # white is the last in the alphabet


def test_numbers_and_words_of_one_scale_are_categories(tmp_path: Path) -> None:
    """As the persons of the car evaluation data: 2, 4, more. A rare word among as few numbers is still asked about."""

    def read(words: list[str]) -> Splits:
        frame = pd.DataFrame({"persons": words * 30, "x": range(30 * len(words)), "y": [0, 1] * (15 * len(words))})
        frame.to_csv(tmp_path / "t.csv", index=False)
        return table(path=str(tmp_path / "t.csv"), target="y", drop=["x"])

    splits = read(["2", "4", "more"])
    assert splits.schema.columns[0].categories == ("2", "4", "more")
    assert list(splits.guesses) == ["column 'persons' holds few numbers, and 'more': read as categories"]
    with pytest.raises(ValueError, match=r"'\?' is not a number, but 570 of 600 values are.*data\.missing"):
        read(["2", "4"] * 9 + ["4", "?"])
