"""The columns of ``report.slices`` travel with the rows and images of each split, whether or not they are features."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from imbalance_lab.data import image_table, table
from imbalance_lab.data.slice_columns import take_slice_columns


def test_values_follow_their_rows_into_each_split(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "t.csv"
    lines = [f"{x:.3f},{'yes' if x > 0 else 'no'},site {n % 3}" for n, x in enumerate(rng.normal(size=300))]
    path.write_text("\n".join(["x,y,site", *lines, ""]))
    splits = table(path=str(path), target="y", drop=["site"], slices=["site", "x"])
    assert [column.name for column in splits.schema.columns] == ["x"]  # type: ignore[attr-defined]
    for source in splits.parts.values():
        slices = source.slices  # type: ignore[attr-defined]
        assert slices["site"].to_pylist() == [f"site {n % 3}" for n in source.index.tolist()]
        np.testing.assert_allclose(slices["x"].to_numpy(), source.inputs[:, 0].numpy(), rtol=1e-6)  # type: ignore[attr-defined]
    assert table(path=str(path), target="y").test.slices is None  # type: ignore[attr-defined]


def test_values_follow_their_images(tmp_path: Path) -> None:
    lines = ["path,label,device"]
    for n in range(40):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"{n}.png")
        lines.append(f"{n}.png,{'a' if n % 2 else 'b'},{n % 5}")
    (tmp_path / "t.csv").write_text("\n".join([*lines, ""]))
    splits = image_table(path=str(tmp_path / "t.csv"), label="label", image_size=4, slices=["device"])
    for source in splits.parts.values():
        assert source.slices["device"].to_pylist() == [n % 5 for n in source.index.tolist()]  # type: ignore[attr-defined]


def test_other_types_become_numbers_or_text_and_lists_are_refused(tmp_path: Path) -> None:
    columns = pa.table(
        {
            "price": pa.array([Decimal("1.50"), None]),
            "day": pa.array([date(2026, 1, 2), None]),
            "flag": pa.array([True, None]),
            "code": pa.array([7, None]),
            "list": pa.array([[1], None]),
            "y": pa.array(["a", "b"]),
        }
    )
    files = [(tmp_path / "t.parquet", 0)]
    found = take_slice_columns(columns, ["price", "day", "flag", "code"], files, {"y"}, {"code"})
    assert found is not None
    assert found.to_pydict() == {
        "price": [1.5, None],
        "day": ["2026-01-02", None],
        "flag": ["true", None],
        "code": ["7", None],
    }
    assert take_slice_columns(columns, [], files, {"y"}) is None
    with pytest.raises(ValueError, match=r"report.slices=list holds list"):
        take_slice_columns(columns, ["list"], files, {"y"})
    with pytest.raises(ValueError, match=r"report.slices=cod is not a column of .*; did you mean 'code'"):
        take_slice_columns(columns, ["cod"], files, {"y"})
