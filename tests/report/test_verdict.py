import numpy as np
import pytest

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.rare_classes import find_rare_classes
from imbalance_lab.report.verdict import verdict


def verdict_text(recalls: list[float], counts: list[int], n: int = 200) -> str:
    """The verdict on classes with n test examples each and the given recalls."""
    C = len(recalls)
    target = np.repeat(np.arange(C), n)
    decided = np.concatenate([np.where(np.arange(n) < r * n, c, (c + 1) % C) for c, r in enumerate(recalls)])
    logits = 5 * np.eye(C, dtype=np.float32)[decided]
    names = tuple(f"class {c}" for c in range(C))
    return " ".join(verdict_of(Predictions.of(names, np.arange(C * n), target, logits), counts))


def verdict_of(predictions: Predictions, counts: list[int]) -> list[str]:
    test = Evaluation(predictions, counts)
    return verdict(test, find_rare_classes(test))


def test_all_rare_classes_found() -> None:
    assert verdict_text([0.9, 0.9, 0.8], [500, 15, 10]).startswith(
        "Both classes with fewer than 20 training examples are found"
    )


def test_one_missed_and_one_inconclusive() -> None:
    text = verdict_text([0.9, 0.9, 0.2, 0.5], [500, 15, 10, 5])
    assert "1 of 3 classes with fewer than 20 training examples is found" in text
    assert "class 2 is missed" in text
    assert "class 3: inconclusive" in text
    assert "worst of them is class 2 with recall 0.200" in text


def test_without_few_shot_classes_the_rarest_third_counts_as_rare() -> None:
    assert verdict_text([0.9, 0.9, 0.9], [500, 300, 200]).startswith("The rarest class, class 2, is found")


def test_a_single_rare_class_may_be_missed_or_inconclusive() -> None:
    assert verdict_text([0.9, 0.9, 0.2], [500, 300, 10]).startswith("The rarest class, class 2, is missed")
    assert verdict_text([0.9, 0.9, 0.5], [500, 300, 10]).startswith("The rarest class, class 2: inconclusive")


def test_a_missed_common_class_is_reported() -> None:
    assert "Not rare, but missed: class 0." in verdict_text([0.1, 0.9, 0.9], [500, 300, 200])


@pytest.mark.parametrize("n", [1, 3])
def test_with_too_few_examples_nothing_is_claimed(n: int) -> None:
    assert "is found:" not in verdict_text([1.0, 1.0, 1.0], [500, 300, 10], n)


def test_a_label_predicted_for_every_example_is_reported_with_its_precision() -> None:
    target = (np.arange(300)[:, None] % 10 < [5, 1]).astype(np.int64)
    flagging = Predictions.of(("a", "b"), np.arange(300), target, np.ones((300, 2), np.float32), "sigmoid")
    sentences = verdict_of(flagging, [500, 5])
    assert "is found" in sentences[0]
    assert sentences[2].startswith("Precision for b: 0.100 [0.0")
    silent = Predictions.of(("a", "b"), np.arange(300), target, -np.ones((300, 2), np.float32), "sigmoid")
    assert not any("Precision" in sentence for sentence in verdict_of(silent, [500, 5]))
