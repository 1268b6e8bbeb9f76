import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from imbalance_lab.metrics import macro, rank, rank_one_vs_rest, softmax_log_odds

few_levels = st.integers(-3, 4).map(lambda level: level * 0.3)
any_level = st.floats(-1e6, 1e6, width=32)
some = st.one_of(*(st.lists(level, min_size=1, max_size=25) for level in (few_levels, any_level)))


def as_arrays(positive, negative):
    scores = np.array(positive + negative)
    return scores, np.repeat([1, 0], [len(positive), len(negative)])


def ranked(positive, negative):
    return rank(np.array(positive), np.array(negative))


@given(some, some)
def test_auroc_and_average_precision_match_scikit_learn_with_any_ties(positive, negative):
    scores, target = as_arrays(positive, negative)
    ranking = ranked(positive, negative)
    assert ranking.auroc == pytest.approx(roc_auc_score(target, scores), abs=1e-12)
    assert ranking.average_precision == pytest.approx(average_precision_score(target, scores), abs=1e-12)


@given(some, some)
def test_auroc_is_the_share_of_pairs_in_the_right_order(positive, negative):
    won = np.array(positive)[:, None] > np.array(negative)
    tied = np.array(positive)[:, None] == np.array(negative)
    assert ranked(positive, negative).auroc == (2 * won.sum() + tied.sum()) / (2 * won.size)


@given(some, some)
def test_swapping_the_classes_or_the_order_mirrors_auroc(positive, negative):
    area = ranked(positive, negative).auroc
    assert ranked(negative, positive).auroc == pytest.approx(1 - area, abs=1e-15)
    assert rank(-np.array(positive), -np.array(negative)).auroc == pytest.approx(1 - area, abs=1e-15)


@given(st.lists(few_levels, min_size=2, max_size=20), st.lists(few_levels, min_size=2, max_size=20))
def test_the_variance_matches_delong(positive, negative):
    wins = np.sign(np.array(positive)[:, None] - np.array(negative)) / 2 + 0.5
    by_hand = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    assert ranked(positive, negative).auroc_variance == pytest.approx(by_hand, abs=1e-14)


@given(some, some)
def test_counts_are_what_the_thresholds_flag(positive, negative):
    ranking = ranked(positive, negative)
    assert list(ranking.threshold) == sorted(set(positive), reverse=True)
    assert list(ranking.tp) == [sum(s >= t for s in positive) for t in ranking.threshold]
    assert list(ranking.fp) == [sum(s >= t for s in negative) for t in ranking.threshold]
    assert list(ranking.fp_above) == [sum(s > t for s in negative) for t in ranking.threshold]


@given(some, some)
def test_the_curve_matches_scikit_learns_roc_without_loss(positive, negative):
    scores, target = as_arrays(positive, negative)
    fpr, tpr, _ = roc_curve(target, scores, drop_intermediate=False)
    theirs = list(zip(np.rint(tpr * len(positive)), np.rint(fpr * len(negative)), strict=True))
    curve = ranked(positive, negative).curve()
    ours = list(zip(curve.tp, curve.fp, strict=True))
    assert set(ours) <= set(theirs)
    for tp, fp in theirs:  # what we leave out lies between two of our vertices of the same height
        level = [our_fp for our_tp, our_fp in ours if our_tp == tp]
        assert min(level) <= fp <= max(level)
    assert ours == sorted(ours)
    assert (ours[0], ours[-1]) == ((0, 0), (len(positive), len(negative)))
    assert len(ours) <= 2 * len(positive) + 2
    area = np.trapezoid(curve.tp / len(positive), curve.fp / len(negative))
    assert area == pytest.approx(ranked(positive, negative).auroc, abs=1e-12)


@given(some, some)
def test_precision_and_recall_are_points_of_scikit_learns_curve(positive, negative):
    scores, target = as_arrays(positive, negative)
    precision, recall, _ = precision_recall_curve(target, scores)
    theirs = {(round(p, 9), round(r, 9)) for p, r in zip(precision, recall, strict=True)}
    ranking = ranked(positive, negative)
    at_thresholds = zip(ranking.tp / (ranking.tp + ranking.fp), ranking.tp / len(positive), strict=True)
    assert {(round(p, 9), round(r, 9)) for p, r in at_thresholds} <= theirs


def test_a_ranking_by_hand():
    ranking = ranked([0.9, 0.5, 0.5, 0.1], [0.5, 0.7, 0.05])
    assert ranking.threshold.tolist() == [0.9, 0.5, 0.1]
    assert ranking.tp.tolist() == [1, 3, 4]
    assert ranking.fp.tolist() == [0, 2, 2]
    assert ranking.fp_above.tolist() == [0, 1, 2]
    assert ranking.auroc == (3 + 1.5 + 1.5 + 1) / 12
    assert ranking.average_precision == pytest.approx(1 / 4 * 1 + 2 / 4 * 3 / 5 + 1 / 4 * 4 / 6)
    curve = ranking.curve()
    assert curve.threshold.tolist() == [np.inf, 0.9, 0.9, 0.5, 0.5, 0.1, 0.1, -np.inf]
    assert curve.tp.tolist() == [0, 0, 1, 1, 3, 3, 4, 4]
    assert curve.fp.tolist() == [0, 0, 0, 1, 2, 2, 2, 3]


@pytest.mark.parametrize(("n_positive", "n_negative", "defined"), [(0, 3, False), (3, 0, False), (1, 1, True)])
def test_positives_or_negatives_alone_are_undefined(n_positive, n_negative, defined):
    ranking = rank(np.arange(n_positive) * 1.0, np.arange(n_negative) * 1.0)
    assert ranking.is_defined == defined
    assert np.isnan(ranking.auroc) != defined
    assert np.isnan(ranking.average_precision) == (n_positive == 0)
    assert np.isnan(ranking.auroc_variance)  # one of a kind has no variance either


def test_one_vs_rest_is_each_class_against_all_others():
    rng = np.random.default_rng(0)
    scores, target = rng.normal(size=(60, 4)).round(1), rng.choice([0, 1, 3], 60)
    one_hot = (target[:, None] == np.arange(4)).astype(np.int64)
    for rankings in (rank_one_vs_rest(scores, target), rank_one_vs_rest(scores, one_hot)):
        assert [ranking.n_positive for ranking in rankings] == one_hot.sum(0).tolist()
        for c in (0, 1, 3):
            assert rankings[c].auroc == pytest.approx(roc_auc_score(target == c, scores[:, c]))
        assert np.isnan(rankings[2].auroc)


def test_macro_leaves_out_undefined_classes():
    assert macro([0.5, float("nan"), 0.75]) == 0.625
    assert np.isnan(macro([float("nan")] * 2))
    assert np.isnan(macro([]))


def log_odds_in_double(logits):
    """log p_c − log Σ_{j≠c} p_j, class by class."""
    wide = logits.double()
    others = [torch.cat([wide[:, :c], wide[:, c + 1 :]], 1).logsumexp(1) for c in range(wide.shape[1])]
    return wide - torch.stack(others, 1)


def assert_log_odds_are_exact(logits):
    """Within the rounding of the logits themselves."""
    error = (softmax_log_odds(logits).double() - log_odds_in_double(logits)).abs()
    size = logits.double().abs().amax(1, keepdim=True)
    assert (error <= torch.finfo(logits.dtype).eps * (8 + 2 * size)).all(), error.max()


@pytest.mark.parametrize("scale", [0.01, 1.0, 20.0, 1e4])
@pytest.mark.parametrize("classes", [2, 3, 40])
def test_log_odds_match_double_precision(scale, classes):
    logits = torch.randn(400, classes, generator=torch.Generator().manual_seed(1)) * scale
    logits[::7, 1] = logits[::7, 0]  # ties, also for the lead
    assert_log_odds_are_exact(logits)
    assert_log_odds_are_exact(logits.double())


def test_log_odds_keep_the_order_where_probabilities_tie():
    leads = torch.tensor([18.0, 20.0, 21.0, 40.0, 120.0, 500.0])
    logits = torch.stack([leads, torch.zeros(6), -torch.ones(6)], 1)
    probability = logits.softmax(1)
    assert probability[:, 0].unique().tolist() == [1.0]
    assert probability[4:, 1].tolist() == [0.0, 0.0]
    assert (softmax_log_odds(logits)[:, 0].diff() > 0).all()
    assert (softmax_log_odds(logits)[:, 1:].diff(dim=0) < 0).all()
    target = np.array([1, 1, 1, 0, 0, 0])
    assert rank_one_vs_rest(probability.numpy(), target)[0].auroc == 0.5
    assert rank_one_vs_rest(softmax_log_odds(logits).numpy(), target)[0].auroc == 1.0


@settings(max_examples=50)
@given(st.lists(st.lists(any_level, min_size=3, max_size=3), min_size=1, max_size=8))
def test_log_odds_are_finite_for_finite_logits(rows):
    logits = torch.tensor(rows)
    assert torch.isfinite(softmax_log_odds(logits)).all()
    assert_log_odds_are_exact(logits)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_converted_to_float32(dtype):
    logits = (torch.randn(50, 4, generator=torch.Generator().manual_seed(2)) * 10).to(dtype)
    assert softmax_log_odds(logits).dtype == torch.float32
    assert torch.equal(softmax_log_odds(logits), softmax_log_odds(logits.float()))


def test_a_constant_added_to_all_logits_changes_nothing():
    logits = torch.randint(-9, 10, (500, 4), generator=torch.Generator().manual_seed(3)).float()
    for constant in (32.0, -1000.0):
        assert torch.equal(softmax_log_odds(logits + constant), softmax_log_odds(logits))
