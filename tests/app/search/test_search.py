"""Searches with a task that is a known function of its settings: nothing is trained."""

import json
from pathlib import Path

import numpy as np
import optuna
import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.study import read_study
from tests.helpers.searches import SPACE, calls, score, search


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search over eight trials."""
    directory = tmp_path_factory.mktemp("search") / "found"
    search(directory, "sweep.n_trials=8", "sweep.seed=2")
    return directory


def test_it_looks_for_the_best_and_not_the_worst(finished: Path) -> None:
    study = read_study(finished)
    assert study is not None
    values = [each.values[0] for each in study.complete]
    assert len(values) == 8
    assert study.front[0].values[0] == max(values) > 0.7
    assert study.objectives[0].score == "auroc"
    later = search(
        finished.parent / "least", "sweep.n_trials=8", "sweep.seed=2", "monitor=val/loss", "monitor_mode=min"
    )
    assert later.front[0].values[0] == min(each.values[0] for each in later.complete) < 0.65


def test_a_key_is_asked_for_only_where_its_choice_has_it(finished: Path) -> None:
    study = read_study(finished)
    assert study is not None
    for trial in study.trials:
        other = {"focal": "loss.gamma", "logit_adjusted": "loss.tau"}[trial.given["loss"]]
        assert set(trial.given) == {"loss", other}
    assert {trial.given["loss"] for trial in study.trials} == {"focal", "logit_adjusted"}


def test_a_run_has_exactly_what_the_trial_was_given(finished: Path) -> None:
    study = read_study(finished)
    stored = optuna.load_study(study_name="search", storage=f"sqlite:///{finished}/study.db").trials
    assert study is not None
    for trial, of_optuna in zip(study.trials, stored, strict=True):
        overrides = RunDirectory(finished / str(trial.number)).read_overrides()
        assert overrides == dict(trial.given)
        assert {key: float(text) for key, text in overrides.items() if key != "loss"} == {
            key: value for key, value in of_optuna.params.items() if key != "loss"
        }


def test_the_same_command_asks_for_the_same_trials(finished: Path) -> None:
    again = search(finished.parent / "again", "sweep.n_trials=8", "sweep.seed=2")
    before = read_study(finished)
    assert before is not None
    assert again.trials == before.trials
    other = search(finished.parent / "other", "sweep.n_trials=2", "sweep.seed=1")
    assert other.trials[1].given != before.trials[1].given


def test_a_search_that_was_interrupted_is_one_that_was_not(tmp_path: Path, finished: Path) -> None:
    stops = ["3", "7"]

    def interrupted(given: dict[str, str], directory: RunDirectory) -> float:
        if directory.path.name in stops:
            stops.remove(directory.path.name)
            raise KeyboardInterrupt
        return score(given, directory)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path / "found", "sweep.n_trials=8", "sweep.seed=2", task=interrupted)
    study = search(tmp_path / "found", "sweep.n_trials=8", "sweep.seed=2", task=interrupted)
    uninterrupted = read_study(finished)
    assert uninterrupted is not None
    assert study.trials == uninterrupted.trials
    assert calls(tmp_path / "found") == sorted([*map(str, range(8)), "3", "7"], key=int)


def test_n_trials_is_a_total(tmp_path: Path) -> None:
    first = search(tmp_path, "sweep.n_trials=2")
    assert search(tmp_path, "sweep.n_trials=2").trials == first.trials
    more = search(tmp_path, "sweep.n_trials=4")
    assert more.trials[:2] == first.trials
    assert calls(tmp_path) == ["0", "1", "2", "3"]


def test_a_failing_trial_stops_nothing(tmp_path: Path) -> None:
    def failing(given: dict[str, str], directory: RunDirectory) -> float:
        if directory.path.name == "1":
            raise UsageError("there is no such thing")
        return float("nan") if directory.path.name == "2" else score(given, directory)

    with pytest.raises(UsageError, match=r"2 of 4 trials failed, the first one 1: there is no such thing"):
        search(tmp_path, "sweep.n_trials=4", task=failing)
    study = read_study(tmp_path)
    assert study is not None
    assert [each.state for each in study.trials] == ["complete", "fail", "fail", "complete"]
    assert study.trials[2].error == "val/auroc/macro is undefined on the validation split"


def test_settings_that_are_known_are_not_trained_again(tmp_path: Path) -> None:
    study = search(tmp_path, "sweep.n_trials=6", space=["loss.gamma=choice(1,2)"])
    assert study.count("complete") == 6
    assert len(calls(tmp_path)) == len({each.given["loss.gamma"] for each in study.trials}) == 2
    assert {each.run for each in study.trials} == set(calls(tmp_path))


@pytest.mark.parametrize("n_trials", [4, 9])
def test_a_sampler_that_has_tried_everything_ends_the_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n_trials: int
) -> None:
    every = "sweep.sampler={_target_: optuna.samplers.BruteForceSampler}"
    study = search(tmp_path, every, f"sweep.n_trials={n_trials}", space=("loss.gamma=choice(0,1,2,5)",))
    assert sorted(trial.given["loss.gamma"] for trial in study.complete) == ["0", "1", "2", "5"]
    said = f"every setting is tried, after 4 of {n_trials} trials" in capsys.readouterr().out
    assert said == (n_trials > 4)


def test_lists_mappings_steps_and_logarithms_are_written_as_they_were_given(tmp_path: Path) -> None:
    space = [
        "loss.alpha=choice([0.25,0.75],[0.5,0.5],{a:'b c'})",
        "max_epochs=range(50,200,50)",
        "optimizer.lr=tag(log,interval(1e-5,1e-1))",
        "batch_size=tag(log,int(interval(8,256)))",
        "head_lr=range(0.1,0.5,0.1)",
        "sampler=choice(square_root,shuffled)",
    ]
    study = search(tmp_path, "sweep.n_trials=5", task=lambda given, _: len(given["head_lr"]) / 10, space=space)
    for trial in study.complete:
        given = trial.given
        assert given["loss.alpha"] in ("[0.25,0.75]", "[0.5,0.5]", "{a:'b c'}")
        assert given["max_epochs"] in ("50", "100", "150")
        assert given["head_lr"] in [str(number) for number in np.arange(0.1, 0.5, 0.1)]
        assert 1e-5 <= float(given["optimizer.lr"]) <= 0.1
        assert 8 <= int(given["batch_size"]) <= 256
        assert given["sampler"] in ("square_root", "shuffled")
        assert RunDirectory(tmp_path / str(trial.number)).read_overrides() == given
    assert study.count("complete") == 5


def test_several_objectives_are_read_from_the_run(tmp_path: Path) -> None:
    def scored(given: dict[str, str], directory: RunDirectory) -> float:
        gamma = float(given["loss.gamma"])
        scores = {"auroc": gamma / 5, "calibration_error": (gamma / 5) ** 2}
        val = {key: {"value": value, "ci95": None} for key, value in scores.items()}
        directory.write_scores({"val": val, "test": val})
        return 0.0

    words = ["sweep.n_trials=4", "sweep.objectives=[val/auroc/macro,calibration_error]"]
    study = search(tmp_path, *words, task=scored, space=["loss.gamma=interval(0,5)"])
    assert [each.is_lower_better for each in study.objectives] == [False, True]
    assert len(study.front) == 4  # more of the one is more of the other
    best = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path}/study.db").best_trials
    assert {each.number for each in best} == {each.number for each in study.front}
    with pytest.raises(UsageError, match="has no macro_f1 on validation"):
        search(tmp_path / "b", "sweep.n_trials=1", "sweep.objectives=[auroc,macro_f1]", task=scored, space=SPACE[1:2])


def test_a_study_is_of_one_space(tmp_path: Path) -> None:
    search(tmp_path, "sweep.n_trials=1")
    with pytest.raises(UsageError, match=r"has space .*interval\(0,5\).*not .*interval\(0,4\).*another"):
        search(tmp_path, "sweep.n_trials=2", space=[SPACE[0], "loss.gamma=interval(0,4)"])
    with pytest.raises(UsageError, match="has settings none, and not seed=3"):
        search(tmp_path, "sweep.n_trials=2", "seed=3")
    assert search(tmp_path, "sweep.n_trials=2", "num_workers=1").count("complete") == 2


MISTAKES = {
    "sweep.n_trials=0": r"sweep.n_trials must be an integer ≥ 1",
    "sweep.jobs=0": r"sweep.jobs .or auto. must be an integer ≥ 1",
    "sweep.seed=-1": r"sweep.seed must be an integer",
    "sweep.sampler=tpa": r"sweep.sampler=tpa is not one of Optuna's; did you mean 'tpe'",
    "sweep.sampler={_target_: optuna.samplers.TPESampler, n_startup_trial: 3}": r"n_startup_trial",
    "sweep.sampler={_target_: os.system}": r"_target_",
    "sweep.sampler={_target_: optuna.pruners.MedianPruner}": r"is not a BaseSampler of Optuna",
    "sweep.sampler={_target_: optuna.samplers.TPESampler, seed: 3}": r"give sweep.seed",
    "sweep.pruner=mean": r"sweep.pruner=mean is not one of Optuna's",
    "monitor_mode=min": r"higher.*would search for the worst: choose monitor_mode=max",
    "monitor=val/loss": r"lower.*choose monitor_mode=min",
    "monitor=val/aurok/macro": r"did you mean 'val/auroc/macro'",
    "sweep.objectives=[auroc,aurok]": r"aurok is not a score of validation; did you mean 'auroc'",
    "sweep.objectives=[auroc,val/auroc/macro]": r"different scores",
    "sweep.objectives=[]": r"different scores",
    "sweep.objectives=[test/auroc]": r"on test, where nothing may be chosen",
    "sweep.storage=sqlite:////tmp/x.db": r"sweep.study=NAME",
    "check=true": r"runs that train",
    "loss.gama=interval(0,1)": r"no loss.gama with any choice of loss; did you mean loss.gamma",
    "max_epochs=interval(5,1)": r"the lower one first",
    "optimizer.lr=tag(log,interval(0,1))": r"the lower end must be above 0",
    "optimizer.lr=tag(lag,interval(0,1))": r"the tag lag says nothing; did you mean 'log'",
    "optimizer.lr=tag(log,choice(1,2))": r"a choice has no scale",
    "sampler=interval(0,1)": r"sampler has choices",
    "monitor=val/loss,val/auroc/macro": r"a search cannot vary monitor",
    "hydra.sweep.subdir=x_${hydra.job.num}": r"leave it out",
}


@pytest.mark.parametrize("word", MISTAKES)
def test_a_mistake_is_one_sentence_before_anything_is_written(tmp_path: Path, word: str) -> None:
    directory = tmp_path / "none"
    with pytest.raises(UsageError, match=MISTAKES[word]) as caught:
        search(directory, word)
    assert "\n" not in str(caught.value)
    assert not directory.exists()


def test_a_fixed_key_is_left_out_where_its_choice_does_not_have_it(tmp_path: Path) -> None:
    given: list[dict[str, str]] = []
    space = [SPACE[0], "loss.gamma=2", "optimizer.lr=interval(0,1)"]
    search(tmp_path, "sweep.n_trials=4", task=lambda own, _: float(given.append(own) or len(given)), space=space)
    assert {(each["loss"], each.get("loss.gamma")) for each in given} == {("focal", "2"), ("logit_adjusted", None)}


def test_nothing_to_vary_and_runs_of_another_sweep_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to vary"):
        search(tmp_path, "loss.gamma=2", space=[])
    (tmp_path / "0").mkdir()
    RunDirectory(tmp_path / "0").write_status({"state": "finished"})
    with pytest.raises(UsageError, match="runs of another sweep"):
        search(tmp_path)


def test_the_record_is_readable_as_plain_values(finished: Path) -> None:
    content = json.loads((finished / "study.json").read_text())
    assert content["sampler"] == "TPESampler"
    shares = {row["key"]: row["n"] for row in content["importances"][0]}
    assert set(shares) <= {"loss", "loss.gamma", "loss.tau"}
    assert shares["loss"] == 8
