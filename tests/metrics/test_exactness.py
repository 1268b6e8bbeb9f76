"""The exact metrics against scikit-learn, torchmetrics and themselves: ties, absent classes, ignored targets."""

import io

import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from imbalance_lab.metrics import AUROC, AveragePrecision, OneVsRest, rank, rank_one_vs_rest, softmax_log_odds

levels = st.sampled_from([-2.5, -0.0, 0.0, 1e-38, 0.25, 0.5, 3e38])
some_scores = st.lists(levels, max_size=25)
both = pytest.mark.parametrize("metric", [AUROC, AveragePrecision])


def three_classes(n=200, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.multinomial(torch.tensor([0.8, 0.15, 0.05]), n, replacement=True, generator=generator)
    logits = torch.randn(n, 3, generator=generator) + 1.5 * torch.nn.functional.one_hot(target, 3)
    return logits.mul(2).round().div(2), target


def same(ranking, other):
    return all(np.array_equal(a, b) for a, b in zip(ranking, other, strict=True))


@given(st.lists(st.tuples(levels, st.integers(0, 3)), min_size=1, max_size=40))
def test_tensors_are_ranked_by_the_same_integers_as_arrays(examples):
    scores = torch.tensor([[score, -score, 0, score] for score, _ in examples]).reshape(-1, 4)
    target = torch.tensor([label for _, label in examples], dtype=torch.long)
    one_hot = torch.nn.functional.one_hot(target, 4)
    for labels in (target, one_hot):
        by_torch = rank_one_vs_rest(scores, labels)
        by_numpy = rank_one_vs_rest(scores.numpy(), labels.numpy())
        assert all(map(same, by_torch, by_numpy))


@given(some_scores, some_scores)
def test_one_vs_rest_equals_ranking_positives_among_negatives(positive, negative):
    assume(positive or negative)
    scores = np.array(positive + negative)[:, None]
    labels = np.repeat([1, 0], [len(positive), len(negative)])[:, None]
    assert same(rank_one_vs_rest(scores, labels)[0], rank(np.array(positive), np.array(negative)))


@pytest.mark.parametrize("as_given", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("target", [[0, 3], [-1, 0]])
def test_class_indices_out_of_range_raise(as_given, target):
    with pytest.raises(ValueError, match=r"target must lie in \[0, 2\]"):
        rank_one_vs_rest(as_given(np.zeros((2, 3))), as_given(np.array(target)))


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_log_odds_do_not_depend_on_the_batch(classes):
    logits = torch.randn(1003, classes, generator=torch.Generator().manual_seed(classes)) * 6
    logits[::9, 0] += 90  # far ahead
    whole = softmax_log_odds(logits)
    for start, stop in ((0, 1), (1, 8), (5, 700), (999, 1003)):
        assert torch.equal(softmax_log_odds(logits[start:stop]), whole[start:stop])
    assert torch.equal(softmax_log_odds(logits.flip(0)).flip(0), whole)


def test_log_odds_of_a_leading_class_keep_full_precision():
    leads = torch.tensor([0.0, 1e-4, 1.0, 30.0, 69.0, 71.0, 87.0, 88.0, 103.0, 104.0, 1e4])
    logits = torch.stack([leads, torch.zeros(11), torch.zeros(11)], 1)
    expected = leads.double() - np.log(2)
    torch.testing.assert_close(softmax_log_odds(logits)[:, 0].double(), expected, rtol=3e-7, atol=3e-7)


@settings(deadline=None)
@given(st.lists(st.tuples(levels, st.booleans()), min_size=2, max_size=40), st.floats(0.01, 1))
def test_partial_auroc_matches_scikit_learn(examples, max_fpr):
    scores, target = np.array([s for s, _ in examples]), np.array([t for _, t in examples])
    if target.all() or not target.any():
        target[0] = not target[0]
    ours = rank(scores[target], scores[~target]).partial_auroc(max_fpr)
    assert ours == pytest.approx(roc_auc_score(target, scores, max_fpr=max_fpr), abs=1e-12)


@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
def test_partial_auroc_matches_torchmetrics(max_fpr):
    logits, target = three_classes()
    preds, target = logits[:, 0].sigmoid(), (target == 0).long()
    ours = AUROC("binary", max_fpr=max_fpr)(preds, target)
    torch.testing.assert_close(ours, torchmetrics.AUROC("binary", max_fpr=max_fpr)(preds, target))


@both
@pytest.mark.parametrize("average", ["macro", "weighted", "none"])
@pytest.mark.parametrize("ignore_index", [-100, 255])
def test_ignored_examples_match_torchmetrics(metric, average, ignore_index):
    logits, target = three_classes()
    target[::4] = ignore_index
    options = {"task": "multiclass", "num_classes": 3, "average": average, "ignore_index": ignore_index}
    preds = logits.softmax(1).mul(50).round().div(50)
    torch.testing.assert_close(
        metric(**options)(preds, target), getattr(torchmetrics, metric.__name__)(**options)(preds, target)
    )


@both
def test_ignored_labels_match_torchmetrics(metric):
    logits, _ = three_classes()
    target = (torch.rand(200, 3, generator=torch.Generator().manual_seed(4)) < 0.2).long()
    target[::3, 1] = target[5:60, 2] = -1
    options = {"task": "multilabel", "num_labels": 3, "average": "none", "ignore_index": -1}
    theirs = getattr(torchmetrics, metric.__name__)(**options)(logits.sigmoid(), target)
    torch.testing.assert_close(metric(**options)(logits.sigmoid(), target), theirs)
    binary = metric("binary", ignore_index=-1)(logits[:, 1].sigmoid(), target[:, 1])
    torch.testing.assert_close(binary, theirs[1])


def test_an_ignored_class_is_undefined_and_not_zero():
    logits, target = three_classes()
    auroc = AUROC("multiclass", 3, "none", from_logits=True, ignore_index=1)
    each = auroc(logits, target)
    assert each.isnan().tolist() == [False, True, False]
    assert auroc.n_defined == 2


def test_ignored_scores_are_not_validated():
    logits, target = three_classes()
    expected = AUROC("multiclass", 3, from_logits=True)(logits[1:], target[1:])
    logits[0], target[0] = torch.nan, -100
    assert AUROC("multiclass", 3, from_logits=True, ignore_index=-100)(logits, target) == expected


def test_all_examples_may_be_ignored():
    metric = AUROC("multiclass", 3, from_logits=True, ignore_index=-100)
    assert metric(torch.zeros(4, 3), torch.full((4,), -100)).isnan()
    assert metric.n_defined == 0


def test_errors_name_the_example_across_batches():
    logits, target = three_classes()
    metric = AUROC("multiclass", 3, from_logits=True)
    metric.update(logits[:100], target[:100])
    logits[107, 2] = torch.inf
    metric.update(logits[100:], target[100:])
    with pytest.raises(ValueError, match="example 107, class 2 must be finite, got inf"):
        metric.compute()


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_further_dimensions_count_as_examples(task):
    generator = torch.Generator().manual_seed(0)
    preds = torch.rand((6, 5, 4) if task == "binary" else (6, 3, 5, 4), generator=generator)
    target = torch.randint(0, 2 if task != "multiclass" else 3, (6, 3, 5, 4), generator=generator)
    target = target if task == "multilabel" else target[:, 0]
    options = {"task": task, "num_classes": 3 if task == "multiclass" else None, "num_labels": 3}
    ours = AUROC(task, 3 if task != "binary" else None)(preds, target)
    torch.testing.assert_close(ours, torchmetrics.AUROC(**options)(preds, target))


@both
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"task": "binary", "thresholds": 200},
            "thresholds=200 is not supported, the score is exact; for bounded memory use Streaming",
        ),
        ({"task": "multiclass", "num_labels": 3}, "num_labels=3 does not fit task='multiclass'"),
        ({"task": "multilabel", "num_classes": 4, "num_labels": 3}, "num_labels=3 does not fit"),
        ({"task": "binary", "num_classes": 3}, "task='binary' needs no num_classes, got 3"),
        ({"task": "binary", "validate_args": False}, "Unexpected keyword arguments: `validate_args`"),
    ],
)
def test_unsupported_torchmetrics_arguments_raise(metric, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        metric(**options)


@pytest.mark.parametrize("max_fpr", [0, -0.1, 1.5, float("nan")])
def test_max_fpr_out_of_range_raises(max_fpr):
    with pytest.raises(ValueError, match=r"max_fpr must be a finite number in \(0, 1\]"):
        AUROC("binary", max_fpr=max_fpr)


@pytest.mark.parametrize(("preds", "target"), [([0.0, 1.0], [0.0, 1.0]), ([0, 1], [0, 1])])
def test_swapped_arguments_and_soft_targets_raise_by_dtype(preds, target):
    with pytest.raises(TypeError, match="preds must be floating point and target integer"):
        AUROC("binary").update(torch.tensor(preds), torch.tensor(target))


@both
@pytest.mark.parametrize("absent", [0, 1, 2])
def test_n_defined_is_the_number_of_classes_in_the_macro_score(metric, absent):
    logits, target = three_classes()
    logits, target = logits[target != absent], target[target != absent]
    ours = metric("multiclass", 3, from_logits=True)
    score = roc_auc_score if metric is AUROC else average_precision_score
    odds = softmax_log_odds(logits).numpy()
    theirs = [score(target == c, odds[:, c]) for c in range(3) if c != absent]
    assert ours(logits, target).item() == pytest.approx(np.mean(theirs), abs=1e-6)
    assert ours.n_defined == 2


def test_metrics_that_share_a_state_keep_their_own_arguments():
    logits, target = three_classes(seed=1)
    options = {"num_classes": 3, "from_logits": True}
    metrics = {
        "all": lambda: AUROC("multiclass", **options),
        "but one": lambda: AUROC("multiclass", **options, ignore_index=2),
        "low": lambda: AUROC("multiclass", **options, max_fpr=0.1),
        "precision": lambda: AveragePrecision("multiclass", **options),
    }
    collection = torchmetrics.MetricCollection({name: make() for name, make in metrics.items()})
    order = target.argsort()  # the first batch has nothing to ignore
    for rows in order.split(50):
        collection.update(logits[rows], target[rows])
    assert len(collection.compute_groups) == 1
    together = collection.compute()
    alone = {name: make()(logits, target) for name, make in metrics.items()}
    assert together == alone
    assert len(set(together.values())) == 4


def test_forward_returns_the_batch_score_and_accumulates():
    logits, target = three_classes()
    metric = AUROC("multiclass", 3, from_logits=True)
    first, second = metric(logits[:90], target[:90]), metric(logits[90:], target[90:])
    assert first == AUROC("multiclass", 3, from_logits=True)(logits[:90], target[:90])
    assert second == AUROC("multiclass", 3, from_logits=True)(logits[90:], target[90:])
    assert metric.compute() == AUROC("multiclass", 3, from_logits=True)(logits, target)


def test_a_persistent_state_can_be_saved_and_loaded():
    logits, target = three_classes()
    metric, resumed = (AUROC("multiclass", 3, from_logits=True) for _ in range(2))
    assert metric.state_dict() == {}
    metric.persistent(True)
    metric.update(logits[:90], target[:90])
    file = io.BytesIO()
    torch.save(metric.state_dict(), file)
    file.seek(0)
    resumed.persistent(True)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for each in (metric, resumed):
        each.update(logits[90:], target[90:])
    assert metric.compute() == resumed.compute()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_the_state_is_float32_and_detached(dtype):
    metric = OneVsRest("multilabel", 3)
    preds = torch.rand(5, 3, dtype=dtype, requires_grad=True)
    metric.update(preds, torch.ones(5, 3, dtype=torch.bool))
    assert metric.scores[0].dtype == torch.float32
    assert not metric.scores[0].requires_grad
    assert metric.target[0].dtype == torch.long


def test_a_model_in_half_precision_does_not_round_the_state():
    metric = OneVsRest("binary")
    metric.update(torch.tensor([0.1234567]), torch.tensor([1]))
    torch.nn.ModuleList([metric]).half()
    assert metric.scores[0].tolist() == [[torch.tensor(0.1234567).item()]]
