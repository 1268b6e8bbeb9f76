"""Each image gets the operations that its key draws, as often as the papers say."""

import re
from collections import Counter

import pytest
import torch
from scipy.stats import chisquare
from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy
from torchvision.transforms.v2 import RandAugment as TheirRandAugment

from imbalance_lab import seeding
from imbalance_lab.data import AutoAugmentCIFAR10, RandAugment, TrivialAugment, augmentation_policies
from imbalance_lab.data.augmentation_policies import CIFAR10, OPERATIONS
from imbalance_lab.data.image_operations import Limits

KEYS = seeding.hash_indices(1, torch.arange(3000))
POLICIES = [RandAugment(3, 12), TrivialAugment(), AutoAugmentCIFAR10()]


def pictures(n, channels=3):
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(n, channels, 8, 8, generator=generator) * 255).to(torch.uint8)


def their_name(operation):
    """As torchvision spells it."""
    words = operation.__name__.replace("autoc", "auto_c").split("_")
    return "".join(word.capitalize() for word in words)


@pytest.fixture
def drawn(monkeypatch):
    """What is asked for: one (operation, level, limits) for each image and step, in the order of the keys."""
    calls = []

    def record(images, chosen, levels, operations, limits):
        pairs = zip(chosen.tolist(), levels.tolist(), strict=True)
        calls.append([(operations[number].__name__, round(level, 4)) for number, level in pairs])
        calls[-1].append(limits)
        return images

    monkeypatch.setattr(augmentation_policies, "apply_operations", record)
    return calls


def test_the_operations_and_the_policy_are_torchvisions():
    assert sorted(map(their_name, OPERATIONS)) == sorted(TheirRandAugment()._AUGMENTATION_SPACE)
    policy = [tuple((their_name(o), p, level) for o, p, level in pair) for pair in CIFAR10]
    published = AutoAugment(AutoAugmentPolicy.CIFAR10)._policies
    assert policy == [tuple((name, p, level or 0) for name, p, level in pair) for pair in published]


def test_randaugment_draws_each_operation_alike_at_its_magnitude(drawn):
    RandAugment(num_operations=2, magnitude=6)(pictures(3000), KEYS)
    first, second = drawn
    assert first[-1] == second[-1] == Limits()
    for step in (first, second):
        assert chisquare(list(Counter(operation for operation, _ in step[:-1]).values())).pvalue > 0.01
        signs = Counter(level for _, level in step[:-1])
        assert signs.keys() == {-0.2, 0.2}
        assert chisquare(list(signs.values())).pvalue > 0.01
    same = sum(a[0] == b[0] for a, b in zip(first[:-1], second[:-1], strict=True))
    assert abs(same / 3000 - 1 / 14) < 0.02  # one step does not know of the other


def test_trivialaugment_draws_each_strength_alike(drawn):
    TrivialAugment()(pictures(3000), KEYS)
    (step,) = drawn
    assert step[-1] == Limits(0.99, 0, 32, 135, 0.99, 6)
    assert chisquare(list(Counter(operation for operation, _ in step[:-1]).values())).pvalue > 0.01
    assert {round(abs(level) * 30) for _, level in step[:-1]} == set(range(31))
    assert chisquare(list(Counter(abs(level) for _, level in step[:-1]).values())).pvalue > 0.01


def test_autoaugment_draws_pairs_with_their_probabilities(drawn):
    AutoAugmentCIFAR10()(pictures(3000), KEYS)
    first, second = (step[:-1] for step in drawn)
    known = {(o.__name__, round(level / 9, 4)) for pair in CIFAR10 for o, _, level in pair}
    assert {(name, abs(level)) for name, level in (*first, *second) if name != "identity"} <= known
    for place, step in enumerate((first, second)):
        expected = sum(pair[place][1] for pair in CIFAR10) / 25
        applied = sum(name != "identity" for name, _ in step) / 3000
        assert abs(applied - expected) < 0.03
    inverted = sum(name == "invert" for name, _ in (*first, *second)) / 3000
    assert 0 < inverted < 0.03  # 0.1 and 0.1 of one policy each, 0 of a third


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)
def test_an_image_and_its_key_decide_whatever_else_is_in_the_batch(policy, channels):
    images = pictures(60, channels)
    before, state = images.clone(), torch.get_rng_state()
    together = policy(images, KEYS[:60])
    assert together.dtype == torch.uint8
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)
    chosen = torch.tensor([17, 4, 4, 59])
    assert torch.equal(policy(images[chosen], KEYS[chosen]), together[chosen])
    assert (policy(images, KEYS[60:120]) != together).flatten(1).any(1).float().mean() > 0.5


@pytest.mark.parametrize("kind", [RandAugment, TrivialAugment, AutoAugmentCIFAR10])
def test_floating_point_images_have_the_range_that_white_says(kind):
    images = pictures(40) / 255
    expected = kind()(images, KEYS[:40])
    deep = kind(white=65535.0)
    torch.testing.assert_close(deep(images * 65535, KEYS[:40]), expected * 65535, rtol=1e-3, atol=200)
    deep.check_inputs(images * 65535)
    kind().check_inputs(pictures(3))
    with pytest.raises(ValueError, match=re.escape("values from 0 to 65535: set white to the brightest")):
        kind().check_inputs(torch.tensor([0.0, 65535.0]))
    with pytest.raises(ValueError, match="needs images"):
        kind().check_input_shape((5,))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RandAugment(0), "num_operations must be an integer in \\[1, 14\\], got 0"),
        (lambda: RandAugment(magnitude=31), "magnitude must be a finite number in \\[0, 30\\], got 31"),
        (lambda: TrivialAugment(translate=-1), "translate must be a finite number ≥ 0, got -1"),
        (lambda: AutoAugmentCIFAR10(white=0), "white must be a finite number > 0, got 0"),
    ],
)
def test_a_policy_out_of_range_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
