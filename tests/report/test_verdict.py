import numpy as np
import pytest

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.report.verdict import verdict


def told(recalls: list[float], counts: list[int], n: int = 200) -> str:
    """The verdict on classes of n test examples each, of which so many are found."""
    C = len(recalls)
    target = np.repeat(np.arange(C), n)
    decided = np.concatenate([np.where(np.arange(n) < r * n, c, (c + 1) % C) for c, r in enumerate(recalls)])
    logits = 5 * np.eye(C, dtype=np.float32)[decided]
    names = tuple(f"class {c}" for c in range(C))
    return " ".join(verdict(Evaluation(Predictions(names, np.arange(C * n), target, logits), counts)))


def test_all_rare_classes_found() -> None:
    assert told([0.9, 0.9, 0.8], [500, 15, 10]).startswith(
        "Both classes with fewer than 20 training examples are found"
    )


def test_one_missed_and_one_that_cannot_be_told() -> None:
    text = told([0.9, 0.9, 0.2, 0.5], [500, 15, 10, 5])
    assert "1 of 3 classes with fewer than 20 training examples is found" in text
    assert "class 2 is missed" in text
    assert "of class 3 it cannot be told" in text
    assert "worst of them is class 2 with recall 0.200" in text


def test_without_few_the_rarest_third_is_meant() -> None:
    assert told([0.9, 0.9, 0.9], [500, 300, 200]).startswith("The rarest class, class 2, is found")


def test_one_rare_class_alone_may_be_missed_or_open() -> None:
    assert told([0.9, 0.9, 0.2], [500, 300, 10]).startswith("The rarest class, class 2, is missed")
    assert told([0.9, 0.9, 0.5], [500, 300, 10]).startswith(
        "Whether the rarest class, class 2, is found cannot be told"
    )


def test_a_common_class_that_is_missed_is_told_too() -> None:
    assert "Not rare, but missed: class 0." in told([0.1, 0.9, 0.9], [500, 300, 200])


@pytest.mark.parametrize("n", [1, 3])
def test_with_too_few_examples_nothing_is_claimed(n: int) -> None:
    assert "is found:" not in told([1.0, 1.0, 1.0], [500, 300, 10], n)


def test_a_label_that_everybody_is_taken_for_is_not_found_without_a_word_on_the_alarms():
    target = (np.arange(300)[:, None] % 10 < [5, 1]).astype(np.int64)
    flagging = Predictions(("a", "b"), np.arange(300), target, np.ones((300, 2), np.float32), "sigmoid")
    told = verdict(Evaluation(flagging, [500, 5]))
    assert "is found" in told[0]
    assert told[2].startswith("Of the alarms for b a share of 0.100 [0.0")
    silent = Predictions(("a", "b"), np.arange(300), target, -np.ones((300, 2), np.float32), "sigmoid")
    assert not any("alarms" in sentence for sentence in verdict(Evaluation(silent, [500, 5])))
