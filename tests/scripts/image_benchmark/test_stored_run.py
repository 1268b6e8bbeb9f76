import numpy as np
import pytest
from image_benchmark.results import score
from image_benchmark.stored_run import StoredRun

from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.scripts.image_benchmark.conftest import stored


def test_what_is_written_is_read(tmp_path):
    run = stored()
    run.write(tmp_path / "new" / "r.npz")
    found = StoredRun.read(tmp_path / "new" / "r.npz")
    assert (found.train_prior, found.train_counts, found.epochs) == (run.train_prior, run.train_counts, run.epochs)
    for one, other in ((found.val, run.val), (found.test, run.test)):
        assert one.task == other.task
        assert np.array_equal(one.index, other.index)
        assert np.array_equal(one.target, other.target)
        assert np.array_equal(one.logits, other.logits)  # what shares a ranking must not differ in AUROC


def test_the_last_epoch_is_kept_not_the_best(finished_run, tmp_path):
    directory = RunDirectory(finished_run)
    run = StoredRun.of(directory)
    of_last = directory.predictions("test", "last")
    wanted = Predictions.read(of_last) if of_last.is_file() else directory.read_predictions("test")
    assert np.array_equal(run.test.logits, wanted.logits)
    assert run.epochs == 3
    assert sum(run.train_counts) > 0
    assert sum(run.train_prior) == pytest.approx(1)
    weights = read_checkpoint_file(directory.last_checkpoint)["state_dict"]
    assert run.head.bias == pytest.approx(weights["head.bias"].tolist())
    run.write(tmp_path / "r.npz")
    assert StoredRun.read(tmp_path / "r.npz").head == run.head


def test_logit_adjustment_is_that_of_its_paper():
    run = stored()
    words = ["loss=cross_entropy", "calibration=none", "data=digits_lt"]
    (_, raw), (_, adjusted) = (score(run, [*words, *more]) for more in ([], ["prior_correction=logit_adjustment"]))
    for found, logits in ((raw, run.test.logits), (adjusted, run.test.logits - np.log(run.train_prior))):
        right = logits.argmax(1) == run.test.target
        recalls = [right[run.test.target == c].mean() for c in range(3)]
        assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
        assert found["worst_class_recall"] == pytest.approx(min(recalls))
        assert [found[f"recall_{group}"] for group in ("many", "few")] == pytest.approx(
            [np.mean(recalls[:2]), recalls[2]]
        )
    assert "recall_medium" not in raw
    assert adjusted["balanced_accuracy"] > raw["balanced_accuracy"]
