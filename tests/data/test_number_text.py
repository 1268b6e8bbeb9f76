"""Numbers as text: what is written is read, and what has two meanings is not guessed."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbalance_lab.data.detect_numbers import MARKS, AmbiguousNumbersError, find_numbers
from imbalance_lab.data.number_text import NumberFormat

UNITS = [("", ""), ("$", ""), ("€", ""), ("Rs.", ""), ("", "kg"), ("", "%"), ("", "EUR"), ("", "m2"), ("", "days")]
FORMATS = [NumberFormat(*marks, *unit) for marks in MARKS for unit in UNITS]
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


def written(value: Decimal, form: NumberFormat, sign: str = "-", space: str = " ") -> str:
    """As a spreadsheet would write it."""
    whole, _, decimals = f"{abs(value):,}".partition(".")
    number = whole.replace(",", form.thousands or "") + (form.decimal + decimals if decimals else "")
    text = (form.prefix and form.prefix + space) + number + (form.suffix and space + form.suffix)
    return text if value >= 0 else f"({text})" if sign == "(" else sign + text


def column(texts: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(AMOUNTS, min_size=1, max_size=20),
    st.sampled_from(FORMATS),
    st.sampled_from(["-", "−", "("]),
    st.sampled_from(["", " ", "\u00a0", "\u202f"]),
)
def test_what_is_written_is_read(values: list[Decimal], form: NumberFormat, sign: str, space: str) -> None:
    texts = [written(value, form, sign, space) for value in values]
    numbers, wrong = form.parse(column([*texts, None, " "]))
    assert numbers[:-2].tolist() == [float(value) for value in values]
    assert np.isnan(numbers[-2:]).all()
    assert not wrong.any()


@settings(max_examples=60, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=20), st.sampled_from(FORMATS))
def test_the_format_is_found_or_refused_but_never_wrong(values: list[Decimal], form: NumberFormat) -> None:
    texts = column([written(value, form) for value in values])
    found = find_numbers(texts)  # two decimals tell every format
    assert found is not None
    assert not found.strangers
    assert found.format.parse(texts)[0].tolist() == [float(value) for value in values]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 999), min_size=1, max_size=5), st.sampled_from(["", " EUR", " kg"]))
def test_ambiguity_is_symmetric(parts: list[int], unit: str) -> None:
    """With points or commas three digits say nothing; a number of another kind, or the file, decides."""
    for mark, other in (",."), (".,"):
        texts = [f"{part}{mark}{part:03}{unit}" for part in parts]
        if mark == "." and not unit:
            continue  # as programs write numbers
        with pytest.raises(AmbiguousNumbersError, match=r"data\.decimal="):
            find_numbers(column(texts))
        for decimal, extra in ((mark, f"1{mark}5{unit}"), (other, f"1{mark}000{mark}000{unit}")):
            expected = [part + part / 1000 if decimal == mark else part * 1001 for part in parts]
            for found in (find_numbers(column([*texts, extra])), find_numbers(column(texts), decimal)):
                assert found is not None
                assert found.format.parse(column(texts))[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234.50", "999"], [1234.5, 999]),
        (["1'234.50", "1’000.00"], [1234.5, 1000]),
        (["12.5%", "100 %"], [12.5, 100]),
        (["-$5.00", "$-6.00", "($7.00)"], [-5, -6, -7]),
        (["12.50-", "+3.00"], [-12.5, 3]),
        (["1e3", "−2"], [1000, -2]),
        (["12,34,567", "1,000"], [1234567, 1000]),
        (["Rs. 500", "Rs.1,20,000"], [500, 120000]),
        (["1 day", "12 Days"], [1, 12]),
        ([".5 kg", "12 kg"], [0.5, 12]),
        (["13.5 m2", "7 m2"], [13.5, 7]),
    ],
)
def test_numbers_that_people_write(texts: list[str], values: list[float]) -> None:
    found = find_numbers(column(texts))
    assert found is not None
    assert found.format.parse(column(texts))[0].tolist() == values


@pytest.mark.parametrize(
    "texts",
    [
        ["12 A", "13 A"],
        ["12A", "7B"],
        ["SKU1", "SKU2"],
        ["007", "012"],
        ["1", "2"],
        ["18-25", "26-40"],
        ["192.168.1.1", "10.0.0.1"],
        ["12:30", "1:20"],
        ["5'10", "6'1"],
        ["yes", "no"],
        ["2020-01-01", "2020-01-02"],
        ["1/2", "3/4"],
        ["", " "],
    ],
)
def test_what_is_no_number_stays_text(texts: list[str]) -> None:
    assert find_numbers(column(texts)) is None


def test_other_words_are_named_and_units_are_not_mixed() -> None:
    found = find_numbers(column(["12.5", "13.1", "13.2", "unknown", "-", "unknown"]))
    assert found is not None
    assert found.strangers == {"unknown": 2, "-": 1}
    with pytest.raises(AmbiguousNumbersError, match=r"different units, 'kg' .* convert them"):
        find_numbers(column(["5 kg", *(f"{n} g" for n in range(300, 340))]))
    with pytest.raises(AmbiguousNumbersError, match="write them alike"):
        find_numbers(column(["1,234.50", "1.234,50"]))


def test_numbers_as_programs_write_them_fit_every_format() -> None:
    for form in FORMATS:
        numbers, wrong = form.parse(column(["8444.5", "-1e3", "7"]))
        assert numbers.tolist() == [8444.5, -1000, 7]
        assert not wrong.any()
        assert NumberFormat.from_dict(form.as_dict()) == form
    assert NumberFormat(suffix="EUR").parse(column(["5 USD", "x"]))[1].all()
