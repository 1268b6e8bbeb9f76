"""``experiment=NAME``: each recipe composes, is what its name says, and says where its number is from."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch.optim import SGD

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
    assert re.search(r"Published (test accuracy|AUROC)[^.]*?: ?.*?(\d+\.\d+|not found)", header)
    assert ("Tolerance: " in header) != ("there is no tolerance" in header)


PLAIN = {"_target_": "CrossEntropyLoss", "weight": None, "label_smoothing": 0}
DRW = {"drw": {"start": 0.8, "beta": 0.9999}}
NOTHING: dict[str, Any] = {}
METHODS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "ce": (PLAIN, NOTHING, "NoPriorCorrection"),
    "ce_drw": (PLAIN, DRW, "NoPriorCorrection"),
    "focal": ({"_target_": "FocalLoss", "gamma": 2, "alpha": None}, NOTHING, "NoPriorCorrection"),
    "class_balanced": (PLAIN | {"weight": "effective"}, NOTHING, "NoPriorCorrection"),
    "ldam": ({"_target_": "LDAMLoss", "max_margin": 0.5, "scale": 30}, NOTHING, "NoPriorCorrection"),
    "ldam_drw": ({"_target_": "LDAMLoss", "max_margin": 0.5, "scale": 30}, DRW, "NoPriorCorrection"),
    "balanced_softmax": ({"_target_": "LogitAdjustedLoss", "tau": 1}, NOTHING, "NoPriorCorrection"),
    "logit_adjusted": ({"_target_": "LogitAdjustedLoss", "tau": 1}, NOTHING, "NoPriorCorrection"),
    "logit_adjusted_mixup": (
        {"_target_": "LogitAdjustedLoss", "tau": 1},
        {"mixup": {"alpha": 1}},
        "NoPriorCorrection",
    ),
    "crt": (PLAIN, {"crt": {"epochs": 10, "weights": "last"}}, "NoPriorCorrection"),
    "lws": (PLAIN, {"lws": {"epochs": 5, "weights": "last"}}, "NoPriorCorrection"),
    "post_hoc": (PLAIN, NOTHING, "PostHocLogitAdjustment"),
    "tau_normalization": (PLAIN, NOTHING, "TauNormalization"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("classes", [10, 100])
def test_cifar_recipes_are_their_method_under_one_protocol(classes: int, method: str) -> None:
    config = composed(f"experiment=cifar{classes}_lt_{method}", "data.factor=10")
    values: Any = OmegaConf.to_container(config, resolve=False)
    loss, strategies, correction = METHODS[method]
    assert config.data.dataset._target_ == f"imbalance_lab.data.cifar{classes}"
    assert (config.backbone.depth, config.max_epochs, config.batch_size, config.data.factor) == (32, 200, 128, 10)
    assert config.data.val_fraction == (0.1 if method == "tau_normalization" else 0)
    decay = 5e-4 if method == "logit_adjusted_mixup" else 2e-4
    sgd = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1, "momentum": 0.9, "weight_decay": decay}
    assert values["optimizer"] == sgd
    assert set(config.strategy) == set(strategies)
    for name, options in strategies.items():
        assert options.items() <= values["strategy"][name].items()
    assert config.prior_correction._target_ == f"imbalance_lab.posthoc.{correction}"
    assert config.loss._target_ == f"imbalance_lab.losses.{loss['_target_']}"
    found = instantiate(config.loss, class_counts=[500] * classes)
    taken = {"scale": getattr(found, "scale", None)} | values["loss"] | {"_target_": loss["_target_"]}
    assert loss.items() <= ({"label_smoothing": 0} | taken | {"scale": getattr(found, "scale", None)}).items()
    assert config.head._target_.endswith("CosineHead" if method.startswith("ldam") else "Linear")


def test_every_cifar_recipe_is_one_of_these() -> None:
    names = {f"cifar{classes}_lt_{method}" for classes in (10, 100) for method in METHODS}
    assert {name for name in RECIPES if name.startswith(("cifar10_lt", "cifar100_lt"))} == names


@pytest.mark.parametrize(("method", "loss"), [("ce", "CrossEntropyLoss"), ("auc_margin", "AUCMarginLoss")])
def test_binary_recipes_differ_in_the_loss_alone(method: str, loss: str) -> None:
    config, other = (composed(f"experiment=cifar10_binary_{each}") for each in (method, "auc_margin"))
    assert config.loss._target_ == f"imbalance_lab.losses.{loss}"
    assert (config.backbone.depth, config.max_epochs, config.batch_size, config.data.val_fraction) == (20, 100, 128, 0)
    for part in ("optimizer", "scheduler", "backbone", "augment", "sampler"):
        assert config[part] == other[part]
    assert (config.optimizer.lr, config.optimizer.weight_decay) == (0.1, 1e-4)
    assert config.scheduler.factors == {0.5: 0.1, 0.75: 0.01}


def test_the_rate_falls_at_epochs_160_and_180_after_five_of_warmup() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    steps = 97  # of an epoch: 12,406 examples in batches of 128
    schedule = instantiate(composed("experiment=cifar10_lt_ce").scheduler)(SGD([parameter], lr=0.1), 200 * steps)
    factor = schedule.lr_lambdas[0]
    for epoch, expected in ((5, 1), (159, 1), (160, 0.01), (179, 0.01), (180, 1e-4), (199, 1e-4)):
        assert factor(epoch * steps) == expected
    assert factor(0) < 0.01
    assert factor(2 * steps) == pytest.approx(0.4, abs=0.01)


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
