"""The data configs: what they share stands once, and every augmentation goes with every source."""

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.conftest import ROOT, composed

DATA = sorted(path.stem for path in (ROOT / "configs" / "data").glob("*.yaml"))
AUGMENT = {
    "digits_lt": {"_target_": "imbalance_lab.data.ShiftFlip", "shift": 1, "flip": False},
    "fashion_mnist_binary": {"_target_": "imbalance_lab.data.ShiftFlip", "shift": 2, "flip": True},
    "cifar100_lt": {"_target_": "imbalance_lab.data.ShiftFlip", "shift": 4, "flip": True},
    "table": {"_target_": "imbalance_lab.data.NoAugmentation"},
}


@pytest.mark.parametrize("data", DATA)
def test_any_augmentation_goes_with_any_data(data: str) -> None:
    assert OmegaConf.to_container(composed(f"data={data}", "augment=none").augment) == {
        "_target_": "imbalance_lab.data.NoAugmentation"
    }
    assert composed(f"data={data}", "augment=pad_crop_flip").augment.shift == 4


@pytest.mark.parametrize("data", AUGMENT)
def test_data_choose_their_augmentation(data: str) -> None:
    assert OmegaConf.to_container(composed(f"data={data}").augment) == AUGMENT[data]


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "augment").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_augmentation_is_built(path: Path) -> None:
    assert callable(instantiate(composed(f"augment={path.stem}").augment))


def test_benchmarks_differ_only_where_they_say_so() -> None:
    ten, hundred = (OmegaConf.to_container(composed(f"data={data}").data) for data in ("cifar10_lt", "cifar100_lt"))
    assert isinstance(ten, dict)
    assert isinstance(hundred, dict)
    assert {key for key in ten if ten[key] != hundred[key]} == {"dataset"}
    assert composed("data=digits_lt").data.factor == 20
    assert "root" not in composed("data=digits_lt").data  # they ship with scikit-learn
