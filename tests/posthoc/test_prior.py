import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax

from imbalance_lab.class_counts import class_priors, class_weights
from imbalance_lab.losses import CrossEntropyLoss, LogitAdjustedLoss, VectorScalingLoss
from imbalance_lab.posthoc import DeployPrior, PriorShift, implied_prior
from imbalance_lab.samplers import ClassBalancedSampler

COUNTS = [700, 200, 90, 10]


def shift(activation, train_prior, deploy_prior):
    """The offset (C,) of a deployment prior."""
    return np.array(DeployPrior(deploy_prior).shift(train_prior, activation).offset)


def simplex(classes):
    parts = st.lists(st.floats(0.05, 1), min_size=classes, max_size=classes)
    return parts.map(lambda values: tuple(value / sum(values) for value in values))


def test_plain_training_implies_the_class_frequencies():
    np.testing.assert_allclose(implied_prior(COUNTS), class_priors(COUNTS))


def test_balancing_sampler_or_loss_implies_uniform_priors_and_both_overcorrect():
    uniform = [0.25] * 4
    np.testing.assert_allclose(implied_prior(COUNTS, sampler_power=0), uniform)
    np.testing.assert_allclose(implied_prior(COUNTS, loss_tau=1), uniform)
    np.testing.assert_allclose(implied_prior(COUNTS, sampler_power=0.5, loss_tau=0.5), uniform)
    np.testing.assert_allclose(implied_prior(COUNTS, weight=class_weights(COUNTS, "inverse").tolist()), uniform)
    twice = implied_prior(COUNTS, sampler_power=0, loss_tau=1)
    assert list(twice) == sorted(twice)


def test_square_root_prior_matches_the_sampler():
    targets = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))
    sampler = ClassBalancedSampler(targets=targets, power=0.5, seed=1)
    drawn = torch.cat([targets[sampler.order(epoch)] for epoch in range(60)])
    np.testing.assert_allclose(torch.bincount(drawn) / len(drawn), implied_prior(COUNTS, sampler_power=0.5), atol=0.01)


def minimizer(loss, fraction, steps=60):
    """Logits (C,) with the smallest expected loss, for identical examples of which a fraction q_c has class c."""
    z = torch.zeros(len(fraction), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([z], max_iter=steps, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        each = loss(z.expand(len(fraction), -1), torch.arange(len(fraction)))
        cost = (each * torch.tensor(fraction)).sum()
        cost.backward()
        return cost

    optimizer.step(closure)
    return z.detach().numpy()


@pytest.mark.parametrize(
    ("loss", "options"),
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
def test_loss_minimizers_match_the_docstring(loss, options, power):
    options = {**options, **({"weight": class_weights(COUNTS, "inverse").tolist()} if "weight" in options else {})}
    likelihood = np.array([0.1, 0.5, 0.2, 0.9])  # p(x | c) of the kind of example at hand
    drawn = np.array(COUNTS, float) ** power * likelihood
    z = minimizer(loss, drawn / drawn.sum())
    expected = likelihood * implied_prior(COUNTS, power, **options)
    np.testing.assert_allclose(softmax(z), expected / expected.sum(), rtol=1e-3)


@given(simplex(4), simplex(4))
def test_offset_is_bayes_rule(train_prior, deploy_prior):
    likelihood = np.random.default_rng(0).random((20, 4)) + 0.01
    posterior = likelihood * train_prior
    moved = softmax(np.log(posterior) + shift("softmax", train_prior, deploy_prior), 1)
    expected = likelihood * deploy_prior
    np.testing.assert_allclose(moved, expected / expected.sum(1, keepdims=True))


def test_offset_is_bayes_rule_for_labels():
    positive, negative = np.array([0.2, 0.7]), np.array([0.4, 0.1])  # p(x | y)
    train_prior, deploy_prior = np.array([0.1, 0.3]), np.array([0.02, 0.5])
    z = np.log(positive * train_prior / (negative * (1 - train_prior)))
    moved = expit(z + shift("sigmoid", tuple(train_prior), tuple(deploy_prior)))
    np.testing.assert_allclose(
        moved, positive * deploy_prior / (positive * deploy_prior + negative * (1 - deploy_prior))
    )


@given(simplex(3), simplex(3), simplex(3), st.sampled_from(["softmax", "sigmoid"]))
def test_equal_priors_change_nothing_and_shifts_compose(a, b, c, activation):
    assert (shift(activation, a, a) == 0).all()
    two = shift(activation, a, b) + shift(activation, b, c)
    np.testing.assert_allclose(two, shift(activation, a, c), atol=1e-12)


def test_one_logit_and_two_logits_agree():
    one = shift("sigmoid", (0.1,), (0.4,))[0]
    two = shift("softmax", (0.9, 0.1), (0.6, 0.4))
    assert two[1] - two[0] == pytest.approx(one)
    assert one == pytest.approx(logit(0.4) - logit(0.1))


def test_permuting_classes_permutes_the_result():
    order = [2, 0, 3, 1]
    train_prior, deploy_prior = implied_prior(COUNTS), (0.4, 0.3, 0.2, 0.1)
    moved = shift("softmax", train_prior, deploy_prior)[order]
    permuted = shift("softmax", tuple(np.take(train_prior, order)), tuple(np.take(deploy_prior, order)))
    np.testing.assert_allclose(permuted, moved)
    np.testing.assert_allclose(
        implied_prior(np.take(COUNTS, order), 0.5, 0.2), np.take(implied_prior(COUNTS, 0.5, 0.2), order)
    )


def test_json_round_trip():
    fitted = DeployPrior((0.4, 0.3, 0.2, 0.1)).shift(implied_prior(COUNTS), "softmax")
    assert fitted.prior == (0.4, 0.3, 0.2, 0.1)
    assert PriorShift.from_json(json.loads(json.dumps(fitted.as_json(), allow_nan=False))) == fitted


@pytest.mark.parametrize(
    ("deploy_prior", "sentence"),
    [
        ((0.5, 0.4), "deploy_prior must sum to 1, got .* sum to 0.9"),
        ((1.0, 0.0), "each entry of deploy_prior must be a finite number in \\(0, 1\\), got 1"),
        ((0.2, 0.3, 0.5), "deploy_prior has 3 class priors, but there are 2 classes"),
    ],
)
def test_invalid_priors_raise(deploy_prior, sentence):
    with pytest.raises(ValueError, match=sentence):
        shift("softmax", (0.5, 0.5), deploy_prior)


def test_class_without_training_example_raises():
    with pytest.raises(ValueError, match="class 1 has none"):
        implied_prior([3, 0])
    with pytest.raises(ValueError, match="weight must have one number > 0 for each of 2 classes"):
        implied_prior([3, 1], weight=[1, 0])
