import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax

from imbalance_lab.class_counts import class_priors, class_weights
from imbalance_lab.losses import CrossEntropyLoss, LogitAdjustedLoss, VectorScalingLoss
from imbalance_lab.posthoc import DeploymentPrior, implied_prior
from imbalance_lab.samplers import ClassBalancedSampler

COUNTS = [700, 200, 90, 10]


def simplex(classes):
    parts = st.lists(st.floats(0.05, 1), min_size=classes, max_size=classes)
    return parts.map(lambda values: tuple(value / sum(values) for value in values))


def test_plain_training_shows_the_counts():
    np.testing.assert_allclose(implied_prior(COUNTS), class_priors(COUNTS))


def test_a_balancing_sampler_or_loss_leaves_equal_shares_and_both_of_them_too_much():
    equal = [0.25] * 4
    np.testing.assert_allclose(implied_prior(COUNTS, sampler_power=0), equal)
    np.testing.assert_allclose(implied_prior(COUNTS, loss_tau=1), equal)
    np.testing.assert_allclose(implied_prior(COUNTS, sampler_power=0.5, loss_tau=0.5), equal)
    np.testing.assert_allclose(implied_prior(COUNTS, weight=class_weights(COUNTS, "inverse").tolist()), equal)
    twice = implied_prior(COUNTS, sampler_power=0, loss_tau=1)
    assert list(twice) == sorted(twice)


def test_square_root_sampling_is_what_the_sampler_draws():
    targets = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))
    sampler = ClassBalancedSampler(targets=targets, power=0.5, seed=1)
    drawn = torch.cat([targets[sampler.order(epoch)] for epoch in range(60)])
    np.testing.assert_allclose(torch.bincount(drawn) / len(drawn), implied_prior(COUNTS, sampler_power=0.5), atol=0.01)


def minimiser(loss, share, steps=60):
    """Logits (C,) that make the expected loss least, where examples of one kind are of class c with share q_c."""
    z = torch.zeros(len(share), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([z], max_iter=steps, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        each = loss(z.expand(len(share), -1), torch.arange(len(share)))
        cost = (each * torch.tensor(share)).sum()
        cost.backward()
        return cost

    optimizer.step(closure)
    return z.detach().numpy()


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (CrossEntropyLoss(reduction="none"), {}),
        (CrossEntropyLoss("inverse", class_counts=COUNTS, reduction="none"), {"weight": "inverse"}),
        (LogitAdjustedLoss(1.0, class_counts=COUNTS, reduction="none"), {"loss_tau": 1.0}),
        (LogitAdjustedLoss(0.6, class_counts=COUNTS, reduction="none"), {"loss_tau": 0.6}),
        (VectorScalingLoss(gamma=0, tau=1.5, class_counts=COUNTS, reduction="none"), {"loss_tau": 1.5}),
    ],
    ids=lambda value: None if isinstance(value, torch.nn.Module) else str(value),
)
@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_the_losses_are_least_where_the_docstring_says(loss, told, power):
    told = {**told, **({"weight": class_weights(COUNTS, "inverse").tolist()} if "weight" in told else {})}
    likelihood = np.array([0.1, 0.5, 0.2, 0.9])  # p(x | c) of the kind of example at hand
    drawn = np.array(COUNTS, float) ** power * likelihood
    z = minimiser(loss, drawn / drawn.sum())
    expected = likelihood * implied_prior(COUNTS, power, **told)
    np.testing.assert_allclose(softmax(z), expected / expected.sum(), rtol=1e-3)


@given(simplex(4), simplex(4))
def test_moving_shares_is_bayes(train_prior, deploy_prior):
    likelihood = np.random.default_rng(0).random((20, 4)) + 0.01
    posterior = likelihood * train_prior
    moved = softmax(np.log(posterior) + DeploymentPrior("softmax", train_prior, deploy_prior).offset, 1)
    expected = likelihood * deploy_prior
    np.testing.assert_allclose(moved, expected / expected.sum(1, keepdims=True))


def test_moving_a_labels_share_is_bayes():
    positive, negative = np.array([0.2, 0.7]), np.array([0.4, 0.1])  # p(x | y)
    train_prior, deploy_prior = np.array([0.1, 0.3]), np.array([0.02, 0.5])
    z = np.log(positive * train_prior / (negative * (1 - train_prior)))
    moved = expit(z + DeploymentPrior("sigmoid", tuple(train_prior), tuple(deploy_prior)).offset)
    np.testing.assert_allclose(
        moved, positive * deploy_prior / (positive * deploy_prior + negative * (1 - deploy_prior))
    )


@given(simplex(3), simplex(3), simplex(3), st.sampled_from(["softmax", "sigmoid"]))
def test_the_same_shares_change_nothing_and_two_moves_are_one(a, b, c, activation):
    assert (DeploymentPrior(activation, a, a).offset == 0).all()
    two = DeploymentPrior(activation, a, b).offset + DeploymentPrior(activation, b, c).offset
    np.testing.assert_allclose(two, DeploymentPrior(activation, a, c).offset, atol=1e-12)


def test_one_logit_and_two_logits_move_alike():
    one = DeploymentPrior("sigmoid", (0.1,), (0.4,)).offset[0]
    two = DeploymentPrior("softmax", (0.9, 0.1), (0.6, 0.4)).offset
    assert two[1] - two[0] == pytest.approx(one)
    assert one == pytest.approx(logit(0.4) - logit(0.1))


def test_permuting_the_classes_permutes_the_result():
    order = [2, 0, 3, 1]
    train_prior, deploy_prior = implied_prior(COUNTS), (0.4, 0.3, 0.2, 0.1)
    moved = DeploymentPrior("softmax", train_prior, deploy_prior).offset[order]
    permuted = DeploymentPrior(
        "softmax", tuple(np.take(train_prior, order)), tuple(np.take(deploy_prior, order))
    ).offset
    np.testing.assert_allclose(permuted, moved)
    np.testing.assert_allclose(
        implied_prior(np.take(COUNTS, order), 0.5, 0.2), np.take(implied_prior(COUNTS, 0.5, 0.2), order)
    )


def test_json_and_back():
    shift = DeploymentPrior("softmax", implied_prior(COUNTS), (0.4, 0.3, 0.2, 0.1))
    assert DeploymentPrior.from_json(json.loads(json.dumps(shift.as_json(), allow_nan=False))) == shift


@pytest.mark.parametrize(
    ("deploy_prior", "sentence"),
    [
        ((0.5, 0.4), "deploy_prior must sum to 1, got .* sum to 0.9"),
        ((1.0, 0.0), "deploy_prior must be shares between 0 and 1"),
        ((0.2, 0.3, 0.5), "deploy_prior has 3 shares, but there are 2 classes"),
    ],
)
def test_impossible_shares_are_refused(deploy_prior, sentence):
    with pytest.raises(ValueError, match=sentence):
        DeploymentPrior("softmax", (0.5, 0.5), deploy_prior)


def test_a_class_without_a_training_example_is_refused():
    with pytest.raises(ValueError, match="class 1 has none"):
        implied_prior([3, 0])
    with pytest.raises(ValueError, match="weight must be one number > 0 a class"):
        implied_prior([3, 1], weight=[1, 0])
