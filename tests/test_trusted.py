"""What a configuration or a checkpoint may name, and that nothing else is imported or called."""

import sys
from pathlib import Path

import pytest
import yaml

from imbalance_lab.errors import UsageError
from imbalance_lab.trusted import locate
from tests.conftest import ROOT


def targets(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["_target_"]] if "_target_" in node else []
        return own + [each for value in node.values() for each in targets(value)]
    return [each for value in node for each in targets(value)] if isinstance(node, list) else []


OURS = sorted(
    {
        target
        for file in (ROOT / "configs").rglob("*.yaml")
        for target in targets(yaml.safe_load(file.read_text(encoding="utf-8")))
        if target not in ("???", "imbalance_lab.app.cli.Sweep")  # Sweep is Hydra's callback, not a part of a job
    }
)


@pytest.mark.parametrize("target", OURS)
def test_every_target_of_our_configurations_is_trusted(target: str) -> None:
    if "Wandb" in target:
        pytest.importorskip("wandb")
    if "MLflow" in target:
        pytest.importorskip("mlflow")
    assert callable(locate(target, (), ""))


@pytest.mark.parametrize(
    "target",
    [
        "torch.nn.Identity",
        "torch.optim.lr_scheduler.CosineAnnealingLR",
        "lightning.pytorch.callbacks.StochasticWeightAveraging",
        "lightning.pytorch.plugins.MixedPrecision",
        "lightning.pytorch.plugins.environments.SLURMEnvironment",
        "lightning.pytorch.profilers.SimpleProfiler",
        "torchmetrics.AUROC",
        "torchvision.ops.MLP",
    ],
)
def test_what_makes_sense_of_other_packages_is_trusted(target: str) -> None:
    assert locate(target, (), "").__name__ == target.rpartition(".")[2]


@pytest.mark.parametrize(
    "target",
    [
        *(
            "torch.load",
            "torch.hub.load",
            "torch.serialization.load",
            "torch.jit.load",
            "torch.package.PackageImporter",
        ),
        *("torch.utils.cpp_extension.load", "torch.distributed.nn.RemoteModule", "torch.fx.GraphModule"),
        *("torch.os.system", "torch.nn.modules.module.torch.load", "torch.nn.functional.torch.hub.load"),
        *("torch.nn.Embedding.from_pretrained", "torch.nn.Module.__init__", "torch.nn", "torch.nn.functional.relu"),
        *("torchvision.models.resnet18", "torchvision.datasets.CIFAR10", "timm.create_model"),
        *("lightning.pytorch.cli.LightningCLI", "lightning.pytorch.LightningModule.load_from_checkpoint"),
        *("lightning.pytorch.plugins.TorchCheckpointIO", "torchmetrics.text.BERTScore"),
        *("imbalance_lab.model.load_model", "imbalance_lab.model.build", "imbalance_lab.__main__.main"),
        *("imbalance_lab.app.evaluate.evaluate_again", "imbalance_lab.data.read_table.read_table"),
        *("imbalance_lab.data.datasets.Path", "imbalance_lab.data.arrays.torch.load"),
    ],
)
def test_what_loads_or_executes_is_refused(target: str) -> None:
    with pytest.raises(UsageError, match=target.partition(".")[0]):
        locate(target, (), "allow {package}")


@pytest.mark.parametrize(
    "target", ["os.system", "builtins.eval", "pandas.read_pickle", "hydra.utils.instantiate", "os"]
)
def test_another_package_is_refused_with_the_remedy(target: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^{target}, which is of a package .*: if you .*, add allow={target.split('.')[0]}$"
    ):
        locate(target, (), "add allow={package}")


@pytest.mark.parametrize("target", [5, None, "", ".", "torch..nn", "a b", "torch.nn.Linear;x", ["torch.nn.Linear"]])
def test_what_is_no_path_is_refused(target: object) -> None:
    with pytest.raises(UsageError, match="not the dotted path of a class"):
        locate(target, (), "")


def test_a_refused_package_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_code.py").write_text("import os\ndef run(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"planted_code\.run, which is of a package that is not trusted"):
        locate("planted_code.run", (), "")
    assert "planted_code" not in sys.modules
    assert callable(locate("planted_code.run", ["planted_code"], ""))
    with pytest.raises(UsageError, match="is defined in posix"):
        locate("planted_code.os.system", ["planted_code"], "")
