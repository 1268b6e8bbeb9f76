"""One study for several processes: each trial once, none lost, whatever is killed."""

import socket
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from imbalance_lab.app.search.objectives import Objective
from imbalance_lab.app.search.options import SearchOptions
from imbalance_lab.app.search.pruning import reporter
from imbalance_lab.app.search.quiet import quiet
from imbalance_lab.app.search.shared_study import GRACE, SharedStudy, shown_url
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.status_file import this_process

MONITOR = Objective("val/auroc/macro", "maximize", "auroc", is_returned=True)


def options(directory: Path, **given: Any) -> SearchOptions:
    """Those of a search of ten trials."""
    quiet()
    settings: dict[str, Any] = {
        "n_trials": 10,
        "jobs": 1,
        "seed": 0,
        "objectives": (MONITOR,),
        "sampler": {"_target_": "optuna.samplers.TPESampler"},
        "pruner": None,
        "directory": directory,
        "url": f"sqlite:///{directory}/study.db",
        "study": "search",
        "allow": (),
    }
    return SearchOptions(**(settings | given))


def test_processes_that_share_a_study_do_the_total_together(tmp_path: Path) -> None:
    numbers: list[tuple[int, int, float]] = []
    barrier = threading.Barrier(4)

    def work(own: int) -> None:
        barrier.wait()
        with SharedStudy(options(tmp_path, n_trials=20)) as study:
            while (trial := study.ask()) is not None:
                value = trial.suggest_float("x", 0, 1)
                numbers.append((trial.number, own, value))
                study.tell(trial, TrialState.COMPLETE, [value])

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(number for number, *_ in numbers) == list(range(20))
    assert len({value for *_, value in numbers}) == 20  # no two of them sample the same


def test_a_trial_of_a_process_that_is_gone_is_taken_up_with_its_settings(tmp_path: Path) -> None:
    with SharedStudy(options(tmp_path)) as first:
        trial = first.ask()
        assert trial is not None
        value = trial.suggest_float("x", 0, 1)
    with SharedStudy(options(tmp_path)) as second:
        again = second.ask()
        assert again is not None
        assert (again.number, again.suggest_float("x", 0, 1)) == (0, value)
        following = second.ask()
        assert following is not None
        assert following.number == 1


@pytest.mark.parametrize(
    ("owner", "silence", "is_taken_up"),
    [
        ({"process_start": "earlier"}, 0, True),  # the number of this process, but not its start
        ({"host": "elsewhere"}, 0, False),
        ({"host": "elsewhere"}, GRACE + 60, True),
    ],
)
def test_the_dead_are_told_from_the_living(
    tmp_path: Path, owner: dict[str, Any], silence: float, is_taken_up: bool
) -> None:
    with SharedStudy(options(tmp_path)) as study:
        trial = study.ask()
        assert trial is not None
        trial.set_user_attr("owner", {**this_process(), "search": "x", **owner})
        trial.set_user_attr("alive", time.time() - silence)
        following = study.ask()
        assert following is not None
        assert (following.number == 0) == is_taken_up
    assert this_process()["host"] == socket.gethostname()


def test_signs_of_life_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imbalance_lab.app.search.shared_study.BEAT", 0.05)
    with SharedStudy(options(tmp_path)) as study:
        trial = study.ask()
        assert trial is not None
        before = trial.user_attrs["alive"]
        deadline = time.monotonic() + 20
        while study.trials()[0].user_attrs["alive"] == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_trial_too_many_is_left_out(tmp_path: Path) -> None:
    """Where no file can be locked, two processes may ask for the last trial at the same time."""
    with SharedStudy(options(tmp_path, n_trials=1)) as study:
        assert study.ask() is not None
        monkey = study.trials
        study.trials = lambda: monkey()[:0] if not calls.update([1]) and calls[1] == 1 else monkey()  # type: ignore[method-assign]
        calls: Counter[int] = Counter()
        assert study.ask() is None
        study.trials = monkey  # type: ignore[method-assign]
        assert [each.number for each in study.trials()] == [0]


def test_a_damaged_or_locked_database_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match=r"study.db is damaged \(file is not a database\): restore it from a copy"):
        SharedStudy(options(tmp_path))
    (tmp_path / "study.db").unlink()
    study = SharedStudy(options(tmp_path))
    monkeypatch.setattr("imbalance_lab.app.search.shared_study.WAIT", 0)
    with sqlite3.connect(tmp_path / "study.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UsageError, match=r"study.db is locked by another process"):
            SharedStudy(options(tmp_path))
    other.close()
    assert study.trials() == []
    with pytest.raises(UsageError, match=r"there is no directory /nowhere/at: make it first"):
        SharedStudy(options(tmp_path, url="sqlite:////nowhere/at/all.db"))
    with pytest.raises(UsageError, match=r"sweep.storage=nonsense cannot be used"):
        SharedStudy(options(tmp_path, url="nonsense"))


def test_no_password_is_shown() -> None:
    assert shown_url("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


def test_another_seed_for_each_trial_and_one_for_a_design(tmp_path: Path) -> None:
    def draws(name: str, **given: Any) -> list[float]:
        node = {"_target_": f"optuna.samplers.{name}"}
        (tmp_path / name).mkdir(exist_ok=True)
        values = []
        for _ in range(2):  # as in two processes, one after the other
            with SharedStudy(options(tmp_path / name, sampler=node, n_trials=8, **given)) as study:
                for _ in range(4):
                    trial = study.ask()
                    assert trial is not None
                    values.append(trial.suggest_float("x", 0, 1) + 2 * (trial.suggest_categorical("y", "ab") == "a"))
                    study.tell(trial, TrialState.COMPLETE, [0.5])
        return values

    for name in ("TPESampler", "RandomSampler", "QMCSampler"):
        assert len(set(draws(name))) == 8
    cells = sorted(int(4 * (value % 2)) for value in draws("QMCSampler", study="b")[1:5])
    assert len(set(cells)) >= 3  # quasi-random points fill the quarters evenly, over both processes


def test_a_pruner_is_asked_through_the_storage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pruner = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 2}
    with SharedStudy(options(tmp_path, pruner=pruner)) as study:
        content = {"storage": study.options.url, "study": "search", "pruner": pruner, "allow": []}
        answers = []
        for score in (0.8, 0.9, 0.7, 0.95):
            trial = study.ask()
            assert trial is not None
            report = reporter({**content, "number": trial.number})
            answers.append([report(epoch, score) for epoch in (1, 2, 2)])  # a resumed run reports an epoch again
            study.tell(trial, TrialState.COMPLETE, [score])
            assert report(3, 0.1) is False  # it has ended
        assert answers == [[False] * 3, [False] * 3, [True] * 3, [False] * 3]
        assert study.trials()[2].intermediate_values == {1: 0.7, 2: 0.7}
    stray = reporter({**content, "number": 0, "storage": f"sqlite:///{tmp_path}/none/study.db"})
    assert stray(1, 0.5) is False
    assert "epoch 1 is not reported to the search" in capsys.readouterr().err
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
