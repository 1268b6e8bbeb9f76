"""Heads that are fitted at once, against scikit-learn and against their formula."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from imbalance_lab.backbones import KernelRidgeHead, KNNHead, LDAHead, LogisticHead
from imbalance_lab.backbones.fitted_heads import FittedHead

COUNTS = (60, 25, 8)


def examples(seed: int, counts: tuple[int, ...] = COUNTS, features: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    scale = torch.linspace(0.2, 3, features)
    centers = torch.randn(len(counts), features, generator=torch.Generator().manual_seed(99))
    return scale * (torch.randn(len(target), features, generator=generator) + centers[target]) + 5, target


TRAIN, VAL = examples(0), examples(1, (20, 20, 20))


def probabilities(head: FittedHead, features: Tensor) -> np.ndarray:
    return head(features).softmax(1).detach().numpy()


@pytest.mark.parametrize("shrinkage", [0.05, 0.6])
@pytest.mark.parametrize("balanced", [False, True])
def test_lda_is_that_of_scikit_learn(shrinkage: float, balanced: bool) -> None:
    head = LDAHead(12, 3, shrinkage=shrinkage, balanced=balanced)
    head.fit(*TRAIN, None)
    # With priors= scikit-learn weighs the covariance by them too; here only the bias moves.
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(*(each.numpy() for each in TRAIN))
    logits = torch.from_numpy(oracle.decision_function(VAL[0].numpy()))
    if balanced:
        logits = logits - torch.log(torch.tensor(COUNTS) / sum(COUNTS))
    np.testing.assert_allclose(probabilities(head, VAL[0]), logits.softmax(1).numpy(), atol=2e-4)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_is_that_of_scikit_learn(balanced: bool, classes: int) -> None:
    features, target = TRAIN[0][TRAIN[1] < classes], TRAIN[1][TRAIN[1] < classes]
    head = LogisticHead(12, classes, C=0.1, balanced=balanced)
    head.fit(features, target, None)
    mean = features.mean(0)
    std = (features - mean).square().mean().sqrt()
    oracle = LogisticRegression(C=0.1, class_weight="balanced" if balanced else None, max_iter=1000)
    oracle.fit(((features - mean) / std).numpy(), target.numpy())
    expected = oracle.predict_proba(((VAL[0] - mean) / std).numpy())
    np.testing.assert_allclose(probabilities(head, VAL[0]), expected, atol=2e-3)


@pytest.mark.parametrize("balanced", [False, True])
def test_knn_is_its_formula(balanced: bool) -> None:
    head = KNNHead(12, 3, num_examples=93, k=7, temperature=0.1, balanced=balanced)
    head.fit(*TRAIN, None)
    similarity = F.normalize(VAL[0]) @ F.normalize(TRAIN[0]).T
    for row, found in zip(similarity, probabilities(head, VAL[0]), strict=True):
        votes = np.zeros(3)
        for at in row.argsort(descending=True)[:7].tolist():
            weight = 1 / COUNTS[TRAIN[1][at]] if balanced else 1
            votes[TRAIN[1][at]] += weight * np.exp(float(row[at]) / 0.1)
        prior = np.ones(3) / 3 if balanced else np.array(COUNTS) / sum(COUNTS)
        np.testing.assert_allclose(found, 0.99 * votes / votes.sum() + 0.01 * prior, rtol=1e-3)


@pytest.mark.parametrize("make", [LDAHead, LogisticHead])
def test_what_is_chosen_has_the_lowest_log_loss_on_validation(make: type[LDAHead | LogisticHead]) -> None:
    name = "shrinkage" if make is LDAHead else "C"
    losses = {}
    for value in (0.01, 0.1, 0.9):
        head = make(12, 3, **{name: value})
        head.fit(*TRAIN, None)
        losses[value] = float(F.cross_entropy(head(VAL[0]), VAL[1]))
    chosen = make(12, 3, **{name: [0.01, 0.1, 0.9]})
    said = chosen.fit(*TRAIN, VAL)
    assert float(F.cross_entropy(chosen(VAL[0]), VAL[1])) == pytest.approx(min(losses.values()), abs=0.02)
    assert said.endswith(f"{min(losses, key=lambda each: losses[each]):g}")
    with pytest.raises(
        ValueError, match=f"^head.{name} is chosen on validation, which there is none of: give one value"
    ):
        chosen.fit(*TRAIN, None)


def knn(*sizes: int, **options: bool) -> KNNHead:
    return KNNHead(*sizes, num_examples=93, **options)


def kernel_ridge(*sizes: int, **options: bool) -> KernelRidgeHead:
    return KernelRidgeHead(*sizes, num_examples=93, **options)


@pytest.mark.parametrize("balanced", [False, True])
def test_kernel_ridge_regression_is_that_of_scikit_learn(balanced: bool) -> None:
    head = KernelRidgeHead(12, 3, num_examples=93, gamma=2.0, ridge=0.3, balanced=balanced)
    head.fit(*TRAIN, None)
    median = np.median([d for d in (torch.pdist(TRAIN[0]).square().numpy()) for _ in range(2)])
    counts = np.array(COUNTS)
    offset = np.ones(3) / 3 if balanced else counts / counts.sum()
    alpha = 0.3 * (counts / counts.mean())[TRAIN[1]] if balanced else 0.3
    kernel = np.exp(-2 / median * torch.cdist(TRAIN[0], TRAIN[0]).square().numpy())
    oracle = KernelRidge(alpha=0.3, kernel="precomputed")
    if balanced:  # the weights of examples divide their ridge
        oracle.fit(kernel, np.eye(3)[TRAIN[1]] - offset, sample_weight=0.3 / alpha)
    else:
        oracle.fit(kernel, np.eye(3)[TRAIN[1]] - offset)
    scores = oracle.predict(np.exp(-2 / median * torch.cdist(VAL[0], TRAIN[0]).square().numpy())) + offset
    np.testing.assert_allclose(head(VAL[0]).numpy() * 0.2, scores, atol=2e-3)


@pytest.mark.parametrize("make", [LDAHead, LogisticHead, knn, kernel_ridge])
def test_a_state_dict_moves_a_head_and_the_priors_are_those_of_training(make: type[LDAHead]) -> None:
    head, other = make(12, 3), make(12, 3)
    head.fit(*TRAIN, VAL)
    other.load_state_dict(head.state_dict())
    assert torch.equal(head(VAL[0]), other(VAL[0]))
    assert not any(parameter.requires_grad for parameter in head.parameters())
    assert head.implied_prior(torch.tensor(COUNTS)) == pytest.approx([each / sum(COUNTS) for each in COUNTS])
    assert make(12, 3, balanced=True).implied_prior(torch.tensor(COUNTS)) == pytest.approx([1 / 3] * 3)


def test_arguments_out_of_range_are_refused() -> None:
    for make, sentence in (
        (lambda: LDAHead(12, 3, shrinkage=0), r"shrinkage must be a finite number in \(0, 1\], got 0"),
        (lambda: LogisticHead(12, 3, C=[1, -1]), "C must be a finite number > 0, got -1"),
        (lambda: KNNHead(12, 3, num_examples=10, k=11), r"k must be an integer in \[1, 10\], got 11"),
    ):
        with pytest.raises(ValueError, match=sentence):
            make()
