"""Work on many files in threads."""

import threading

import pytest

from imbalance_lab.data.threads import MOST_AT_ONCE, in_parallel


@pytest.mark.parametrize("n", [0, 1, 5, 1000])
def test_results_come_in_order_and_each_is_reported(n: int) -> None:
    told: list[tuple[int, int]] = []
    items = list(range(n))
    assert list(in_parallel(lambda item: item * item, items, lambda *at: told.append(at))) == [i * i for i in items]
    assert told == [(done, n) for done in range(1, n + 1)]


def test_a_thread_takes_several_items_of_many() -> None:
    """One at a time costs more than hashing a small file; a few are still shared out among the threads."""
    threads = list(in_parallel(lambda _: threading.get_ident(), range(1000)))
    parts = [set(threads[first : first + MOST_AT_ONCE]) for first in range(0, 1000, MOST_AT_ONCE)]
    assert all(len(part) == 1 for part in parts)
    met = threading.Barrier(2, timeout=30)
    assert len(list(in_parallel(lambda _: met.wait(), range(2)))) == 2  # hangs, and fails, in one thread


def test_an_error_of_an_item_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_parallel(lambda item: 1 // (item - 40), range(100)))
