import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from measurements.json_lines import read_lines
from table_benchmark.measure import Plan, measure_peers
from table_benchmark.results import Result
from table_benchmark.sources import Source


@dataclass
class Recorder:
    """A peer that notes what it is given."""

    name: str
    is_random: bool = False
    version: str = "1"

    def __post_init__(self):
        self.rows = []

    def fit(self, table, seed):
        self.rows.append((seed, table.native["train"].tobytes(), table.native["test"].tobytes()))
        return tuple(np.full((len(table.target[split]), 2), 0.5) for split in ("val", "test"))


@pytest.fixture
def plan(tmp_path):
    frame = pd.DataFrame({"c1": np.arange(60.0), "class": ["a"] * 30 + ["b"] * 30})
    sources = [Source(name, name, "held-out", lambda: frame) for name in ("t", "u")]
    return Plan(sources, range(3), range(2), tmp_path, tmp_path / "r.jsonl")


def test_methods_get_the_same_rows_and_random_ones_every_seed(plan, capsys):
    fixed, random = Recorder("fixed"), Recorder("random", is_random=True)
    measure_peers(plan, [fixed, random])
    assert [seed for seed, *_ in fixed.rows] == [0] * 6
    assert [seed for seed, *_ in random.rows] == [0] * 6 + [1] * 6
    assert [rows[1:] for rows in fixed.rows] == [rows[1:] for rows in random.rows[:6]]
    assert len({rows[1:] for rows in fixed.rows[:3]}) == 3, "each split has other rows"
    assert {(result.method, result.auroc) for result in read_lines([plan.results], Result)} == {
        ("fixed", 0.5),
        ("random", 0.5),
    }
    assert capsys.readouterr().out.count("AUROC 0.5000") == 18


def test_only_what_is_not_there_is_measured(plan):
    measure_peers(plan, [Recorder("m")])
    lines = plan.results.read_text().splitlines(keepends=True)
    plan.results.write_text("".join(lines[:4]) + lines[4][:20])
    again = Recorder("m")
    measure_peers(plan, [again])
    assert len(again.rows) == 2
    assert len(read_lines([plan.results], Result)) == 6
    newer = Recorder("m", version="2")
    measure_peers(plan, [newer])
    assert len(newer.rows) == 6


def test_no_fit_begins_after_the_deadline(plan):
    late = Plan(plan.sources, plan.split_seeds, plan.seeds, plan.cache, plan.results, time.monotonic() - 1)
    peer = Recorder("m")
    measure_peers(late, [peer])
    assert peer.rows == []
