"""Text from data does nothing in a terminal, a shell or a spreadsheet."""

import shlex
import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from imbalance_lab.text import csv_cell, override, shell_words, visible


@pytest.mark.parametrize(
    "char", [chr(c) for c in (*range(32), *range(127, 160), 0x202E, 0x2066, 0x200B, 0xFEFF, 0xDCFF)]
)
def test_no_control_character_is_left(char: str) -> None:
    shown = visible(f"a{char}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert shown[0] == "a"
    assert shown[-1] == "b"


@pytest.mark.parametrize("text", ["Größe", "猫", "a\u00a0b", "👩\u200d🔬", "می\u200cخواهم", "", "[red]"])
def test_letters_of_any_language_stay(text: str) -> None:
    assert visible(text) == text


def test_a_line_end_stays_where_it_is_meant() -> None:
    assert visible("a\nb\x07", keep="\n") == "a\nb\\x07"


HOSTILE = ["a b", "$(touch x)", "`id`", "a;b", "a'b", 'a"b', "a\nb", "a\tb\\n", "\x1b[2J", "-x", "", "é\u202e"]


@pytest.mark.parametrize("word", HOSTILE)
def test_bash_reads_back_every_word(word: str) -> None:
    line = shell_words("printf", "%s", word)
    assert "\n" not in line
    assert visible(line) == line
    assert subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout.decode() == word


@pytest.mark.parametrize(
    "value",
    [
        *HOSTILE,
        "a,b",
        "[a]",
        "{a: b}",
        "a=b",
        "1",
        "true",
        "null",
        "1e5",
        "${oc.env:HOME}",
        "x${y}",
        "\\\\${x}",
        "a\\",
        "\\'",
        "\\\\'\\",
    ],
)
def test_hydra_reads_back_every_value(value: str) -> None:
    (parsed,) = OverridesParser.create().parse_overrides([override("ckpt_path", value)])
    read = OmegaConf.create({"ckpt_path": parsed.value()}).ckpt_path
    assert read == value


def test_plain_words_are_quoted_as_usual() -> None:
    words = ["imbalance-lab", "evaluate", "my runs", "loss.alpha=[0.25,0.75]"]
    assert shell_words(*words) == shlex.join(words)


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|x", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'", "'=x", "--1", "-1e", "="]
)
def test_what_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["cat", "-7", "+2.5", "-.5e-3", "", "a=b", -1, -1.5, None, float("-inf"), 0])
def test_numbers_and_other_text_stay(value: object) -> None:
    assert csv_cell(value) is value
