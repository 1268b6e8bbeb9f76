import numpy as np
import pandas as pd
import pytest
from table_benchmark import tabm_reference
from table_benchmark.peers import PEERS, Peer
from table_benchmark.prepared import prepare
from table_benchmark.scoring import score

from imbalance_lab.errors import UsageError

MODULES = {"BalancedRandomForest": "imblearn", "XGBoost": "xgboost", "TabM": "tabm", "LightGBM": "lightgbm"}


@pytest.fixture(scope="module")
def table():
    """The class follows from the text of c2 and, noisily, from c1; c1 has gaps, c3 is constant, test has a new text."""
    rng = np.random.default_rng(0)
    n = 300
    labels = rng.choice(["a", "b", "c"], n, p=[0.6, 0.25, 0.15])
    at = np.searchsorted(["a", "b", "c"], labels)
    frame = pd.DataFrame({"c1": at + rng.normal(size=n), "c2": np.array(["x", "y", "y"])[at], "c3": 1.0})
    frame.loc[::10, "c1"] = np.nan
    frame["class"], frame["split"] = labels, np.resize(["train", "train", "train", "val", "test"], n)
    frame.loc[4, "c2"] = "never seen"
    return prepare(frame)


@pytest.mark.filterwarnings("ignore")  # other packages' advice on their own settings
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_peer_learns_from_numbers_and_text(peer, table, monkeypatch):
    if peer.name in MODULES:
        pytest.importorskip(MODULES[peer.name])
    monkeypatch.setattr(tabm_reference, "SECONDS", 1.0)
    monkeypatch.setattr(tabm_reference, "WIDTH", 16)
    monkeypatch.setattr(tabm_reference, "BATCH", 32)
    val, test = peer.fit(table, 0)
    assert val.shape == (60, 3)
    assert np.allclose(test.sum(1), 1)
    found = score(val, table.target["val"], test, table.target["test"])
    assert found.auroc > 0.8
    assert peer.version.split()[0] == peer.package


def test_a_peer_without_its_package_says_how_to_get_it():
    with pytest.raises(UsageError, match="Nobody needs the package no-such-thing: pip install no-such-thing"):
        _ = Peer("Nobody", "no-such-thing", lambda table, seed: None).version
