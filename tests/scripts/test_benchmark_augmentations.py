import sys

from scripts import benchmark_augmentations


def test_it_prints_a_row_for_each_augmentation(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmark_augmentations.py", "--rounds", "1"])
    monkeypatch.setattr(benchmark_augmentations.torch, "set_num_threads", lambda _: None)
    monkeypatch.setattr(benchmark_augmentations, "BATCHES", [(3, 32)])
    benchmark_augmentations.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 3 of 3 × 32 × 32 |")]
    assert len(rows) == 6
    assert all(float(row.split(" | ")[-1].rstrip(" |")) > 0 for row in rows)
