"""Joined folds: which score is a mean and which is of all counts, what is undefined, and what the files hold."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.score_keys import stored_scores
from imbalance_lab.evaluation.sweep import read_run
from imbalance_lab.metrics import resampled_mean
from tests.helpers.cross_validations import made_cross_validation


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cv") / "run"
    # folds on scales of their own: together their scores rank worse than each does
    made_cross_validation(folder, ["loss=focal"], skill=2, folds=4, repeats=2, scales=(1, 8, 0.2))
    return folder


def fold_predictions(folder, numbers=range(8)):
    return [RunDirectory(RunDirectory(folder).fold(number)).read_predictions("test") for number in numbers]


def test_auroc_is_the_mean_of_the_folds_and_not_that_of_all_scores_together(joined):
    scores = json.loads((joined / "metrics.json").read_text())["test"]
    parts = fold_predictions(joined)
    each = [roc_auc_score(part.target, part.logits[:, 1] - part.logits[:, 0]) for part in parts]
    assert scores["auroc"]["value"] == pytest.approx(np.mean(each))
    assert scores["auroc"]["folds"] == 8
    expected = resampled_mean(each, 60 / 180).interval()
    assert scores["auroc"]["ci95"] == pytest.approx((expected[0], min(1, expected[1])))
    target, z = (np.concatenate([getattr(part, name) for part in parts[:4]]) for name in ("target", "logits"))
    assert abs(roc_auc_score(target, z[:, 1]) - np.mean(each[:4])) > 0.01


def test_f1_is_of_the_counts_of_all_folds_and_log_loss_is_a_mean(joined):
    scores = json.loads((joined / "metrics.json").read_text())["test"]
    parts = fold_predictions(joined)
    by_repeat = [parts[:4], parts[4:]]
    f1 = [
        f1_score(
            np.concatenate([part.target for part in some]),
            np.concatenate([part.logits.argmax(1) for part in some]),
            average="macro",
        )
        for some in by_repeat
    ]
    assert scores["macro_f1"]["value"] == pytest.approx(np.mean(f1))
    logits = [part.logits.astype(float) for part in parts]
    p = [np.exp(z[:, 1] - np.logaddexp(*z.T)) for z in logits]
    losses = [log_loss(part.target, each, labels=[0, 1]) for part, each in zip(parts, p, strict=True)]
    assert scores["log_loss"]["value"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert scores["n"] == 240
    assert [each["n_positive"] for each in scores["classes"]] == [200, 40]


def test_the_predictions_of_every_example_are_there_once_a_repeat_with_their_fold(joined):
    for repeat in range(2):
        file = RunDirectory(joined).repeat_predictions(repeat)
        table = pq.read_table(file)
        assert table["index"].to_pylist() == list(range(240))
        fold = np.array(table["fold"])
        for number, part in zip(
            range(4 * repeat, 4 * repeat + 4), fold_predictions(joined)[4 * repeat :], strict=False
        ):
            rows = np.flatnonzero(fold == number)
            assert rows.tolist() == part.index.tolist()
            assert np.array(table["logit_rare"])[rows].tolist() == part.logits[:, 1].tolist()
            own = pq.read_table(RunDirectory(RunDirectory(joined).fold(number)).predictions("test"))
            assert np.array(table["p_rare"])[rows].tolist() == own["p_rare"].to_pylist()
            assert [table["predicted"][int(row)].as_py() for row in rows] == own["predicted"].to_pylist()
    assert (
        RunDirectory(joined)
        .read_predictions("test")
        .fold.equals(pq.read_table(RunDirectory(joined).repeat_predictions(0))["fold"].combine_chunks())
    )


def test_what_is_undefined_in_a_fold_is_left_out_and_counted(tmp_path):
    made = made_cross_validation(tmp_path / "run", [], skill=2, without_positives=True)
    auroc = made.scores["test"]["auroc"]
    parts = fold_predictions(tmp_path / "run", range(1, 4))
    each = [roc_auc_score(part.target, part.logits[:, 1]) for part in parts]
    assert (auroc["folds"], auroc["value"]) == (3, pytest.approx(np.mean(each)))
    assert made.scores["test"]["accuracy"]["folds"] == 4


def test_a_run_of_a_comparison_knows_its_folds(joined):
    run = read_run(joined)
    assert run.damage is None
    assert (run.folds.folds, run.folds.repeats, len(run.folds.scores)) == (4, 2, 8)
    assert run.folds.test_per_train == pytest.approx(1 / 3)
    stored, mean = run.score("test", "auroc"), run.folds.mean("test", "auroc")
    assert (stored.value, *stored.interval) == pytest.approx((mean.value, *mean.interval))
    for fold in run.folds.scores:
        content = RunDirectory(RunDirectory(joined).fold(fold.number)).read_scores()
        assert fold.test == {key: score.value for key, score in stored_scores(content, "test").items()}


def test_a_fold_that_is_damaged_is_named(joined, tmp_path):
    made = made_cross_validation(tmp_path / "run", [], skill=1)
    assert len(made.folds.scores) == 4
    file = RunDirectory(RunDirectory(tmp_path / "run").fold(2)).predictions("test")
    file.write_bytes(file.read_bytes()[:-50])
    from imbalance_lab.evaluation.join_folds import join_folds

    with pytest.raises(UsageError, match=r"folds/2/predictions/test.parquet is damaged"):
        join_folds(RunDirectory(tmp_path / "run"), 4, 1)


def test_it_has_no_model_of_its_own(joined):
    with pytest.raises(UsageError, match=r"a model for each fold and none of all examples: name one, as in .*folds/0"):
        RunDirectory(joined).find_model()
