import numpy as np
import pandas as pd
import pytest
from measurements.json_lines import read_lines
from table_benchmark import ours
from table_benchmark.measure import Plan
from table_benchmark.ours import Variant, measure_ours, run_variant
from table_benchmark.results import Result
from table_benchmark.scoring import score
from table_benchmark.sources import Source
from table_benchmark.splits import read_table, write_table

from imbalance_lab.errors import UsageError


def test_a_setting_is_a_name_and_overrides_as_in_a_shell():
    assert Variant.parse("default=") == Variant("default", ())
    assert Variant.parse("x=loss=focal 'data.drop=[a b]'") == Variant("x", ("loss=focal", "data.drop=[a b]"))
    with pytest.raises(UsageError, match="has no name"):
        Variant.parse("=loss=focal")


@pytest.fixture
def source():
    rng = np.random.default_rng(0)
    labels = np.array(["no"] * 90 + ["it's"] * 30)
    columns = {"c1": rng.normal(size=120) + 3 * (labels == "no"), "c2": rng.choice(["a", "b"], 120)}
    return Source("t", "t", "held-out", lambda: pd.DataFrame(columns | {"class": labels}))


def test_a_run_gives_the_predictions_of_the_rows_of_its_split(source, tmp_path):
    path = write_table(source, 0, tmp_path)
    (val, test), target = run_variant(Variant("quick", ("max_epochs=8", "trainer=cpu")), path, 0)
    frame = read_table(path)
    for split, probability in (("val", val), ("test", test)):
        rows = frame[frame["split"] == split]
        # In the order of the file: whatever the names of the classes are, the rows of one class have one index.
        assert pd.crosstab(rows["class"].to_numpy(), target[split]).to_numpy().astype(bool).sum() == 2
        assert np.allclose(probability.sum(1), 1)
    assert score(val, target["val"], test, target["test"]).auroc > 0.8


def test_a_failed_run_is_told_and_the_others_go_on(source, tmp_path, monkeypatch):
    def run(variant, path, seed):
        if seed == 0:
            raise ValueError("no luck")
        target = {"val": np.array([0, 1]), "test": np.array([0, 1])}
        return (np.eye(2), np.eye(2)), target

    monkeypatch.setattr(ours, "run_variant", run)
    plan = Plan([source], range(1), range(3), tmp_path, tmp_path / "r.jsonl")
    failed = measure_ours(plan, [Variant("default")], "v")
    assert failed == ["t, split 0, seed 0, ours: default: no luck"]
    assert [(each.seed, each.method, each.auroc) for each in read_lines([plan.results], Result)] == [
        (1, "ours: default", 1.0),
        (2, "ours: default", 1.0),
    ]
