"""Trained runs that are put to work, each trained once."""

from pathlib import Path

import pytest

from tests.helpers import images
from tests.helpers.payments import payments
from tests.helpers.runs import trained


@pytest.fixture(scope="session")
def payments_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with numbers, gaps and categories."""
    folder = tmp_path_factory.mktemp("payments")
    payments(4000, seed=0).to_csv(folder / "train.csv", index=False)
    overrides = [f"data.path='{folder / 'train.csv'}'", "data.target=class", "data.drop=[id]", "max_epochs=6"]
    return trained(folder / "run", "data=table", *overrides)


@pytest.fixture(scope="session")
def images_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a folder of small gray images of three digits."""
    folder = tmp_path_factory.mktemp("images")
    images.tree(folder / "train", each=24)
    data = ["data=image_folder", f"data.root='{folder / 'train'}'", "data.image_size=8", "backbone=convnet"]
    return trained(folder / "run", *data, "max_epochs=3", "batch_size=16")
