import sys

from scripts import benchmark_metrics


def test_it_prints_a_row_for_each_contender(capsys, monkeypatch):
    argv = ["benchmark_metrics.py", "--shapes", "400x3", "--binary", "20000", "--rounds", "2"]
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(benchmark_metrics.torch, "set_num_threads", lambda _: None)
    benchmark_metrics.main()
    printed = capsys.readouterr().out
    assert " ".join(argv) in printed
    assert printed.count("| 400 × 3 |") == 2
    assert "| ours, streaming |" in printed
    assert "| torchmetrics, 200 thresholds |" in printed
