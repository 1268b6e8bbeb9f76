"""The study of a search as it is read from its file."""

import copy
import json
from pathlib import Path
from typing import Any

import optuna
import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.study import STUDY, Study, read_study
from tests.helpers.studies import study_content


def stored(folder: Path, content: dict[str, Any]) -> Study:
    """The study of a file with this content."""
    (folder / STUDY).write_text(json.dumps(content))
    study = read_study(folder)
    assert study is not None
    return study


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_optunas(tmp_path: Path, seed: int) -> None:
    study = stored(tmp_path, study_content(30, 2, seed=seed))
    oracle = optuna.create_study(directions=["maximize", "minimize"])
    oracle.add_trials([optuna.trial.create_trial(values=list(each.values)) for each in study.complete])
    numbers = [each.number for each in study.complete]
    assert {each.number for each in study.front} == {numbers[each.number] for each in oracle.best_trials}
    firsts = [each.values[0] for each in study.front]
    assert firsts == sorted(firsts, reverse=True)


def test_the_best_so_far_never_gets_worse_and_waits_for_the_first_value(tmp_path: Path) -> None:
    content = study_content(20, 2)
    content["trials"][0] |= {"state": "pruned", "values": None}
    study = stored(tmp_path, content)
    for place, sign in ((0, 1), (1, -1)):
        best = study.best_so_far(place)
        assert best[0] is None
        known = [sign * each for each in best if each is not None]
        assert known == sorted(known)
        assert known[-1] == max(sign * each.values[place] for each in study.complete)


def test_one_objective_has_one_best_unless_several_are_equal(tmp_path: Path) -> None:
    content = study_content(6)
    study = stored(tmp_path, content)
    assert study.front[0].values == (max(each.values[0] for each in study.complete),)
    assert len(study.front) == 1
    for trial in content["trials"]:
        trial["values"] = [0.5] if trial["state"] == "complete" else None
    assert [each.number for each in stored(tmp_path, content).front] == [each.number for each in study.complete]


DAMAGE: list[tuple[tuple[Any, ...], Any]] = [
    (("trials", 0, "values"), [0.1, 0.2]),
    (("trials", 0, "values"), ["x"]),
    (("trials", 0, "state"), "done"),
    (("trials", 0, "number"), -1),
    (("trials",), None),
    (("objectives",), []),
    (("objectives", 0, "direction"), "up"),
    (("importances",), [[{"key": "a", "share": 7, "n": 1}]]),
    (("space",), ["x"]),
]


@pytest.mark.parametrize(("place", "value"), DAMAGE)
def test_a_damaged_file_is_named(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    content = copy.deepcopy(study_content(2))
    node: Any = content
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    with pytest.raises(UsageError, match=r"study.json is damaged .*run the search again with the same command"):
        stored(tmp_path, content)
    (tmp_path / STUDY).unlink()
    assert read_study(tmp_path) is None
