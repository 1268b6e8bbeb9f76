"""A path on the command line is read as it is, or the message writes it so that it is."""

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from imbalance_lab.app.messages import format_error
from imbalance_lab.app.quoting import quoted
from imbalance_lab.app.validate_arguments import validate_arguments
from imbalance_lab.errors import UsageError


def read_back(shell: str) -> object:
    """What a shell and Hydra make of a word."""
    (word,) = shlex.split(shell)
    value = OverridesParser.create().parse_override(word).value()
    return OmegaConf.to_container(OmegaConf.create({"path": value}), resolve=True)["path"]  # type: ignore[index]


CHARACTERS = st.characters(exclude_categories=("Cs", "Cc")).filter(str.isprintable) | st.sampled_from(
    "\"'\\$ {}[](),=:;~#ü&*?!"
)


KNOWN = ["007", "1e3", "null", "${a}", "\\", "a\\'", '\\"']


@given(st.text(CHARACTERS, min_size=1, max_size=12) | st.sampled_from(KNOWN))
def test_the_quoted_override_means_this_very_text(path: str) -> None:
    assert read_back(quoted("data.path", path)) == path


def suggested(sentence: str) -> str:
    return sentence.rpartition("write ")[2]


@pytest.mark.parametrize(
    "name",
    [
        *("my data (1).csv", "a,b.csv", "k=v.csv", "it's.csv", 'say "hi".csv', "[x].csv", "{y}.csv", "trail.csv "),
        *("ü.csv", "u\u0308.csv", "#1.csv", "a|b;c.csv", "glob(x).csv", "back\\(slash.csv", "${x}.csv", "~x.csv"),
    ],
)
def test_the_hint_for_a_file_that_exists_can_be_copied(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("")
    with pytest.raises(UsageError) as error:
        validate_arguments(["data=table", f"data.path={name}"])
    assert read_back(suggested(str(error.value))) == name
    validate_arguments(["data=table", *shlex.split(suggested(str(error.value)))])


@pytest.mark.parametrize("path", ["my data (1).csv", "[x].csv", '"C:\\my data\\f (1).csv', "it's (1).csv", '"a"b".csv'])
def test_the_hint_for_what_hydra_cannot_read_can_be_copied(path: str) -> None:
    with pytest.raises(HydraException) as error:
        OverridesParser.create().parse_overrides([f"data.path={path}"])
    assert read_back(suggested(str(format_error(error.value)))) == path


@pytest.mark.parametrize("word", ["data.path=1e3", "data.path=true", "data.path=12.50", "ckpt_path=1_0"])
def test_a_path_that_is_read_as_a_number_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"is read as .*, not as text") as error:
        validate_arguments([word])
    assert read_back(suggested(str(error.value))) == word.partition("=")[2]


@pytest.mark.parametrize(
    "word",
    ["data.path=a.csv", "data.path=C:\\my\\f 1.csv", "data.path='a,b.csv'", "data.val_path=null", "seed=7"],
)
def test_what_is_read_as_it_stands_is_left_alone(word: str) -> None:
    validate_arguments([word])
