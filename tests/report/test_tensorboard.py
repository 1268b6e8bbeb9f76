"""Which epochs have figures in TensorBoard."""

import pytest

from imbalance_lab.report.tensorboard import MAX_FIGURES, is_due


def drawn_epochs(max_epochs: int, validated: range) -> list[int]:
    drawn: list[int] = []
    for epoch in validated:
        if is_due(epoch, drawn[-1] if drawn else None, max_epochs):
            drawn.append(epoch)
    return drawn


@pytest.mark.parametrize("max_epochs", [1, 3, 20, 39])
def test_a_short_run_has_one_for_each_epoch(max_epochs: int) -> None:
    assert drawn_epochs(max_epochs, range(max_epochs)) == list(range(max_epochs))


@pytest.mark.parametrize("max_epochs", [40, 57, 200, 1001])
def test_a_long_run_has_a_few_with_the_first_and_the_last(max_epochs: int) -> None:
    found = drawn_epochs(max_epochs, range(max_epochs))
    assert found[0] == 0
    assert found[-1] == max_epochs - 1
    assert MAX_FIGURES <= len(found) <= 1.5 * MAX_FIGURES


def test_epochs_without_a_validation_leave_no_gap() -> None:
    assert drawn_epochs(100, range(2, 100, 3)) == list(range(2, 99, 6))


def test_without_a_limit_each_has_one_and_an_epoch_has_only_one() -> None:
    assert drawn_epochs(-1, range(30)) == list(range(30))
    assert not is_due(7, 7, -1)
    assert not is_due(99, 99, 100)
