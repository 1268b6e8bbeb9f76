"""Both stages of a training: their scores, the paired differences, and stored predictions of another run."""

from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.comparison import compare
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.stages import compare_stages, read_stage_1
from imbalance_lab.report.stage_texts import stage_sentences, stage_table

METADATA = {"epoch": 12, "stage_1": {"epoch": 7}}


def predictions(skill: float, seed: int, classes: tuple[str, ...] = ("cat", "dog", "eel"), n: int = 300) -> Predictions:
    C = len(classes)
    target = np.random.default_rng(9).permutation(np.arange(n) % (3 * C) % C if C > 2 else (np.arange(n) % 5 == 0) * 1)
    logits = np.random.default_rng(seed).normal(size=(n, C)) + skill * np.eye(C)[target]
    return Predictions.of(classes, np.arange(n), target, logits.astype(np.float32))


def report(classes: tuple[str, ...] = ("cat", "dog", "eel")):
    counts = [200, 50, 10][: len(classes)]
    val, test, *stage_1 = (predictions(skill, seed, classes) for skill, seed in ((2, 1), (2, 2), (0.5, 3), (0.5, 4)))
    found = compare_stages(Evaluation(val, counts), Evaluation(test, counts), (stage_1[0], stage_1[1]), METADATA)
    return found, test, stage_1[1]


def test_scores_and_differences_are_those_of_the_stored_predictions() -> None:
    found, after, before = report()
    assert (found.stage_1.epoch, found.stage_2.epoch, found.of_class) == (7, 12, None)
    expected = compare(after, before).scores
    for name, compared in found.differences.items():
        assert compared == expected[name]
        of_stages = found.stage_2.test[name].value - found.stage_1.test[name].value
        assert compared.comparison.difference == pytest.approx(of_stages)
        assert compared.comparison.difference > 0
    assert found.stage_1.recall.keys() == {"many", "medium", "few"}
    content = found.as_json()
    assert content["stage_1"]["val"]["auroc"]["value"] == pytest.approx(found.stage_1.val["auroc"].value)


def test_of_a_binary_task_auroc_and_average_precision_are_of_the_positive_class() -> None:
    found, after, before = report(("good", "bad"))
    assert found.of_class == "bad"
    one, two = (Evaluation(each, [200, 50]).classes[1] for each in (before, after))
    for name in ("auroc", "average_precision"):
        difference = getattr(two, name).value - getattr(one, name).value
        assert found.differences[name].comparison.difference == pytest.approx(difference)
        assert found.stage_2.test[name] == getattr(two, name)


def test_the_sentence_claims_no_more_than_the_interval() -> None:
    found, *_ = report()
    (sentence,) = stage_sentences(found)
    assert sentence.startswith("Stage 2 raises the balanced accuracy: +0.")
    same = predictions(1, 1)
    evaluation = Evaluation(same, [200, 50, 10])
    (sentence,) = stage_sentences(compare_stages(evaluation, evaluation, (same, same), METADATA))
    assert sentence.startswith("Stage 2 does not distinguishably change the balanced accuracy")
    assert (stage_sentences(None), stage_table(None)) == ([], None)


def test_stored_predictions_of_other_examples_are_refused(tmp_path: Path) -> None:
    run, own = RunDirectory(tmp_path), predictions(1, 1)
    assert read_stage_1(run, {}, own, own) is None
    own.write(run.predictions("val", "stage_1"))
    predictions(1, 1, n=299).write(run.predictions("test", "stage_1"))
    with pytest.raises(UsageError, match=r"stage_1/test.parquet is of another run"):
        read_stage_1(run, METADATA, own, own)
    run.predictions("val", "stage_1").unlink()
    with pytest.raises(UsageError, match=r"stage_1/val.parquet is missing"):
        read_stage_1(run, METADATA, own, own)
