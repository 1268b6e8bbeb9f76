"""A cross-validation from the words of its command line: a fold that fails, one that is not repeated, and the whole."""

import json
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from imbalance_lab.app import job
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.cross_validation import is_cross_validation
from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.run_data import validation_data
from imbalance_lab.app.splits import fold_of
from imbalance_lab.app.validate_arguments import written_out
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from imbalance_lab.text import split_override
from tests.conftest import composed
from tests.helpers.command_line import finished
from tests.helpers.images import tree
from tests.helpers.jobs import run_in

WORDS = ("cv.folds=3", "max_epochs=1", "logger=csv", "seed=5")


def test_the_short_form_is_that_of_the_number_of_folds():
    assert written_out(["-m", "cv=5,10", "cv.repeats=2", "data.path=cv=3"]) == [
        *("-m", "cv.folds=5,10", "cv.repeats=2", "data.path=cv=3")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cv.repeats=2"], "cv.repeats=2 needs a number of folds: add cv=5"),
        (["cv.fold=1"], "cv.fold=1 needs a number of folds"),
        (["cv.folds=1"], "cv.folds must be"),
        (["cv.folds=3", "cv.fold=3"], "cv.fold must be"),
        (["cv.folds=abc"], "cv.folds must be"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(words, message):
    with pytest.raises(UsageError, match=message):
        fold_of(compose_config(words))


def test_a_checkpoint_is_no_cross_validation_and_a_source_without_folds_cannot_be_dealt():
    with pytest.raises(UsageError, match=r"cv.folds=3 trains a model for each fold, but ckpt_path=a.ckpt is one model"):
        is_cross_validation(compose_config(["cv.folds=3", "ckpt_path=a.ckpt"]))
    assert not is_cross_validation(compose_config(["cv.folds=3", "check=true"]))
    with pytest.raises(UsageError, match="cv: medmnist takes no fold, as data with a split of their own"):
        instantiate_experiment(composed("data=medmnist", "data.flag=breastmnist", "cv.folds=3"))


@pytest.fixture(scope="module")
def failed_once(tmp_path_factory):
    """A cross-validation whose fold 1 has failed at first; what was printed and raised then, and its fold 0."""
    folder = tmp_path_factory.mktemp("cv") / "run"
    genuine = job.train

    def fail_in_fold_1(config, experiment, directory):
        if config.cv.fold == 1:
            raise RuntimeError("a fault")
        return genuine(config, experiment, directory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "train", fail_in_fold_1)
        with pytest.raises(UsageError) as raised:
            run_in(folder, *WORDS)
    status = RunDirectory(folder).read_status()
    before = [RunDirectory(RunDirectory(folder).fold(k)).metadata.stat().st_mtime_ns for k in (0, 2)]
    score = run_in(folder, *WORDS)
    return folder, str(raised.value), status, before, score


def test_a_fold_that_fails_keeps_no_other_from_running_and_the_next_start_repeats_only_it(failed_once):
    folder, message, status, before, _ = failed_once
    assert message.startswith("1 of 3 folds failed, fold 1: RuntimeError: a fault (traceback in ")
    assert (status["state"], status["error"]) == ("failed", message)
    assert RunDirectory(folder).read_status()["state"] == "finished"
    after = [RunDirectory(RunDirectory(folder).fold(k)).metadata.stat().st_mtime_ns for k in (0, 2)]
    assert after == before


def test_its_score_is_the_mean_of_the_folds_validation_and_its_files_are_of_all(failed_once):
    folder, *_, score = failed_once
    runs = [RunDirectory(RunDirectory(folder).fold(k)) for k in range(3)]
    assert score == pytest.approx(np.mean([run.read_status()["score"] for run in runs]))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test"]["auroc"]["value"] == pytest.approx(
        np.mean([run.read_scores()["test"]["auroc"]["value"] for run in runs])
    )
    index = pq.read_table(folder / "predictions" / "test.parquet")["index"].to_pylist()
    assert index == sorted(index)
    assert len(index) == metrics["test"]["n"] == sum(run.read_metadata()["examples"]["test"] for run in runs)
    assert (folder / "report.html").read_text().count("3-fold cross-validation") == 2


def test_a_fold_is_a_run_of_its_own_with_its_own_seed_that_finds_its_data_again(failed_once):
    run = RunDirectory(RunDirectory(failed_once[0]).fold(1))
    overrides = dict(map(split_override, run.read_override_list()))
    assert (overrides["cv.folds"], overrides["cv.fold"]) == ("3", "1")
    others = [RunDirectory(RunDirectory(failed_once[0]).fold(k)).read_overrides()["seed"] for k in (0, 2)]
    assert len({overrides["seed"], "5", *others}) == 4
    assert len(validation_data(run).test) == len(run.read_predictions("test").index)
    assert load_model(run.path).classes
    with pytest.raises(UsageError, match="is a cross-validation, which has a model for each fold"):
        load_model(failed_once[0])


@pytest.mark.exhaustive
def test_another_evaluation_evaluates_every_fold_and_joins_them_anew(failed_once):
    folder = failed_once[0]
    before = json.loads((folder / "metrics.json").read_text())
    evaluate_again([folder], ["operating_point=min_recall", "operating_point.min_recall=0.5"])
    after = json.loads((folder / "metrics.json").read_text())
    assert after["test"]["auroc"] == before["test"]["auroc"]
    assert after["test_at_thresholds"] != before["test_at_thresholds"]


def cases(folder):
    """Of each kind of data the words of a cross-validation, and the examples that its test folds have in all."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(240, 3)), columns=list("abc"))
    table["patient"] = rng.integers(0, 40, 240)
    table["y"] = (table.a + rng.normal(size=240) > 1).astype(int)
    table["z"] = (table.b > 0.8).astype(int)
    table["when"] = pd.date_range("2024-01-01", periods=240, freq="h")
    table.to_csv(folder / "table.csv", index=False)
    tree(folder / "images", each=12)
    read = ("data=table", f"data.path={folder / 'table.csv'}", "backbone=mlp")
    return {
        "groups": ((*read, "data.target=y", "data.group=patient", "data.drop=[when,z]", "trainer=cpu"), 240),
        "time": (
            (*read, "data.target=y", "data.time=when", "data.drop=[patient,z]", "trainer=cpu"),
            180,
        ),  # the first part is never test
        "labels": ((*read, "data.target=[y,z]", "data.drop=[patient,when]", "loss=sigmoid_focal", "trainer=cpu"), 240),
        "images": (("data=image_folder", f"data.root={folder / 'images'}", "num_workers=0", "trainer=cpu"), 36),
        "two processes": (
            (*read, "data.target=y", "data.drop=[patient,when,z]", "trainer=ddp_cpu", "trainer.devices=2"),
            240,
        ),
    }


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["groups", "time", "labels", "images", "two processes"])
def test_every_kind_of_data_is_cross_validated_by_the_program(kind, tmp_path):
    words, n = cases(tmp_path)[kind]
    run = RunDirectory(finished(*words, "cv=3", "max_epochs=1", "logger=none", cwd=tmp_path))
    index = pq.read_table(run.path / "predictions" / "test.parquet")["index"].to_pylist()
    assert len(index) == len(set(index)) == n
    folds = [RunDirectory(run.fold(k)) for k in range(3)]
    tested = [set(fold.read_predictions("test").index.tolist()) for fold in folds]
    assert set.union(*tested) == set(index)
    assert sum(map(len, tested)) == n
    if kind == "groups":
        patient = pd.read_csv(tmp_path / "table.csv")["patient"].to_numpy()
        groups = [set(patient[sorted(each)]) for each in tested]
        assert not any(a & b for a, b in combinations(groups, 2))
    if kind == "time":
        assert all(max(a) < min(b) for a, b in pairwise(tested))
