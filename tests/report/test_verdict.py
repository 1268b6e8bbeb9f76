"""The verdict: at most three sentences, which claim no more than the intervals do."""

import numpy as np
import pytest

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.operating_point import compute_operating_point
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.rare_classes import find_rare_classes
from imbalance_lab.posthoc import Calibration, PostProcessor, Threshold
from imbalance_lab.report.verdict import verdict
from imbalance_lab.task import Task


def verdict_text(recalls: list[float], counts: list[int], n: int = 200, names: tuple[str, ...] = ()) -> str:
    """The verdict on classes with n test examples each and the given recalls, by the most probable class."""
    C = len(recalls)
    target = np.repeat(np.arange(C), n)
    decided = np.concatenate([np.where(np.arange(n) < r * n, c, (c + 1) % C) for c, r in enumerate(recalls)])
    logits = 5 * np.eye(C, dtype=np.float32)[decided]
    task = Task("multiclass", names or tuple(f"class {c}" for c in range(C)))
    return " ".join(verdict_of(Predictions(task, np.arange(C * n), target, logits), counts))


def verdict_of(
    predictions: Predictions, counts: list[int], thresholds: list[Threshold | str] | None = None
) -> list[str]:
    """The verdict at these thresholds, or without any."""
    task = predictions.task
    test = Evaluation(predictions, counts)
    chosen = thresholds or ["not asked for"] * task.num_classes
    calibration = Calibration(task.activation, 1.0, (0.0,) * task.num_classes, None)
    fitted = PostProcessor(task.classes, calibration, None, chosen)
    on_test = fitted.evaluate_on(predictions.logits, predictions.target)
    point = compute_operating_point(test, test, fitted, on_test, is_rule_chosen=thresholds is not None)
    sentences = verdict(test, find_rare_classes(point), point)
    assert len(sentences) <= 3
    assert all(each[0] == each[0].upper() and each.endswith(".") for each in sentences)
    return sentences


def binary(tp: int, fp: int, n_positive: int, n_negative: int, name: str = "fraud") -> list[str]:
    """The verdict on a threshold with these counts."""
    target = np.repeat([1, 0], [n_positive, n_negative])
    flagged = np.concatenate([np.arange(n_positive) < tp, np.arange(n_negative) < fp])
    logits = np.stack([np.zeros(len(target)), np.where(flagged, 1, -1)], 1).astype(np.float32)
    task = Task("binary", ("legit", name), positive=1)
    threshold = Threshold("max F1", 0.0, 0, 0, 0, 0)
    return verdict_of(Predictions(task, np.arange(len(target)), target, logits), [900, 30], [threshold, threshold])


def test_a_binary_verdict_says_what_is_found_at_what_price() -> None:
    first, second, third = binary(70, 5420, 73, 8927)
    assert first == (
        "Finds 70 of 73 “fraud” (recall 0.959 [0.886, 0.986]) with 78 alarms for each one found; "
        "61 % of all rows are flagged."
    )
    assert second.startswith("Precision is 0.013 [0.010, 0.016], only 1.6 times the prevalence of 0.8 %: hardly better")
    assert third.startswith("The ranking's AUROC is 0.676 [")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((50, 450, 100, 900), "not shown to be better than flagging at random (10 %)"),
        ((60, 20, 100, 900), "7.5 times the prevalence of 10 %."),
        ((450, 50, 500, 500), "at a prevalence of 50 %"),
        ((50, 20, 100, 900), "whether more than half are found is inconclusive"),
        ((9, 20, 10, 900), "with 10 positives in test, these numbers are uncertain"),
        ((0, 20, 100, 900), "not shown to be better"),
        ((0, 0, 100, 900), "Decisions that flag nothing are of no use."),
    ],
)
def test_a_useless_or_unsure_decision_is_called_so(counts: tuple[int, int, int, int], said: str) -> None:
    assert said in binary(*counts)[1]


def test_nothing_found_and_nothing_flagged_are_no_rates() -> None:
    assert binary(0, 20, 100, 900)[0].startswith("Finds none of 100 “fraud” (recall 0.000 [0.000, 0.037]); 2.0 %")
    assert binary(0, 0, 100, 900)[0].endswith("; nothing is flagged.")


def test_a_ranking_at_chance_is_called_so() -> None:
    assert "not shown to be better than chance (0.5)" in binary(50, 450, 100, 900)[2]
    assert "chance" not in binary(90, 45, 100, 900)[2]


def test_without_a_threshold_the_reason_and_the_most_probable_class_are_given() -> None:
    target = np.repeat([1, 0], [10, 90])
    logits = np.stack([np.zeros(100), np.where(np.arange(100) < 3, 1, -1)], 1).astype(np.float32)
    task = Task("binary", ("legit", "fraud"), positive=1)
    reason = "max F1 needs 20 positives on validation, the class has 7"
    first, *_ = verdict_of(Predictions(task, np.arange(100), target, logits), [900, 30], [reason, reason])
    assert first.startswith(
        "“fraud” has no threshold: max F1 needs 20 positives on validation (it has 7); by the more probable class, "
        "the model finds 3 of 10 “fraud” (recall 0.300 ["
    )


def test_any_name_is_quoted_and_shortened_in_its_middle() -> None:
    assert "“tricky, of 1”" in binary(70, 100, 73, 900, name="tricky, of 1")[0]
    assert "(no name)" in binary(70, 100, 73, 900, name="")[0]
    assert f"“{'a' * 20}…{'b' * 19}”" in binary(70, 100, 73, 900, name="a" * 100 + "b" * 100)[0]


def test_all_rare_classes_found() -> None:
    text = verdict_text([0.9, 0.9, 0.8], [500, 15, 10])
    assert text.startswith("Both classes with fewer than 20 training examples are found")
    assert "The lowest recall is that of “class 2” (recall 0.800 [" in text


def test_one_missed_and_one_inconclusive() -> None:
    text = verdict_text([0.9, 0.9, 0.2, 0.5], [500, 15, 10, 5])
    assert text.startswith("1 of 3 classes with fewer than 20 training examples is found, 1 missed, 1 inconclusive (")
    assert "The worst are “class 2” (recall 0.200 [0.150, 0.261]) and “class 3” (recall 0.500" in text


def test_without_few_shot_classes_the_rarest_third_counts_as_rare() -> None:
    text = verdict_text([0.9, 0.9, 0.9], [500, 300, 200])
    assert text.startswith("The rarest class, “class 2” (recall 0.900 [0.851, 0.934]), is found: recall is above ½")


def test_a_single_rare_class_may_be_missed_or_inconclusive() -> None:
    assert "“class 2” (recall 0.200 [0.150, 0.261]), is missed" in verdict_text([0.9, 0.9, 0.2], [500, 300, 10])
    assert verdict_text([0.9, 0.9, 0.5], [500, 300, 10]).startswith("Whether the only one of the classes with fewer")


def test_a_missed_common_class_is_reported() -> None:
    assert "“class 0” is not rare, but missed" in verdict_text([0.1, 0.9, 0.9], [500, 300, 200])


@pytest.mark.parametrize("n", [1, 3])
def test_with_too_few_examples_nothing_is_claimed(n: int) -> None:
    assert "is found:" not in verdict_text([1.0, 1.0, 1.0], [500, 300, 10], n)


def test_many_classes_take_three_sentences_with_three_names() -> None:
    recalls = [0.9] * 12 + [0.0] * 31 + [0.9] * 31 + [0.5] * 26
    names = tuple(f"Larus argentatus subspecies number {c:03d}" for c in range(100))
    text = verdict_text(recalls, [500] * 12 + [19 - c % 15 for c in range(88)], 50, names)
    found, confidence = text.split(" (")[:2]
    assert found == "31 of 88 classes with fewer than 20 training examples are found, 31 missed, 26 inconclusive"
    assert confidence.startswith("recall above or below ½")
    assert text.count("“") == 3
    assert "(recall 0.000 [0.000, 0.071] each)" in text
    assert len(text) < 400


def test_a_chosen_rule_is_spoken_of_with_what_it_flags() -> None:
    """Of 400 examples the threshold of b flags its 40 and 60 others; a has its 360 and no other; c has none."""
    target = np.repeat([0, 1, 2], [340, 40, 20])
    logits = np.full((400, 3), -3, np.float32)
    logits[:340, 0] = 3
    logits[280:380, 1] = 3
    task = Task("multilabel", ("a", "b", "c"), "sigmoid")
    labels = np.eye(3, dtype=np.int64)[target]
    zero = Threshold("min cost", 0.0, 0, 0, 0, 0)
    predictions = Predictions(task, np.arange(400), labels, logits)
    first, second, third = verdict_of(predictions, [500, 15, 10], [zero, zero, "none wanted"])
    assert first.startswith("At the thresholds for min cost, 1 of 2 classes with fewer than 20 training examples is")
    assert "1 without a threshold" in first
    assert second == "The lowest recall is that of “b” (recall 1.000 [0.912, 1.000])."
    assert third.startswith("95 % of all rows are flagged as something; the lowest precision is that of “b”, 0.400 [")
    first, second = verdict_of(predictions, [500, 15, 10], [zero, "none", "none"])
    assert "none of the 2 classes with fewer than 20 training examples has a threshold" in first
    assert "1 of all 3 classes have one" in first


def test_a_label_predicted_for_every_example_is_reported_with_its_precision() -> None:
    target = (np.arange(300)[:, None] % 10 < [5, 1]).astype(np.int64)
    task = Task("multilabel", ("a", "b"), "sigmoid")
    sentences = verdict_of(Predictions(task, np.arange(300), target, np.ones((300, 2), np.float32)), [500, 5])
    assert "is found" in sentences[0]
    assert "precision is that of “b”, 0.100 [0.0" in sentences[1]
    silent = verdict_of(Predictions(task, np.arange(300), target, -np.ones((300, 2), np.float32)), [500, 5])
    assert not any("precision" in sentence for sentence in silent)
