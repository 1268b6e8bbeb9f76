"""The checks of arguments: what passes, what does not, and that the sentence names argument and value."""

import math
import re

import numpy as np
import pytest

from imbalance_lab.validation import (
    check_bool,
    check_choice,
    check_integer,
    check_list,
    check_number,
    did_you_mean,
)


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(0.25)])
def test_numbers_within_bounds_pass_as_floats(value):
    checked = check_number("x", value, minimum=0, maximum=1)
    assert type(checked) is float
    assert checked == value


@pytest.mark.parametrize(
    ("bounds", "value", "sentence"),
    [
        ({}, math.nan, "x must be a finite number, got nan"),
        ({}, math.inf, "x must be a finite number, got inf"),
        ({"minimum": 0}, -1, "x must be a finite number ≥ 0, got -1"),
        ({"above": 0}, 0, "x must be a finite number > 0, got 0"),
        ({"maximum": 2}, 3, "x must be a finite number ≤ 2, got 3"),
        ({"minimum": 0, "below": 1}, 1, "x must be a finite number in [0, 1), got 1"),
        ({"above": 0, "maximum": 1}, 0, "x must be a finite number in (0, 1], got 0"),
        ({"above": 0, "below": 1}, 1.5, "x must be a finite number in (0, 1), got 1.5"),
    ],
)
def test_numbers_out_of_bounds_are_refused_by_their_range(bounds, value, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        check_number("x", value, **bounds)


@pytest.mark.parametrize("value", [True, "0.5", None, [1], 1j])
def test_what_is_not_a_number_is_refused_by_its_value(value):
    with pytest.raises(TypeError, match=f"^{re.escape(f'x must be a number, got {value!r}')}$"):
        check_number("x", value)


def test_a_value_just_outside_its_bounds_is_not_rounded_into_them():
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1\.0000001$"):
        check_number("p", 1.0000001, minimum=0, maximum=1)
    with pytest.raises(ValueError, match=r"in \[2, 1048576\], got 1048577$"):
        check_integer("bins", 2**20 + 1, minimum=2, maximum=2**20)


def test_integers():
    assert check_integer("n", 3, minimum=1, maximum=3) == 3
    with pytest.raises(ValueError, match="n must be an integer ≥ 1, got 0"):
        check_integer("n", 0, minimum=1)
    for value in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match=r"n must be an integer ≥ 1, got"):
            check_integer("n", value, minimum=1)


def test_booleans_choices_and_lists():
    assert check_bool("flip", True) is True
    with pytest.raises(TypeError, match="flip must be true or false, got 1"):
        check_bool("flip", 1)
    assert check_choice("profile", "exp", ("exp", "step")) == "exp"
    with pytest.raises(ValueError, match="profile must be one of exp, step, got 'linear'"):
        check_choice("profile", "linear", ("exp", "step"))
    assert check_list("widths", (1, 2)) == (1, 2)
    for value in ("ab", 3, None):
        with pytest.raises(TypeError, match="widths must be a list, got"):
            check_list("widths", value)
    with pytest.raises(ValueError, match=r"scale must have 2 entries, got 3: \[1, 2, 3\]"):
        check_list("scale", [1, 2, 3], length=2)


def test_the_nearest_name_is_suggested():
    assert did_you_mean("gama", ["gamma", "alpha"]) == "; did you mean 'gamma'?"
    assert did_you_mean("zzz", ["gamma", "alpha"]) == ""
