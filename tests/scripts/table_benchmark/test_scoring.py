import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from table_benchmark.scoring import log_probabilities, score


def example(C, n=300, seed=0):
    rng = np.random.default_rng(seed)
    target = np.minimum(rng.geometric(0.6, n) - 1, C - 1)
    z = rng.normal(size=(n, C))
    z[np.arange(n), target] += 1.5
    p = np.exp(z)
    return p / p.sum(1, keepdims=True), target


@pytest.mark.parametrize("rarer", [0, 1])
def test_two_classes_agree_with_scikit_learn(rarer):
    p, target = example(2)
    if rarer == 0:
        p, target = p[:, ::-1], 1 - target
    found = score(p, target, p, target)
    assert (target == rarer).mean() < 0.5
    assert found.auroc == pytest.approx(roc_auc_score(target, p[:, 1]))
    assert found.ap == pytest.approx(average_precision_score(target == rarer, p[:, rarer]))
    assert found.log_loss == pytest.approx(log_loss(target, p))
    assert found.brier == pytest.approx(brier_score_loss(target, p[:, 1]))


def test_three_classes_agree_with_scikit_learn():
    p, target = example(3)
    found = score(p, target, p, target)
    assert found.auroc == pytest.approx(roc_auc_score(target, p, multi_class="ovr"))
    assert found.ap == pytest.approx(np.mean([average_precision_score(target == c, p[:, c]) for c in range(3)]))
    assert found.brier == pytest.approx(((p - np.eye(3)[target]) ** 2).sum(1).mean())


def test_the_temperature_is_fitted_to_the_validation_rows():
    p, target = example(3)
    sharp = p**4 / (p**4).sum(1, keepdims=True)
    found = score(sharp, target, sharp, target)
    best = score(p, target, p, target).calibrated_log_loss
    assert found.log_loss > 1.1 * best
    assert found.calibrated_log_loss == pytest.approx(best, rel=1e-3), "apart from the smallest probabilities"
    other, labels = example(3, seed=1)
    assert score(other, labels, sharp, target).calibrated_log_loss > found.log_loss, "val asks for no correction"
    assert found.auroc == score(other, labels, sharp, target).auroc


def test_zeros_have_finite_logarithms():
    assert np.allclose(log_probabilities(np.array([[0.0, 1.0]])), [[np.log(1e-7), 0]], atol=1e-6)
