"""Dates as text: read as `datetime` reads them, and the order of day and month is never guessed."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbalance_lab.data.date_parts import NAMES, DatePart, date_parts
from imbalance_lab.data.date_text import DateFormat
from imbalance_lab.data.detect_dates import AmbiguousDatesError, find_dates

PATTERNS = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%Y%m%d"]
CLOCKS = ["", " %H:%M:%S", " %I:%M:%S %p"]
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda each: each.replace(microsecond=0))


def column(texts: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TIMES, min_size=1, max_size=8),
    st.sampled_from(PATTERNS),
    st.sampled_from(CLOCKS),
)
def test_what_strftime_writes_is_read(times: list[datetime], pattern: str, clock: str) -> None:
    found, wrong = DateFormat(pattern).parse(column([*(each.strftime(pattern + clock) for each in times), None, "x"]))
    expected = [datetime.strptime(each.strftime(pattern + clock), pattern + clock) for each in times]
    assert found[:-2].tolist() == expected
    assert wrong.tolist() == [False] * (len(times) + 1) + [True]


@settings(max_examples=60, deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=8), st.sampled_from("/-."))
def test_day_and_month_are_told_apart_by_evidence_alone(times: list[datetime], mark: str) -> None:
    """Both orders are treated alike; they are refused exactly if both read all texts, differently."""
    orders = [f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y"]
    for pattern in orders:
        texts = column([each.strftime(pattern) for each in times])
        if all(each.day <= 12 for each in times) and any(each.day != each.month for each in times):
            with pytest.raises(AmbiguousDatesError) as error:
                find_dates(texts)
            assert {*error.value.patterns} == {*orders}
        else:
            found = find_dates(texts)
            assert found is not None
            assert found.format.parse(texts)[0].tolist() == [
                datetime(each.year, each.month, each.day) for each in times
            ]
            assert (found.evidence is None) == all(each.day == each.month for each in times)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-12-31T10:05:03.25Z", datetime(2020, 12, 31, 10, 5, 3, 250000)),
        ("2020-01-01 00:30+02:00", datetime(2019, 12, 31, 22, 30)),
        (" 2020-02-29 ", datetime(2020, 2, 29)),
        ("2021-02-29", None),
        ("2020-12-31 24:00", None),
        ("0000-01-01", None),
    ],
)
def test_iso(text: str, expected: datetime | None) -> None:
    assert DateFormat().read(text) == expected
    assert DateFormat("%d/%m/%Y").read(text) == expected


@pytest.mark.parametrize(
    "texts", [["1.2.10", "1.3.10"], ["hello"], ["1/2", "3/4"], ["20201231"], ["12.50"], ["", None]]
)
def test_what_is_no_date_is_left(texts: list[str | None]) -> None:
    assert find_dates(column(texts)) is None


def test_years_of_two_digits_are_refused_and_formats_checked() -> None:
    with pytest.raises(AmbiguousDatesError):
        find_dates(column(["31/12/20", "30/11/21"]))
    assert DateFormat("%d/%m/%y").read("31/12/69") == datetime(1969, 12, 31)
    for pattern in ("%d/%m", "%Q %Y %m", "%Y %Y %m", "%d.%Y"):
        with pytest.raises(ValueError, match="the date format"):
            DateFormat(pattern)


def test_parts_are_those_of_pandas() -> None:
    times = pd.date_range("2019-12-28 23:00", periods=500, freq="37h", unit="us")
    parts = {each.part: each for each in date_parts("opened", DateFormat(), times.to_numpy())}
    days = (times - pd.Timestamp("2019-12-28")) / pd.Timedelta(days=1)
    assert parts["days"].values(times.to_numpy()) == pytest.approx(days.to_numpy())
    assert parts["hour"].values(times.to_numpy()) == pytest.approx(times.hour.to_numpy())
    assert parts["month"].texts(times.to_numpy()).to_pylist() == times.month_name().tolist()
    assert parts["weekday"].texts(times.to_numpy()).to_pylist() == times.day_name().tolist()
    assert NAMES["month"][0] == "January"
    for each in parts.values():
        assert DatePart.from_dict(each.as_dict()) == each
        assert np.isnan(each.values(np.array(["NaT"], "M8[us]"))).all()
    noon = np.array(["2020-01-01T12:00", "2020-01-08T12:00"], "M8[us]")
    assert [each.part for each in date_parts("opened", DateFormat(), noon)] == ["days"]
