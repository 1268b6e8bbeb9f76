"""``experiment=NAME``: each recipe composes, is what its name says, and says where its number is from."""

import re
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.trusted import locate
from tests.conftest import ROOT, composed

RECIPES = sorted(path.stem for path in (ROOT / "configs" / "experiment").glob("*.yaml"))
WITHOUT_DATA = {"data.root", "data.lists", "data.flag"}
"""What only the user knows."""


def targets(node: object) -> list[str]:
    if isinstance(node, DictConfig):
        own = [node["_target_"]] if isinstance(node.get("_target_"), str) else []
        return own + [each for key in node for each in targets(node._get_node(key))]
    return []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_composes_and_names_its_source(name: str) -> None:
    config = composed(f"experiment={name}")
    assert OmegaConf.missing_keys(config) <= WITHOUT_DATA
    for target in targets(config):
        locate(target, [], "")
    for part in ("optimizer", "scheduler", "prior_correction", "calibration", "augment"):
        instantiate(config[part])
    text = (ROOT / "configs" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    header = re.sub(r"\n# ?", " ", "\n".join(line for line in text.splitlines() if line.startswith("#")))
    assert re.search(r"arXiv \d{4}\.\d{5}", header)
    if name.startswith(("cifar", "imagenet", "places", "inat")):
        assert re.search(r"Published (test accuracy|AUROC)[^.]*?: ?.*?(\d+\.\d+ %|not found)", header)
    if name.startswith("cifar") and "not found as a number" not in header and "accuracy: not found" not in header:
        assert "Tolerance: " in header


@pytest.mark.parametrize("classes", [10, 100])
def test_cifar_recipes_follow_one_protocol(classes: int) -> None:
    for name in (each for each in RECIPES if each.startswith(f"cifar{classes}_lt_")):
        config = composed(f"experiment={name}", "data.factor=10")
        assert config.data.dataset._target_ == f"imbalance_lab.data.cifar{classes}", name
        assert (config.backbone.depth, config.max_epochs, config.batch_size, config.data.factor) == (32, 200, 128, 10)
        assert config.data.val_fraction == (0.1 if "tau_normalization" in name else 0)
        loss = "LDAMLoss" if "ldam" in name else "LogitAdjustedLoss" if _is_adjusted(name) else None
        assert loss is None or config.loss._target_ == f"imbalance_lab.losses.{loss}", name


def _is_adjusted(name: str) -> bool:
    return "logit_adjusted" in name or "balanced_softmax" in name


def test_the_subset_of_the_classic_protocol_has_the_published_counts() -> None:
    """Cao et al. 2019: CIFAR-10-LT at factor 100 has 12,406 training images, CIFAR-100-LT 10,847."""
    from imbalance_lab.data import long_tailed_counts

    assert sum(long_tailed_counts(5000, 10, 100)) == 12_406
    assert sum(long_tailed_counts(500, 100, 100)) == 10_847


def test_no_recipe_is_larger_than_its_difference_to_the_defaults() -> None:
    for name in RECIPES:
        path = Path(ROOT / "configs" / "experiment" / f"{name}.yaml")
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert len(lines) <= 30, name
