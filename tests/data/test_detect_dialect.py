"""How a text file is written is read off its content, whatever its name; the rest is refused with a remedy."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbalance_lab.data.detect_dialect import detect
from imbalance_lab.data.dialect import DialectOptions
from imbalance_lab.data.read_table import read_table


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    ("content", "delimiter", "decimal", "thousands"),
    [
        ("a,b,y\n1.5,2,x\n", ",", ".", None),
        ("a;b;y\n12,50;3;1\n1,5;2;0\n", ";", ",", None),
        ("a;t;y\n1.5;hello, world;1\n2.5;no, no, no;0\n", ";", ".", None),
        ("name;price, EUR;qty, pcs\nx;12,50;3,0\ny;1,50;3,5\n", ";", ",", None),
        ('a,t,y\n1.5,"x;y;z",1\n2.5,"a;b\nc;d",0\n', ",", ".", None),
        ("a\tb\n1,5\t2\n", "\t", ",", None),
        ("a|b\n1|2\n", "|", ".", None),
        ("a b y\n1.5 2 0\n2.5 3 1\n", " ", ".", None),
        ("first name,y\nAda Lovelace,1\nAlan Turing,0\n", ",", ".", None),
        ("x\n1\n2\n", ",", ".", None),
        ("a;b\n1.234,50;1\n2.000,00;2\n", ";", ",", "."),
        ('a,b\n"1,234.50",1\n"2,000.00",2\n', ",", ".", ","),
        ("a;b\n1 234,50;1\n", ";", ",", " "),
        ("a;b\n1'234.50;1\n", ";", ".", "'"),
        ("a;b\n1,234;1\n5,678;2\n", ";", ",", None),
        ("a\tb\n1,234\t1\n5,678\t2\n", "\t", ".", None),
        ('x,y\n0.5,"8444,00"\n0.6,"12,00"\n', ",", ".", None),
        ("day;y\n31.12.2020;1\n01.02.2021;0\n", ";", ".", None),
        ("a;b\r1;2\r", ";", ".", None),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_the_content_tells_delimiter_and_marks(
    content: str, delimiter: str, decimal: str, thousands: str | None, name: str, tmp_path: Path
) -> None:
    if name == "t.tsv" and content.startswith("x\n"):
        delimiter = "\t"  # nothing in it shows one
    found = detect(written(tmp_path, content, name), usual="\t" if name == "t.tsv" else ",").dialect
    assert (found.delimiter, found.decimal, found.thousands) == (delimiter, decimal, thousands)


CELLS = st.text(st.sampled_from("ab ,;\t|\"'\nü1.-€"), max_size=6)


@given(
    st.lists(st.tuples(CELLS, CELLS, st.integers(-99, 99)), min_size=12, max_size=16),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.booleans(),
)
def test_any_quoted_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int]],
    delimiter: str,
    encoding: str,
    packed: bool,
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([("one", "two", "number"), *rows])
    content = out.getvalue().encode(encoding)
    file = written(tmp_path_factory.getbasetemp(), gzip.compress(content) if packed else content)
    table = read_table(file, text=["one", "two"], options=DialectOptions.parse(missing=["<none>"]))
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_told_apart(encoding: str, tmp_path: Path) -> None:
    content = "größe;y\n" + "1,5;Müller\n" * 20_000 + "2,5;Çelik\n"  # longer than the sample
    table = read_table(written(tmp_path, content.encode(encoding)))
    assert table.column_names == ["größe", "y"]
    assert table["größe"][-1].as_py() == 2.5
    assert table["y"][-1].as_py() == "Çelik"
    told = detect(tmp_path / "t.csv").reasons
    assert any("data.encoding" in each for each in told) is not encoding.startswith("utf-8")


def test_western_text_is_a_guess_that_shows_a_word_and_other_bytes_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, ("a,y\n" + "1,x\n" * 50_000 + "1,Müller\n").encode("cp1252"))  # its first umlaut is late
    assert detect(file).reasons == ["is not UTF-8, but taken for cp1252, in which it has 'Müller' (data.encoding)"]
    assert read_table(file)["y"][-1].as_py() == "Müller"
    for encoding, text in (("cp1251", "привет"), ("shift-jis", "日本語"), ("cp850", "Müller"), ("euc-kr", "한국어")):
        file = written(tmp_path, f"a,y\n1,{text}\n".encode(encoding))
        with pytest.raises(ValueError, match=r"neither UTF-8 nor Western European.*data\.encoding="):
            detect(file)
        assert read_table(file, options=DialectOptions.parse(encoding=encoding))["y"].to_pylist() == [text]


def test_what_is_given_beats_what_is_seen_and_is_not_told(tmp_path: Path) -> None:
    file = written(tmp_path, "a;b\n1,5;2\n2,5;3\n")
    found = detect(file, DialectOptions.parse(delimiter="semicolon", decimal="comma", encoding="latin-1"))
    assert (found.dialect.encoding, found.reasons) == ("iso8859-1", [])
    assert detect(written(tmp_path, "a~b\n1~2\n"), DialectOptions.parse(delimiter="~")).dialect.delimiter == "~"


def test_what_training_was_told_holds_only_where_the_content_is_silent(tmp_path: Path) -> None:
    trained = DialectOptions.parse(delimiter=";", decimal=",", encoding="cp1251", missing=["?"])
    silent = detect(written(tmp_path, "x\nпривет\n".encode("cp1251")), fallback=trained).dialect
    assert (silent.delimiter, silent.decimal, silent.encoding, silent.missing) == (";", ",", "cp1251", ("?",))
    seen = detect(written(tmp_path, "a,b\n1.5,2\n"), fallback=trained).dialect
    assert (seen.delimiter, seen.decimal, seen.encoding) == (",", ".", "utf-8")


def test_the_line_of_spreadsheets_names_the_delimiter_and_is_no_header(tmp_path: Path) -> None:
    file = written(tmp_path, "sep=;\r\na;b\r\n1,5;2\r\n")
    assert read_table(file).to_pydict() == {"a": [1.5], "b": [2]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Export of 2024\n\na,b,y\n1,2,x\n2,3,y\n", r"begins with 'Export of 2024'.*remove the line above the header"),
        ("# by me\n# on Monday, 12\na;b;y\n1;2;x\n2;3;y\n3;3;3\n", "begins with '# by me'.*remove the 2 lines above"),
        ("a,b,y\n1,1,2,x\n2,3,4,y\n3,3,4,y\n", r"has 3 cells, but the rows have 4: give the first column a name"),
        ("a,b,y\n1,2,x,\n2,3,y,\n2,3,y,\n", r"has 3 cells, but the rows have 4: every row ends with a delimiter"),
        ("a,b,y\n1;2;x\n2;3;y\n4;4;4\n", "the header of .* is separated by commas, but its rows are not"),
        ("5.1,3.5,1.4,setosa\n4.9,3,1.4,setosa\n", r"holds values, such as 5\.1, not names of columns: add a header"),
        ("6,148,72,1\n1,85,66,0\n", "holds values, such as 6, not names"),
        ("", "is empty: it must have a header"),
        ("\n\n", "is empty: it must have a header"),
        ("a,b\n", "has a header but no row"),
        (b"PK\x03\x04rest", "is a spreadsheet or a zip archive, not a table"),
        (bytes(range(256)) * 4, "is not text"),
        ("a,b\n1,2\n3\n", r"t\.csv, line 3 has a row of 1 cells, but the header has 2"),
        ("a;b\n1;2\n\n3;4;5\n".encode("utf-16"), r"t\.csv, line 4 has a row of 3 cells"),
        (b"sep=;\na;b\n1;2\n3;4;5\n", r"t\.csv, line 4 has a row of 3 cells"),
    ],
)
def test_what_is_no_table_is_refused_with_the_remedy(content: str | bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        read_table(written(tmp_path, content))


@pytest.mark.parametrize("header", ["country,2019,2020,2021", "y,400.5,402.5,405", "0,1,2,3"])
def test_names_that_are_numbers_in_order_are_names(header: str, tmp_path: Path) -> None:
    assert read_table(written(tmp_path, f"{header}\n1,2,3,4\n")).column_names == header.split(",")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"delimiter": "ab"}, "data.delimiter='ab' is not one character: use comma, semicolon, tab"),
        ({"delimiter": '"'}, "is not one character"),
        ({"decimal": ";"}, "data.decimal=';' is not possible: use point, comma"),
        ({"thousands": "x"}, "data.thousands='x' is not possible"),
        ({"thousands": "."}, "data.thousands=. is what stands before the decimals"),
        ({"decimal": ",", "thousands": "comma"}, "data.thousands=comma is what stands before the decimals"),
        ({"encoding": "uft8"}, "data.encoding='uft8' is not an encoding of text; did you mean 'utf-8'?"),
        ({"encoding": "ansi"}, "did you mean 'cp1252'?"),
        ({"encoding": "base64"}, "is not an encoding of text"),
        ({"missing": [None]}, "data.missing has null where text is needed: put quotes around it"),
        ({"missing": "NA"}, "data.missing must be a list, got 'NA'"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(options: dict[str, object], says: str) -> None:
    with pytest.raises((ValueError, TypeError)) as error:
        DialectOptions.parse(**options)  # type: ignore[arg-type]
    assert says in str(error.value)


def test_options_go_by_names_too() -> None:
    named = DialectOptions.parse(
        delimiter="tab", decimal="comma", thousands="point", encoding="utf16", missing=["", -9]
    )
    assert named == DialectOptions("\t", ",", ".", "utf-16", ("", "-9"))
    assert DialectOptions.parse(delimiter="\\t") == DialectOptions.parse(delimiter="\t")
    assert DialectOptions.parse(**named.as_dict()) == named
    assert DialectOptions.parse(encoding="UTF-8-SIG").encoding == "utf-8"


def test_an_encoding_that_the_file_contradicts_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "a,y\n1,2\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"begins as UTF-16 does, but data.encoding=utf-8: leave that out"):
        detect(file, DialectOptions.parse(encoding="utf-8"))
