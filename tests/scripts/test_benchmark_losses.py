import sys

import pytest

from scripts import benchmark_losses


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("labels", [False, True])
def test_it_prints_a_row_for_each_contender(labels, capsys, monkeypatch):
    argv = ["benchmark_losses.py", "--device", "cpu", "--seconds", "0.1", "--blocks", "2", "--dtype", "float32"]
    monkeypatch.setattr(sys, "argv", argv + ["--labels"] * labels)
    monkeypatch.setattr(benchmark_losses.torch, "set_num_threads", lambda _: None)
    monkeypatch.setattr(benchmark_losses, "LABEL_SHAPES" if labels else "SHAPES", [(40, 3)])
    benchmark_losses.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| (40, 3)")]
    assert [row[2].split(",")[0] for row in rows[:2]] == ["F.binary_cross_entropy" if labels else "F.cross_entropy"] * 2
    assert rows[0][4:] == ["**1.00** (1.00–1.00)", "1.00 |"]
    assert {"focal (ours)", "sigmoid focal (ours)"} & {row[2] for row in rows}
    assert all(float(row[3]) > 0 for row in rows)
