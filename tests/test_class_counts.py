import mpmath
import pytest
import torch
from timm.loss import compute_class_weights

from imbalance_lab.class_counts import (
    ShotLimits,
    class_priors,
    class_weights,
    count_classes,
    effective_number,
    shot_group,
    validate_counts,
)

COUNTS = [5000, 2997, 83, 5, 1]


def test_counting_is_by_class_number_and_keeps_absent_classes():
    assert count_classes(torch.tensor([3, 1, 3, 0, 3]), 5).tolist() == [1, 1, 0, 3, 0]


def test_many_are_counted_in_parts(monkeypatch):
    monkeypatch.setattr("imbalance_lab.class_counts.PART", 4)
    target = torch.tensor([3, 1, 3, 0, 3, 6, 0, 0, 0, 1], dtype=torch.uint8)
    assert count_classes(target, 5).tolist() == torch.bincount(target, minlength=5).tolist() == [4, 2, 0, 3, 0, 0, 1]


def test_prior_is_the_share_of_each_class():
    assert class_priors([6, 3, 1]).tolist() == [0.6, 0.3, 0.1]


@pytest.mark.parametrize("beta", [0.5, 0.99, 0.9999, 1 - 1e-12])
def test_effective_number_keeps_its_digits(beta):
    with mpmath.workdps(50):
        exact = [float((1 - mpmath.mpf(beta) ** n) / (1 - mpmath.mpf(beta))) for n in COUNTS]
    torch.testing.assert_close(effective_number(COUNTS, beta), torch.tensor(exact).double(), rtol=1e-7, atol=0)


def test_effective_number_lies_between_one_and_the_count():
    assert effective_number(COUNTS, 0).tolist() == [1.0] * 5
    almost = effective_number(COUNTS, 1 - 1e-15)
    torch.testing.assert_close(almost, torch.tensor(COUNTS).double(), rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("weighting", "by_hand"),
    [
        # Shares 1 : 4 : 16, each brought to a sum of 3.
        ("inverse", [3 / 21, 12 / 21, 48 / 21]),
        ("sqrt_inverse", [3 / 7, 6 / 7, 12 / 7]),
    ],
)
def test_class_weights_by_hand(weighting, by_hand):
    torch.testing.assert_close(class_weights([160, 40, 10], weighting), torch.tensor(by_hand).double())


@pytest.mark.parametrize(
    ("weighting", "theirs"),
    [
        ("inverse", {"method": "inv_freq"}),
        ("sqrt_inverse", {"method": "inv_freq", "power": 0.5}),
        ("effective", {"method": "effective_num", "beta": 0.9999}),
    ],
)
def test_class_weights_agree_with_timm(weighting, theirs):
    _, expected = compute_class_weights(COUNTS, sum(COUNTS), **theirs)
    torch.testing.assert_close(class_weights(COUNTS, weighting).float(), expected)


def test_effective_weights_run_from_equal_to_inverse_as_beta_grows():
    equal = class_weights(COUNTS, "effective", beta=0.0)
    torch.testing.assert_close(equal, torch.ones(5).double())
    inverse = class_weights(COUNTS, "effective", beta=1 - 1e-14)
    torch.testing.assert_close(inverse, class_weights(COUNTS, "inverse"), rtol=0.01, atol=0)


@pytest.mark.parametrize("weighting", ["inverse", "sqrt_inverse", "effective"])
def test_weights_sum_to_the_number_of_classes_and_grow_with_rarity(weighting):
    weights = class_weights(COUNTS, weighting)
    assert weights.sum().item() == pytest.approx(5)
    assert weights.tolist() == sorted(weights.tolist())
    assert weights[-1] > weights[0]
    torch.testing.assert_close(class_weights([7, 7, 7], weighting), torch.ones(3).double())


@pytest.mark.parametrize(
    "make", [validate_counts, class_priors, effective_number, lambda n: class_weights(n, "inverse")]
)
def test_a_class_without_an_example_is_refused_by_number(make):
    with pytest.raises(ValueError, match="class 1, 3 has none"):
        make([5, 0, 2, 0])


def test_a_long_list_of_empty_classes_is_cut_short():
    with pytest.raises(ValueError, match="class 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 13 more has none"):
        validate_counts([0] * 23 + [1])


@pytest.mark.parametrize("counts", [[[1, 2]], [1.0, float("nan")], [1.0, float("inf")]])
def test_counts_are_one_finite_number_a_class(counts):
    with pytest.raises(ValueError, match="one finite number per class"):
        validate_counts(counts)


@pytest.mark.parametrize("beta", [-0.1, 1.0, 1.5, float("nan")])
def test_beta_outside_its_range_is_refused(beta):
    with pytest.raises(ValueError, match=r"beta must lie in \[0, 1\)"):
        effective_number([1, 2], beta)


def test_an_unknown_weighting_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'invers': choose inverse, sqrt_inverse or effective"):
        class_weights([1, 2], "invers")


def test_groups_at_their_borders():
    groups = [shot_group(n) for n in (1, 19, 20, 100, 101, 5000)]
    assert groups == ["few", "few", "medium", "medium", "many", "many"]


@pytest.mark.parametrize(("many", "few", "groups"), [(100, 20, "Mmmff"), (5, 5, "MMMMm"), (99, 21, "MMfff")])
def test_the_limits_belong_to_the_middle_group(many, few, groups):
    names = {"M": "many", "m": "medium", "f": "few"}
    found = [shot_group(count, ShotLimits.checked(many, few)) for count in (101, 100, 20, 19, 5)]
    assert found == [names[each] for each in groups]


@pytest.mark.parametrize(
    ("many", "few", "said"),
    [
        (20, 100, "few=100 is above many=20"),
        (-1, -2, "many must be an integer ≥ 0, got -1"),
        (100, 2.5, "few must be an"),
    ],
)
def test_limits_that_cannot_be_are_refused(many, few, said):
    with pytest.raises((TypeError, ValueError), match=said):
        ShotLimits.checked(many, few)
