"""Binned scores: the exact one must lie between their bounds, whatever the data, the batches and the processes."""

import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from imbalance_lab.metrics import (
    AUROC,
    AveragePrecision,
    OneVsRest,
    StreamingAUROC,
    StreamingAveragePrecision,
    StreamingOneVsRest,
)

PAIRS = [(StreamingAUROC, AUROC), (StreamingAveragePrecision, AveragePrecision)]
both = pytest.mark.parametrize(("streaming", "exact"), PAIRS)
any_logit = st.one_of(st.floats(width=32, allow_nan=False, allow_infinity=False), st.floats(-20, 20, width=32))
any_probability = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 1.0, 0.5, 1e-45]))


def rare(n, prevalence, seed=0):
    """Logits (n,) and targets at a low prevalence, AUROC about 0.9."""
    generator = torch.Generator().manual_seed(seed)
    target = (torch.rand(n, generator=generator) < prevalence).long()
    return torch.randn(n, generator=generator) - 7 + 1.8 * target, target


def seeded(task, n, seed=0):
    """Logits with ties, and targets of which some are to be ignored."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((n,) if task == "binary" else (n, 3), generator=generator).mul(8).round()
    target = (torch.rand((n,) if task == "multiclass" else logits.shape, generator=generator) * 2.3).long()
    if task != "multiclass":
        target = target.clamp(max=1)
    target[torch.rand(target.shape, generator=generator) < 0.1] = -1
    return logits, target


@settings(deadline=None, max_examples=200)
@given(
    st.booleans().flatmap(
        lambda from_logits: st.tuples(
            st.just(from_logits),
            st.lists(st.tuples(any_logit if from_logits else any_probability, st.booleans()), min_size=2, max_size=30),
        )
    ),
    st.sampled_from([2, 3, 16, 2**14]),
)
def test_the_exact_score_lies_between_the_bounds(data, bins):
    from_logits, examples = data
    scores, target = np.array([s for s, _ in examples]), np.array([t for _, t in examples])
    if target.all() or not target.any():
        target[0] = not target[0]
    for streaming, score in (
        (StreamingAUROC, roc_auc_score),
        (StreamingAveragePrecision, average_precision_score),
    ):
        metric = streaming("binary", from_logits=from_logits, bins=bins)
        value = metric(torch.tensor(scores, dtype=torch.float32), torch.tensor(target))
        low, high = metric.bounds
        assert low <= score(target, scores) <= high
        assert low <= value <= high


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("bins", [2**14, 2**20, 1000])
def test_bins_keep_the_order_of_adjacent_floats(from_logits, bins):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20_000, generator=generator) * 10 ** torch.linspace(-6, 6, 20_000)
    scores = scores if from_logits else torch.cat([scores.sigmoid(), scores.abs().reciprocal().clamp(max=1)])
    scores = torch.cat([scores, scores.nextafter(torch.tensor(0.5))]).sort().values
    metric = StreamingOneVsRest("binary", from_logits=from_logits, bins=bins)
    bins_of_scores = metric._flat_bins(scores[:, None])[:, 0]
    assert (bins_of_scores.diff() >= 0).all()
    assert 0 <= bins_of_scores.min() <= bins_of_scores.max() < bins


@both
def test_at_low_prevalence_it_is_close_where_linear_thresholds_fail(streaming, exact):
    logits, target = rare(200_000, 0.001)
    truth = exact("binary", from_logits=True)(logits, target)
    metric = streaming("binary", from_logits=True)
    value = metric(logits, target)
    assert abs(value - truth) < 5e-5
    assert metric.bounds[0] <= truth <= metric.bounds[1]
    assert metric.bounds[1] - metric.bounds[0] < 1e-3
    from_probabilities = streaming("binary")(logits.sigmoid(), target)
    assert abs(from_probabilities - truth) < 5e-5
    theirs = getattr(torchmetrics, exact.__name__)(task="binary", thresholds=200)(logits.sigmoid(), target)
    assert abs(theirs - truth) > 100 * abs(value - truth)


@both
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("average", ["macro", "weighted", "none"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_every_task_and_average_brackets_the_exact_metric(streaming, exact, task, average, from_logits):
    logits, target = seeded(task, 400)
    preds = logits if from_logits else logits.softmax(1) if task == "multiclass" else logits.sigmoid()
    options = {"num_classes": None if task == "binary" else 3, "average": average, "from_logits": from_logits}
    truth = exact(task, **options, ignore_index=-1)(preds, target)
    for bins in (8, 2**14):
        metric = streaming(task, **options, ignore_index=-1, bins=bins)
        for rows in torch.arange(400).split(70):
            metric.update(preds[rows], target[rows])
        value = metric.compute()
        low, high = metric.bounds
        assert value.shape == low.shape == high.shape == truth.shape
        assert ((low <= truth) & (truth <= high)).all()


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_rankings_are_exact_if_every_level_has_its_own_bin(task):
    logits, target = seeded(task, 300)
    classes = None if task == "binary" else 3
    binned, exact = (
        metric(task, classes, from_logits=True, ignore_index=-1) for metric in (StreamingOneVsRest, OneVsRest)
    )
    for metric in (binned, exact):
        metric.update(logits, target)
    for ours, theirs in zip(binned.compute(), exact.compute(), strict=True):
        for name in ("tp", "fp", "fp_above", "n_positive", "n_negative"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))
        gap = theirs.threshold - ours.threshold  # a bin begins at or below the scores that it holds
        assert (gap > -1e-5).all()
        assert (gap / (16 + np.abs(theirs.threshold)) ** 2 < 2 / 16 / 2**14 * 1.1).all()


def test_an_absent_class_is_nan_and_not_in_n_defined():
    metric = StreamingAUROC("multiclass", 3, from_logits=True)
    logits, target = torch.eye(3).repeat(4, 1)[:10], torch.tensor([0, 2] * 5)
    value = metric(logits, target)
    assert not value.isnan()
    assert metric.n_defined == 2
    assert StreamingAUROC("multiclass", 3, "none", from_logits=True)(logits, target).isnan().tolist() == [0, 1, 0]


@both
def test_positives_or_negatives_alone_are_undefined(streaming, exact):
    metric = streaming("binary")
    assert metric(torch.tensor([0.2, 0.7]), torch.tensor([0, 0])).isnan()
    assert metric.n_defined == 0
    assert all(end.isnan() for end in metric.bounds)


def test_repr_shows_the_bounds():
    logits, target = seeded("multiclass", 200)
    metric = StreamingAUROC("multiclass", 3, from_logits=True, ignore_index=-1, bins=64)
    assert repr(metric) == "StreamingAUROC()"
    metric.update(logits, target)
    value, (low, high) = metric.compute(), metric.bounds
    assert repr(metric) == f"StreamingAUROC({value:.6f} in [{low:.6f}, {high:.6f}], macro over 3 of 3 classes)"
    metric.update(logits, target)
    assert repr(metric) == "StreamingAUROC()"
    each = StreamingAUROC("multiclass", 3, "none", from_logits=True, ignore_index=-1, bins=64)
    each.update(logits, target)
    each.compute()
    assert repr(each).startswith("StreamingAUROC(3 of 3 classes, bounds up to ")


@pytest.mark.parametrize(
    ("preds", "target", "sentence"),
    [
        ([0.1, float("nan")], [0, 1], r"example 1, class 0 must be a probability"),
        ([0.1, 1.5], [0, 1], r"example 1, class 0 must be a probability"),
        ([0.1, 0.5], [0, 2], r"target of example 1 must lie in \[0, 1\]"),
    ],
)
def test_invalid_inputs_raise_and_leave_the_state_unchanged(preds, target, sentence):
    metric = StreamingAUROC("binary")
    with pytest.raises(ValueError, match=sentence):
        metric.update(torch.tensor(preds), torch.tensor(target))
    assert metric.examples.sum() == 0


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_ignored_scores_are_not_validated(task):
    logits, target = seeded(task, 50)
    metrics = [
        StreamingAUROC(task, None if task == "binary" else 3, from_logits=True, ignore_index=-1) for _ in range(2)
    ]
    metrics[0].update(logits, target)
    metrics[1].update(
        logits.masked_fill((target == -1) if task != "multiclass" else (target == -1)[:, None], torch.nan), target
    )
    assert metrics[0].compute() == metrics[1].compute()


@pytest.mark.parametrize("bins", [1, 0, 2.5, 2**21])
def test_an_invalid_number_of_bins_raises(bins):
    with pytest.raises((TypeError, ValueError), match="bins must be an integer in"):
        StreamingAUROC("binary", bins=bins)


def test_only_metrics_with_the_same_counts_share_a_state():
    logits, target = seeded("multiclass", 300)
    options = {"num_classes": 3, "from_logits": True, "ignore_index": -1}
    metrics = {
        "area": lambda: StreamingAUROC("multiclass", **options),
        "precision": lambda: StreamingAveragePrecision("multiclass", **options),
        "without class 2": lambda: StreamingAUROC("multiclass", **(options | {"ignore_index": 2})),
        "coarse": lambda: StreamingAUROC("multiclass", **options, bins=16),
    }
    collection = torchmetrics.MetricCollection({name: make() for name, make in metrics.items()})
    logits, target = logits[target >= 0], target[target >= 0]
    for rows in target.argsort().split(50):  # the first batch has nothing to ignore
        collection.update(logits[rows], target[rows])
    assert sorted(map(len, collection.compute_groups.values())) == [1, 1, 2]
    assert collection.compute() == {name: make()(logits, target) for name, make in metrics.items()}
