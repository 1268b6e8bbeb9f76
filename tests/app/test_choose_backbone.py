"""backbone=auto: a small net for small images; what is trained and stored is the net that was chosen."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.choose_backbone import choose_backbone, record_backbone
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.backbones import ConvNet
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_title import RunTitle
from imbalance_lab.model import load_model
from tests.conftest import composed
from tests.helpers.images import tree
from tests.helpers.runs import trained


@pytest.mark.parametrize(("side", "name"), [(8, "ConvNet"), (63, "ConvNet"), (64, "Torchvision"), (224, "Torchvision")])
def test_images_below_64_pixels_get_a_small_net(side: int, name: str) -> None:
    config = composed("data=image_folder", "data.root=x")
    (said,) = choose_backbone(config, (1, side, side + 5))
    assert config.backbone._target_ == composed("backbone=" + name.lower()).backbone._target_
    assert f"the net is {name}" in said
    assert choose_backbone(config, (1, side, side)) == []


@pytest.mark.parametrize("data", ["image_folder", "image_table"])
def test_image_data_choose_by_size_and_crop_mildly(data: str) -> None:
    config = composed(f"data={data}")
    assert config.backbone == composed("backbone=auto").backbone
    assert (config.augment.flip, config.augment.rotate, config.augment.zoom) == (False, 8, 0.1)
    assert composed(f"data={data}", "backbone=resnet_cifar").backbone.depth == 32


def test_both_nets_and_the_limit_can_be_set() -> None:
    config = composed("data=image_folder", "data.root=x", "backbone.below=9", "backbone.large.name=resnet34")
    choose_backbone(config, (3, 9, 9))
    assert config.backbone.name == "resnet34"
    wrong = composed("backbone=auto", "backbone.below=0")
    with pytest.raises(UsageError, match=r"^backbone: below must be an integer ≥ 1, got 0"):
        choose_backbone(wrong, (3, 9, 9))


def test_tables_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^backbone: backbone=auto needs images \(channels, height, width\)"):
        choose_backbone(composed("backbone=auto"), (7,))


def test_a_run_holds_the_net_that_was_chosen(tmp_path: Path) -> None:
    root = tree(tmp_path / "digits", "ab", 30)
    options = ["data=image_folder", f"data.root={root}", "backbone=auto", "num_workers=0", "max_epochs=1"]
    run = RunDirectory(trained(tmp_path / "run", *options))
    assert isinstance(load_model(run.path).backbone, ConvNet)
    assert OmegaConf.load(run.config).backbone._target_.endswith("by_size")
    config = composed(*options)
    experiment = instantiate_experiment(config)
    assert any("ConvNet, for images of 8 × 8 pixels" in guess for guess in experiment.splits.guesses)
    record_backbone(run, config)
    assert OmegaConf.load(run.config).backbone == composed("backbone=auto").backbone.small
    assert OmegaConf.load(run.config).data == composed(*options).data
    assert RunTitle.read(run).parts[-1] == "ConvNet"
    # Its overrides, backbone=auto among them, come along when it is resumed; another net is refused.
    again = [*options, f"ckpt_path={run.last_checkpoint}"]
    resumed = instantiate_experiment(composed(*again), again)
    assert isinstance(resumed.backbone, ConvNet)
    other = ["backbone=resnet_cifar" if word == "backbone=auto" else word for word in again]
    with pytest.raises(UsageError, match="describes another model"):
        instantiate_experiment(composed(*other), other)
