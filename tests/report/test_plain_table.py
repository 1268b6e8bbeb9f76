"""Tables in terminals of any width: columns are left out in their order, digits never."""

import re
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from imbalance_lab.report.plain_table import SHORT_NAME, plain_table, shorten_cells, shorten_names

SCORE = "0.987 [0.900, 0.999]"
NUMBERS = {"n": ("1,234", 3), "AUROC": (SCORE, 1), "AP": (SCORE, 2), "recall": ("0.123", 0)}
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
BIRDS = ["Larus argentatus argenteus", "Larus argentatus smithsonianus"]
NAMES = [*BIRDS, "日本語の名前日本語の名前", FAMILY * 9, "cat", ""]


def drawn(width, names=NAMES, caption=None, more="tables/classes.csv"):
    table = plain_table("Scores", more)
    table.add_name_column()
    table.add_number_columns(*((heading, rank) for heading, (_, rank) in NUMBERS.items()))
    for name in names:
        table.add_row(name, *(text for text, _ in NUMBERS.values()))
    table.caption = caption
    out = StringIO()
    Console(width=width, file=out).print(table)
    return out.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize("width", [*range(25, 60, 7), 60, 80, 100, 200])
def test_at_any_width_a_column_is_whole_or_absent_and_what_is_absent_is_said(width):
    lines = drawn(width)
    assert max(map(cell_len, lines)) <= width
    heading, rows = lines[1], [line for line in lines if line.endswith("0.123")]
    absent = [name for name in NUMBERS if not re.search(rf"\b{name}\b", heading)]
    assert absent == sorted(absent, key=list(NUMBERS).index)
    left = [text for name, (text, _) in NUMBERS.items() if name not in absent]
    assert len(rows) == len(NAMES)
    for row in rows:
        assert row.endswith("  ".join(left)) or re.search(r" +".join(map(re.escape, left)) + "$", row)
    caption = " ".join(" ".join(lines[3 + len(rows) :]).split())
    assert caption == (f"not shown at this width: {', '.join(absent)}; more in tables/classes.csv" if absent else "")


def test_columns_go_in_the_order_of_their_ranks():
    absent = [{name for name in NUMBERS if name not in drawn(width)[1]} for width in range(120, 22, -1)]
    order = [each for at, each in enumerate(absent) if at == 0 or each != absent[at - 1]]
    assert order == [set(), {"n"}, {"n", "AP"}, {"n", "AP", "AUROC"}]


def test_a_name_keeps_its_cells_as_long_as_a_column_can_go_and_gets_what_is_left():
    for width in range(30, 100):
        longest = max(cell_len(re.split(r"  +|  ", row)[0]) for row in drawn(width) if row.startswith("Larus"))
        assert longest >= SHORT_NAME
    assert "Larus argentatus smithsonianus" in "\n".join(drawn(100))


def test_a_caption_is_joined_with_what_is_left_out_and_alone_says_where_the_rest_is():
    assert drawn(100, caption="the 15 rarest of 100 classes")[-1] == (
        "the 15 rarest of 100 classes; more in tables/classes.csv"
    )
    narrow = " ".join(drawn(60, caption="the 15 rarest")[-2:])
    assert "the 15 rarest; not shown at this width: n, AP; more in" in narrow
    assert drawn(60, more=None)[-1].endswith("n, AP")


@pytest.mark.parametrize("most", [4, 7, 16, 24])
@pytest.mark.parametrize("text", [*NAMES, "e\u0301" * 40, "x" * 300, "👩🏽‍🚀b" * 10])
def test_a_shortened_name_fits_and_has_its_own_start_and_end(text, most):
    short = shorten_cells(text, most)
    assert cell_len(short) <= most
    if cell_len(text) <= most:
        assert short == text
    else:
        start, end = short.split("…")
        assert text.startswith(start)
        assert text.endswith(end)
        assert not end.startswith(("\u200d", "\u0301"))
        assert cell_len(short) >= most - 4 or "👩" in text  # of characters with two cells one may not fit


def test_names_that_differ_in_one_place_stay_apart_if_their_ends_show_it():
    numbered = [f"Larus argentatus subspecies {n:03d} (juvenile)" for n in range(40)]
    assert len(set(shorten_names(numbered, 18))) == 40
    first = [f"{n:03d} of the class with a long name in common" for n in range(40)]
    assert len(set(shorten_names(first, 18))) == 40
