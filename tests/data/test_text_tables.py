"""Tables as people write them: what `table` makes of their files, and what it says of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from imbalance_lab.data import Rows, Splits, image_table, table
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.data.table_schema import TableSchema

N = 60
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "amount": RANDOM.normal(1000, 300, N).round(2),
        "city": RANDOM.choice(["Köln", "Bern"], N),
        "y": ["good", "bad"] * 30,
    }
)


def everything(splits: Splits) -> np.ndarray:
    """All inputs in the order of the file."""
    parts = [part for part in splits.parts.values() if isinstance(part, Rows)]
    order = torch.cat([part.index for part in parts]).argsort()
    return torch.cat([part.inputs for part in parts])[order].numpy()


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Write a frame, and read it."""

    def read(frame: pd.DataFrame = FRAME, name: str = "t.csv", encoding: str = "utf-8", how: str = "", **options):  # type: ignore[no-untyped-def]
        marks = {"": {}, ";": {"sep": ";", "decimal": ","}, "\t": {"sep": "\t"}}[how]
        (tmp_path / name).write_bytes(frame.to_csv(index=options.pop("index", False), **marks).encode(encoding))
        return table(path=str(tmp_path / name), target="y", **options)

    return read


def test_the_same_table_means_the_same_however_it_is_written(read) -> None:  # type: ignore[no-untyped-def]
    plain = read()
    assert plain.guesses == () or list(plain.guesses) == []
    for how, encoding in (("\t", "utf-16"), (";", "utf-8-sig"), (";", "cp1252"), (";", "utf-16-be")):
        splits = read(how=how, encoding=encoding)
        np.testing.assert_array_equal(everything(splits), everything(plain))
        assert splits.schema.columns == plain.schema.columns
        assert splits.classes == ("bad", "good")
        (guess,) = splits.guesses
        assert guess.startswith("t.csv is separated by ")
        assert ("data.decimal" in guess) == (how == ";")
        assert ("data.encoding" in guess) == (encoding != "utf-8-sig")


def test_what_was_said_of_the_files_travels_with_the_model(read) -> None:  # type: ignore[no-untyped-def]
    schema = read(how=";", delimiter=";", decimal="comma", missing=["", -999]).schema
    again = InputSchema.from_dict(schema.as_dict())
    assert isinstance(again, TableSchema)
    assert again == schema
    assert (again.dialect.delimiter, again.dialect.decimal, again.dialect.missing) == (";", ",", ("", "-999"))
    rows = {"amount": [1.0, -999.0], "city": ["Bern", "Köln"]}  # no text file, but the same gaps
    assert again.encode(rows)[:, 0].isnan().tolist() == [False, True]
    old = schema.as_dict()
    del old["dialect"]  # of an earlier release
    assert isinstance(read_old := InputSchema.from_dict(old), TableSchema)
    assert read_old.columns == again.columns


@pytest.mark.parametrize("kept", ["NA", "nan", "null", "None"])
def test_a_class_may_be_called_na(read, kept: str) -> None:  # type: ignore[no-untyped-def]
    frame = FRAME.assign(y=[kept, "DE"] * 30)
    if kept != "None":
        with pytest.raises(ValueError, match=r"column 'y' has no value.*pass 'data.missing=\[\"\"\]'"):
            read(frame)
    splits = read(frame, missing=[""])
    assert splits.classes == tuple(sorted(["DE", kept]))
    assert read(frame, missing=[""], schema=splits.schema).classes == splits.classes


def test_other_marks_can_be_missing_in_numbers_too(read) -> None:  # type: ignore[no-untyped-def]
    frame = FRAME.assign(size=np.arange(N) % 7 + 0.5)
    whole = frame.astype({"size": object})
    whole.loc[::10, "size"] = "?"
    assert np.isnan(everything(read(whole, missing=["", "?"]))[:, 1]).sum() == 6
    frame.loc[::10, "size"] = -999.0
    (note,) = read(frame).notes
    assert note.startswith("column 'size' is -999 in 10% of the rows")
    assert 'data.missing=["",-999]' in note
    splits = read(frame, missing=["", -999])  # "-999.0" in the file
    assert np.isnan(everything(splits)[:, 1]).sum() == 6
    assert not splits.notes


def test_sentinels_in_parquet_are_missing_only_if_that_is_said(tmp_path: Path) -> None:
    frame = FRAME.assign(size=np.where(np.arange(N) % 10, 1.5 + np.arange(N) % 3, -999.0), city="NA")
    frame.loc[::2, "city"] = "x"
    frame.to_parquet(tmp_path / "t.parquet")
    read = table(path=str(tmp_path / "t.parquet"), target="y", missing=["-999"])
    assert np.isnan(everything(read)[:, 1]).sum() == 6
    assert read.schema.columns[-1].categories == ("NA", "x")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["01", "1", "2"], ("01", "1", "2")),
        (["000", "001", "010"], ("000", "001", "010")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["0.0", "1.0"], ("0", "1")),
        ([" 1", "0"], ("0", "1")),
        (["True", "False"], ("false", "true")),
        (["Good", "good "], ("Good", "good ")),
    ],
)
def test_classes_are_text_but_numbers_are_the_same_in_every_kind_of_file(
    read,
    values: list[str],
    classes: tuple[str, ...],  # type: ignore[no-untyped-def]
) -> None:
    frame = FRAME.assign(y=[values[i % len(values)] for i in range(N)])
    splits = read(frame)
    assert splits.classes == classes
    assert read(frame, schema=splits.schema).classes == classes


def test_parquet_and_text_agree_on_classes_groups_and_splits(tmp_path: Path) -> None:
    train = FRAME.assign(y=np.arange(N) % 2, g=np.arange(N) // 4)
    train.to_parquet(tmp_path / "train.parquet")
    train.astype({"y": float}).to_csv(tmp_path / "test.csv", index=False)
    splits = table(path=str(tmp_path / "train.parquet"), test_path=str(tmp_path / "test.csv"), target="y", group="g")
    assert splits.classes == ("0", "1")
    assert len(splits.test) == N
    codes = FRAME.assign(y=np.arange(N) % 2, g=[f"{i // 4:03}" for i in range(N)])
    codes.to_csv(tmp_path / "codes.csv", index=False)
    groups = table(path=str(tmp_path / "codes.csv"), target="y", group="g").train.groups  # type: ignore[attr-defined]
    assert all(len(group) == 3 for group in groups.to_pylist())


def test_a_model_of_an_earlier_release_finds_its_classes(read) -> None:  # type: ignore[no-untyped-def]
    frame = FRAME.assign(y=["1", "2"] * 30)
    schema = read(frame).schema
    assert read(FRAME.assign(y=["01", "02"] * 30), schema=schema).train.targets.bincount().min() > 0


def test_row_numbers_without_a_name_are_left_out_and_told(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    splits = read(index=True)
    assert [column.name for column in splits.schema.columns] == ["amount", "city"]
    assert list(splits.guesses) == [
        "column 'Unnamed: 0' only numbers the rows, as pandas' index does: left out; give it a name to keep it"
    ]
    assert read(index=True, drop=["Unnamed: 0"]).schema.columns == splits.schema.columns
    frame = FRAME.set_index(np.arange(N) % 3 + 1.5)  # it says something
    assert [column.name for column in read(frame, index=True).schema.columns] == ["Unnamed: 0", "amount", "city"]
    lines = (tmp_path / "t.csv").read_text().splitlines()
    (tmp_path / "end.csv").write_text("".join(f"{line},\n" for line in lines))
    told = table(path=str(tmp_path / "end.csv"), target="y").guesses
    assert told[-1].startswith("column 'Unnamed: 4' has no value: left out")


def test_a_folder_or_a_pattern_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for at in range(3):
        FRAME[at * 20 : at * 20 + 20].to_parquet(tmp_path / "parts" / f"p{at}.parquet", index=False)
        FRAME[at * 20 : at * 20 + 20].to_csv(tmp_path / f"2024-{at}.csv", index=False)
    (tmp_path / "parts" / "_SUCCESS").write_text("")
    whole = FRAME.to_csv(tmp_path / "whole.csv", index=False) or table(path=str(tmp_path / "whole.csv"), target="y")
    for path in ("parts", "parts/*.parquet", "2024-*.csv"):
        splits = table(path=str(tmp_path / path), target="y")
        np.testing.assert_array_equal(everything(splits), everything(whole))
        assert splits.fingerprint == whole.fingerprint
    splits = table(path=str(tmp_path / "2024-[01].csv"), test_path=str(tmp_path / "2024-2.csv"), target="y")
    assert len(splits.test) == 20
    assert splits.test.names(torch.tensor([3])) == ["2024-2.csv, line 5"]


def test_files_that_do_not_go_together_are_refused_by_name(tmp_path: Path) -> None:
    for folder in ("year=2024", "mixed"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    FRAME.rename(columns={"city": "town"}).to_csv(tmp_path / "b.csv", index=False)
    FRAME.assign(amount="x").to_csv(tmp_path / "c.csv", index=False)
    FRAME.to_csv(tmp_path / "data" / "mixed" / "t.csv", index=False)
    FRAME.to_parquet(tmp_path / "data" / "mixed" / "t.parquet")
    for path, says in [
        ("[ab].csv", r"b\.csv has no column 'city', which .*a\.csv has"),
        ("[ac].csv", r"a\.csv and .*c\.csv hold different kinds of values in column 'amount'"),
        ("x*.csv", "fits no file"),
        ("data", "is partitioned by 'year', which stands in the names of folders"),
        ("data/mixed", r"holds \.csv and \.parquet files: choose those of one kind"),
        ("data/year=2024", "is a folder without a table"),
        ("aa.csv", r"is not a file; did you mean 'a\.csv'\?"),
        ("data\\mixed\\t.csv", r"is not a file; did you mean '.*/data/mixed/t\.csv'\?"),
        ("nothing.csv", r"is not a file: name a \.csv"),
    ]:
        with pytest.raises((ValueError, FileNotFoundError), match=says):
            table(path=f"{tmp_path}/{path}", target="y")


def test_names_are_found_whichever_way_their_accents_are_stored(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "gro\u0308ße.csv", index=False)
    assert table(path=str(tmp_path / "größe.csv"), target="y").classes == ("bad", "good")


def test_content_counts_more_than_the_name(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "t.csv")
    assert pq.read_table(tmp_path / "t.csv").num_rows == N
    assert table(path=str(tmp_path / "t.csv"), target="y").classes == ("bad", "good")


def test_paths_of_images_and_their_labels_keep_their_zeros(tmp_path: Path) -> None:
    from PIL import Image

    for at in range(24):
        Image.fromarray(RANDOM.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"{at:06}", format="png")
    rows = "".join(f"{at:06};{'01' if at % 2 else '1'}\n" for at in range(24))
    (tmp_path / "labels.csv").write_text(f"path;label\n{rows}")
    splits = image_table(path=str(tmp_path / "labels.csv"), label="label", image_size=8)
    assert splits.classes == ("01", "1")
    assert list(splits.guesses) == ["labels.csv is separated by semicolons (data.delimiter)"]
