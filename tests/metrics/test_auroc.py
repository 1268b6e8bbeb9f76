import pickle

import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from imbalance_lab.metrics import AUROC, AveragePrecision, OneVsRest, softmax_log_odds

THREE = torch.tensor(
    [[0.90, 0.05, 0.05], [0.05, 0.90, 0.05], [0.05, 0.05, 0.90], [0.85, 0.05, 0.10], [0.10, 0.10, 0.80]]
)
THREE_TARGET = torch.tensor([0, 1, 1, 2, 2])
TASKS = ("binary", "multiclass", "multilabel")

both = pytest.mark.parametrize("metric", [AUROC, AveragePrecision])


def seeded(task, n=300, classes=4, seed=0):
    """Informative probabilities with many ties, and targets."""
    generator = torch.Generator().manual_seed(seed)
    if task == "multiclass":
        target = torch.multinomial(torch.tensor([0.6, 0.3, 0.07, 0.03]), n, replacement=True, generator=generator)
        logits = torch.randn(n, classes, generator=generator) + torch.nn.functional.one_hot(target, classes)
        return logits.softmax(1).mul(50).round().div(50), target
    shape = (n,) if task == "binary" else (n, classes)
    target = (torch.rand(shape, generator=generator) < 0.15).long()
    return (torch.randn(shape, generator=generator) + target).sigmoid().mul(50).round().div(50), target


def test_the_binary_call_of_the_readme():
    assert AUROC(task="binary")(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1])) == 0.5


def test_the_three_class_call_of_the_readme():
    assert AUROC(task="multiclass", num_classes=3)(THREE, THREE_TARGET).item() == pytest.approx(0.7778, abs=5e-5)
    # 1 · 4 pairs; 2 · 3 pairs of which 4 are won and 2 tied; 2 · 3 pairs of which 4 are won and 0 tied.
    each = AUROC(task="multiclass", num_classes=3, average="none")(THREE, THREE_TARGET)
    assert each.tolist() == pytest.approx([1.0, 4 / 6, 4 / 6])


@both
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("average", ["macro", "weighted", "none"])
def test_scores_match_torchmetrics_if_every_class_is_present(metric, task, average):
    preds, target = seeded(task)
    ours = metric(task, None if task == "binary" else 4, average)
    options = {"task": task, "average": average, "num_classes": 4, "num_labels": 4}
    theirs = getattr(torchmetrics, metric.__name__)(**options)
    for start in range(0, 300, 75):
        ours.update(preds[start : start + 75], target[start : start + 75])
        theirs.update(preds[start : start + 75], target[start : start + 75])
    torch.testing.assert_close(ours.compute(), theirs.compute(), rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_heavy_ties_match_scikit_learn(examples):
    levels, target = np.array(examples).T
    if target.min() == target.max():
        target[0] = 1 - target[0]
    preds = torch.tensor(levels / 6, dtype=torch.float32)
    for metric, theirs in ((AUROC, roc_auc_score), (AveragePrecision, average_precision_score)):
        ours = metric("binary")
        ours.update(preds, torch.tensor(target))
        assert ours.compute().item() == pytest.approx(theirs(target, levels), abs=1e-6)


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_is_undefined(label):
    # torchmetrics returns 0 (and warns).
    assert AUROC("binary")(torch.tensor([0.2, 0.7]), torch.tensor([label, label])).isnan()


def test_average_precision_without_positives_is_undefined():
    assert AveragePrecision("binary")(torch.tensor([0.2, 0.7]), torch.tensor([0, 0])).isnan()


@both
def test_an_absent_class_is_nan_and_left_out_of_every_mean(metric):
    # Class 1 has no example; the other two are ranked perfectly. torchmetrics' macro AUROC is 2/3.
    preds = torch.tensor([[0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.1, 0.2, 0.7]])
    target = torch.tensor([0, 0, 2, 2])
    each = metric("multiclass", 3, "none")(preds, target)
    torch.testing.assert_close(each, torch.tensor([1.0, torch.nan, 1.0]), equal_nan=True)
    assert metric("multiclass", 3, "macro")(preds, target) == 1.0
    assert metric("multiclass", 3, "weighted")(preds, target) == 1.0


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_the_mean_is_undefined_if_no_class_is_defined(average):
    assert AUROC("multiclass", 3, average)(THREE, torch.ones(5, dtype=torch.long)).isnan()


def test_weighted_is_by_number_of_positives():
    each, weighted = (AUROC("multiclass", 3, average)(THREE, THREE_TARGET) for average in ("none", "weighted"))
    assert weighted.item() == pytest.approx((each * torch.tensor([1, 2, 2])).sum().item() / 5)


@both
def test_logits_are_ranked_where_probabilities_saturate(metric):
    generator = torch.Generator().manual_seed(1)
    target = torch.randint(0, 3, (200,), generator=generator)
    logits = torch.randn(200, 3, generator=generator) * 40 + 40 * torch.nn.functional.one_hot(target, 3)
    exact = metric("multiclass", 3, "none", from_logits=True)(logits, target)
    wide = metric("multiclass", 3, "none", from_logits=True)(logits - logits.amax(1, keepdim=True), target)
    torch.testing.assert_close(exact, wide)
    score = roc_auc_score if metric is AUROC else average_precision_score
    odds = softmax_log_odds(logits.double()).numpy()
    theirs = [score(target == c, odds[:, c]) for c in range(3)]
    assert exact.tolist() == pytest.approx(theirs, abs=1e-4)
    saturated = metric("multiclass", 3, "none")(logits.softmax(1), target)
    assert (exact - saturated).abs().max() > 0.002


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_binary_and_multilabel_logits_need_no_softmax(task):
    preds, target = seeded(task)
    logits = preds.double().clamp(0.01, 0.99).logit().float()
    classes = None if task == "binary" else 4
    from_logits = AUROC(task, classes, from_logits=True)(logits, target)
    torch.testing.assert_close(from_logits, AUROC(task, classes)(preds.clamp(0.01, 0.99), target))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("from_logits", [False, True])
def test_other_float_dtypes_give_the_same_score(dtype, from_logits):
    preds, target = seeded("multiclass")
    preds = (preds * 9 if from_logits else preds).to(dtype)
    ours = AUROC("multiclass", 4, from_logits=from_logits)(preds, target)
    assert ours.dtype == torch.float32
    assert ours == AUROC("multiclass", 4, from_logits=from_logits)(preds.float(), target)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01, 3.0])
def test_a_value_that_is_not_a_probability_raises_naming_the_example(value):
    metric, preds = AUROC("multiclass", 3), THREE.clone()
    preds[3, 1] = value
    metric.update(preds, THREE_TARGET)
    with pytest.raises(ValueError, match=r"example 3, class 1 must be a probability in \[0, 1\] \(or pass from_logits"):
        metric.compute()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("task", TASKS)
def test_a_logit_that_is_not_finite_raises_naming_the_example(task, value):
    preds, target = seeded(task)
    preds.view(300, -1)[7, 0] = value
    metric = AUROC(task, None if task == "binary" else 4, from_logits=True)
    metric.update(preds, target)
    with pytest.raises(ValueError, match=r"example 7, class \d must be finite"):
        metric.compute()


@pytest.mark.parametrize(("task", "label"), [("binary", 2), ("binary", -1), ("multiclass", 4), ("multilabel", 2)])
def test_a_target_out_of_range_raises_naming_the_example(task, label):
    preds, target = seeded(task)
    target.view(300, -1)[5, 0] = label
    metric = AUROC(task, None if task == "binary" else 4)
    metric.update(preds, target)
    with pytest.raises(ValueError, match=r"target of example 5 must lie in \[0, \d\]"):
        metric.compute()


@pytest.mark.parametrize(
    ("task", "preds_shape", "target_shape"),
    [
        ("multiclass", (5, 3), (4,)),
        ("multiclass", (5, 4), (5,)),
        ("multiclass", (5,), (5,)),
        ("multiclass", (5, 3), (5, 1)),
        ("multilabel", (5, 3), (5, 2)),
        ("binary", (5,), (4,)),
        ("binary", (5, 2), (5,)),
    ],
)
def test_mismatched_shapes_raise(task, preds_shape, target_shape):
    metric = AUROC(task, None if task == "binary" else 3)
    with pytest.raises(ValueError, match=f"{task} needs preds"):
        metric.update(torch.full(preds_shape, 0.5), torch.zeros(target_shape, dtype=torch.long))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("multi", 3), "task must be one of binary, multiclass, multilabel, got 'multi'"),
        (("multiclass",), "task='multiclass' needs num_classes ≥ 2, got None"),
        (("multilabel", 1), "task='multilabel' needs num_classes ≥ 2, got 1"),
        (("binary", None, "micro"), "average must be one of macro, weighted, none, got 'micro'"),
    ],
)
def test_invalid_arguments_raise(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        AUROC(*arguments)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_state_does_not_change_with_the_callers_tensors(dtype):
    metric, preds, target = AUROC("multiclass", 3), THREE.to(dtype, copy=True), THREE_TARGET.clone()
    metric.update(preds, target)
    preds.zero_()
    target.zero_()
    assert metric.compute().item() == pytest.approx(0.7778, abs=5e-5)


def test_the_split_into_batches_does_not_matter_and_reset_clears_the_state():
    metric = AUROC("multiclass", 3)
    metric.update(THREE.flip(1), THREE_TARGET)
    metric.reset()
    for row, label in zip(THREE, THREE_TARGET, strict=True):
        metric.update(row[None], label[None])
    assert metric.compute().item() == pytest.approx(0.7778, abs=5e-5)


def test_the_state_is_detached():
    metric, preds = AUROC("binary"), torch.tensor([0.2, 0.7], requires_grad=True)
    metric.update(preds, torch.tensor([0, 1]))
    assert not metric.scores[0].requires_grad


def test_in_a_collection_each_metric_keeps_its_own_score():
    each = {
        "AUROC": AUROC("multiclass", 3),
        "AP": AveragePrecision("multiclass", 3),
        "per class": AUROC("multiclass", 3, "none"),
    }
    collection = torchmetrics.MetricCollection(dict(each))
    preds = THREE[[0, 1, 3, 2, 4]]
    for start, stop in ((0, 2), (2, 5)):
        collection.update(preds[start:stop], THREE_TARGET[start:stop])
    together = collection.compute()
    assert together.keys() == each.keys()
    for name, metric in each.items():
        alone = type(metric)("multiclass", 3, metric.average)(preds, THREE_TARGET)
        torch.testing.assert_close(together[name], alone)


def test_one_vs_rest_computes_rankings_and_can_be_pickled():
    metric = OneVsRest("multiclass", 3)
    metric.update(THREE, THREE_TARGET)
    for copy in (metric, pickle.loads(pickle.dumps(metric))):
        assert [ranking.n_positive for ranking in copy.compute()] == [1, 2, 2]


def test_multilabel_targets_must_cover_every_label():
    metric = AUROC("multilabel", 3)
    with pytest.raises(ValueError, match="multilabel needs preds"):
        metric.update(torch.full((5, 3), 0.5), torch.tensor([0, 1, 1, 0, 1]))


def test_multiclass_targets_must_be_class_indices():
    metric = AUROC("multiclass", 3)
    with pytest.raises(ValueError, match="multiclass needs preds"):
        metric.update(torch.full((5, 3), 0.5), torch.zeros(5, 3, dtype=torch.long))


def test_floating_point_targets_raise():
    metric = AUROC("binary")
    with pytest.raises((ValueError, TypeError), match="target"):
        metric(torch.tensor([0.1, 0.9, 0.3]), torch.tensor([0.0, 0.9, 1.0]))
