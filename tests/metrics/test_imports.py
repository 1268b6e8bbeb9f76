"""Importing the metrics must stay fast: heavy libraries are loaded when they are first used."""

import subprocess
import sys

import pytest

from imbalance_lab import metrics

HEAVY = ("torchmetrics", "torchvision", "matplotlib", "pandas", "scipy.stats", "scipy.signal", "scipy.optimize")


def test_importing_the_metrics_loads_no_heavy_library():
    code = f"import sys, imbalance_lab.metrics; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_every_exported_name_exists_and_is_listed():
    for name in metrics.__all__:
        assert getattr(metrics, name) is not None
        assert name in dir(metrics)


def test_an_unknown_name_raises():
    with pytest.raises(AttributeError, match=r"'imbalance_lab\.metrics' has no attribute 'AUCROC'"):
        metrics.AUCROC  # noqa: B018
