"""What is checked about arguments stands once, and so do its tests."""

import math

import numpy as np
import pytest
import torch

from imbalance_lab.losses.checks import check_numbers, in_full_precision
from imbalance_lab.losses.reduction import check_reduction, reduce
from imbalance_lab.losses.targets import validate_shapes
from imbalance_lab.validation import check_number


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1)])
def test_any_real_number_is_a_float(value):
    number = check_number("x", value, minimum=0)
    assert type(number) is float
    assert number == 1


@pytest.mark.parametrize("value", [True, None, "1", [1], 1j, torch.tensor(1.0)])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError, match="x must be a number, got"):
        check_number("x", value)


@pytest.mark.parametrize(("value", "number"), [(math.nan, "nan"), (math.inf, "inf"), (-0.5, "-0.5"), (1.5, "1.5")])
def test_numbers_out_of_range_are_refused(value, number):
    with pytest.raises(ValueError, match=f"x must be a finite number in \\[0, 1\\], got {number}"):
        check_number("x", value, minimum=0, maximum=1)


def test_one_number_or_one_per_class():
    assert check_numbers("x", 2) == check_numbers("x", torch.tensor(2.0)) == 2.0
    assert torch.equal(check_numbers("x", [1, 2]), torch.tensor([1.0, 2.0], dtype=torch.float64))
    assert check_numbers("x", torch.ones(3, 1)).shape == (3,)
    with pytest.raises(ValueError, match=r"x must be one number or one number per class, got shape \(1, 3\)"):
        check_numbers("x", torch.ones(1, 3))


def test_an_unknown_reduction_is_refused_with_the_choices():
    assert check_reduction("mean") == "mean"
    with pytest.raises(ValueError, match="reduction must be one of none, sum, mean, got 'batchmean'"):
        check_reduction("batchmean")


@pytest.mark.parametrize(("normalizer", "mean"), [(4, 1.5), (0.5, 12.0), (0, 6.0)])
def test_a_mean_divides_by_its_normalizer_unless_that_is_zero(normalizer, mean):
    loss = torch.tensor([1.0, 2.0, 3.0])
    assert reduce(loss, "mean", torch.tensor(normalizer)) == mean
    assert reduce(loss, "sum", torch.tensor(normalizer)) == 6
    assert reduce(loss, "none", torch.tensor(normalizer)) is loss


@pytest.mark.parametrize(
    ("dtype", "precise"),
    [(torch.float16, torch.float32), (torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
)
def test_full_precision_is_float32_at_least(dtype, precise):
    assert in_full_precision(torch.zeros(1, dtype=dtype)).dtype == precise


def test_there_is_no_mask_where_nothing_is_ignored():
    logits = torch.zeros(3, 4)
    assert validate_shapes(logits, torch.tensor([0, 1, 3]))[2] is None
    assert validate_shapes(logits, torch.tensor([0, -100, 3]))[2].tolist() == [False, True, False]
    assert validate_shapes(logits, torch.tensor([0, 1, 3]), ignore_index=1)[2].tolist() == [False, True, False]
