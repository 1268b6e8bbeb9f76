"""Numbers, paths and the console itself."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from imbalance_lab.evaluation.scores import Score
from imbalance_lab.report import terminal
from imbalance_lab.report.terminal import console, interval, print_path


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.12349, (0.1, 0.98765)), "0.123 [0.100, 0.988]"),
        (Score(1.0, (0.5, 1.0)), "1.000 [0.500, 1.000]"),
        (Score(0.5), "0.500"),
        (Score(float("nan")), "–"),
    ],
)
def test_a_score_is_three_digits_with_its_interval_and_a_dash_where_undefined(score, text):
    assert interval(score) == text


def test_outside_a_terminal_the_console_is_a_hundred_wide_and_plain(capsys):
    console().print("[0.1,0.9]," * 20, style="red")
    assert capsys.readouterr().out.splitlines() == ["[0.1,0.9]," * 10] * 2


def linked(monkeypatch, capsys, path, opens=None, **options):
    """What `print_path` writes to a terminal."""
    monkeypatch.setattr(terminal, "console", lambda: Console(force_terminal=True, width=20, **options))
    print_path(path, opens)
    return capsys.readouterr().out


def test_a_path_in_a_pipe_is_plain_and_on_one_line(capsys, tmp_path):
    path = tmp_path / ("long" * 60)
    print_path(path)
    assert capsys.readouterr().out == f"{path}\n"


def test_a_path_in_a_terminal_is_a_link_to_the_page_and_never_wrapped(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = Path("my runs") / ("ü" * 30)
    out = linked(monkeypatch, capsys, run, run / "report.html", color_system="standard")
    (uri,) = re.findall(r"\x1b]8;id=\d+;(file://[^\x1b]*)\x1b", out)
    assert uri == (tmp_path / run / "report.html").as_uri()
    assert re.sub(r"\x1b]8;[^\x1b]*\x1b\\", "", out) == f"{run}\n"


def test_a_terminal_that_can_not_link_gets_the_path_and_control_characters_are_seen(monkeypatch, capsys, tmp_path):
    assert linked(monkeypatch, capsys, tmp_path / "a\x1b]8;;b", color_system=None) == f"{tmp_path}/a\\x1b]8;;b\n"
