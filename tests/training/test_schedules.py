import math

import pytest
import torch

from imbalance_lab.training import schedules


def rates(schedule, total, **options):
    """The learning rate of every step of a run, for a base rate of 0.5."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = schedule(**options)(optimizer, total)
    used = []
    for _ in range(total):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used, optimizer.param_groups[0]["lr"]


def test_cosine_without_warmup_is_half_a_cosine_down_to_zero():
    used, end = rates(schedules.Cosine, 8, warmup=0.0)
    assert used == pytest.approx([0.25 * (1 + math.cos(math.pi * step / 8)) for step in range(8)])
    assert end == pytest.approx(0, abs=1e-12)


def test_cosine_rises_by_equal_steps_then_only_falls():
    used, end = rates(schedules.Cosine, 40, warmup=0.25)
    assert used[:11] == pytest.approx([0.5 * (step + 1) / 11 for step in range(11)])
    assert used[10] == 0.5
    assert used[10:] == sorted(used[10:], reverse=True)
    assert used[25] == pytest.approx(0.25)  # half of what is left after the warm-up
    assert end == pytest.approx(0, abs=1e-12)


def test_steps_follow_ldam_drw_over_200_epochs():
    used, _ = rates(schedules.Steps, 200)
    assert used[:6] == pytest.approx([0.5 * (step + 1) / 6 for step in range(6)])
    assert set(used[5:160]) == {0.5}
    assert used[160:180] == pytest.approx([0.005] * 20)
    assert used[180:] == pytest.approx([0.00005] * 20)


def test_steps_take_their_points_in_any_order():
    used, _ = rates(schedules.Steps, 10, warmup=0, factors={0.7: 0.2, 0.3: 0.5})
    assert used == pytest.approx([0.5] * 3 + [0.25] * 4 + [0.1] * 3)


@pytest.mark.parametrize("schedule", [schedules.Cosine, schedules.Steps, schedules.WarmupStableDecay])
def test_the_shape_does_not_depend_on_the_number_of_steps(schedule):
    coarse, _ = rates(schedule, 50, warmup=0)
    fine, _ = rates(schedule, 500, warmup=0)
    assert fine[::10] == pytest.approx(coarse)


@pytest.mark.parametrize("schedule", [schedules.Cosine, schedules.Steps, schedules.WarmupStableDecay])
@pytest.mark.parametrize("warmup", [-0.1, 1.0, 5, True, "0.1", float("nan")])
def test_a_warmup_that_is_not_a_fraction_of_the_run_is_refused(schedule, warmup):
    with pytest.raises((TypeError, ValueError), match="warmup must be a "):
        rates(schedule, 10, warmup=warmup)


def test_no_factors_keep_the_rate():
    used, _ = rates(schedules.Steps, 10, warmup=0, factors={})
    assert used == [0.5] * 10


@pytest.mark.parametrize(
    ("factors", "sentence"),
    [
        (5, "factors must be a mapping"),
        ({1.5: 0.1}, "a fraction of the run in factors"),
        ({0.5: -1}, r"factors\[0.5\]"),
    ],
)
def test_factors_that_make_no_sense_are_refused(factors, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        schedules.Steps(factors=factors)


def test_constant_never_changes_the_rate():
    assert rates(schedules.Constant, 5) == ([0.5] * 5, 0.5)


def test_wsd_rises_stays_and_falls_as_one_minus_the_root():
    used, end = rates(schedules.WarmupStableDecay, 20, warmup=0.2, decay=0.4)
    assert used[:4] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert used[4:12] == [0.5] * 8
    assert used[12:] == pytest.approx([0.5 * (1 - math.sqrt(step / 8)) for step in range(8)])
    assert end == 0


@pytest.mark.parametrize("options", [{"decay": 0}, {"decay": 1.5}, {"warmup": 0.6, "decay": 0.5}])
def test_a_decay_that_does_not_fit_into_the_run_is_refused(options):
    with pytest.raises(ValueError, match="decay"):
        schedules.WarmupStableDecay(**options)
