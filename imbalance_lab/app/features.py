"""The keys ``features``: a frozen backbone goes over the images once, not in every epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.app.instantiate import Experiment
from imbalance_lab.backbones.members import feature_net, is_frozen
from imbalance_lab.checkpoint_file import part_of, read_checkpoint_file
from imbalance_lab.data import NoAugmentation, Splits
from imbalance_lab.progress import progress

if TYPE_CHECKING:
    from imbalance_lab.training.strategies import Strategy

FOLDER = "features"
"""Within the directory of data.cache."""


def features_folder(config: DictConfig) -> Path | None:
    """Where features are kept for later runs; None if nowhere."""
    if (cache := config.features.cache) is not None:
        return Path(cache).expanduser()
    of_images = OmegaConf.select(config, "data.cache")
    return None if of_images is None else Path(of_images).expanduser() / FOLDER


def feature_splits(
    config: DictConfig, experiment: Experiment, strategies: "Sequence[Strategy]", trainer: Any
) -> Splits | None:
    """The data with features for inputs; None where a backbone has to go over the inputs in every epoch.

    Args:
        config: of the job.
        experiment: its data and its net; of a resumed run the net gets the backbone of the checkpoint.
        strategies: of the job; one that mixes inputs needs them.
        trainer: says where, and in how many processes.
    """
    from imbalance_lab.report.data_summary import print_notes
    from imbalance_lab.training.frozen_features import with_features
    from imbalance_lab.training.frozen_net import FrozenNet

    reason = _reason_against(config, experiment, strategies, trainer)
    if reason is not None:
        if reason and is_first_process():
            print_notes([], [reason])
        return None
    prepare, backbone = experiment.splits.prepare, experiment.backbone
    if config.ckpt_path is not None:
        _adopt_weights(Path(config.ckpt_path), {"prepare": prepare, "backbone": backbone})
    described: Any = OmegaConf.to_container(config.backbone, resolve=True)
    described = {key: value for key, value in described.items() if key not in ("weights", "freeze", "pretrained")}
    device = _device(trainer)
    net = FrozenNet(prepare.to(device).eval(), feature_net(backbone).to(device).eval(), described, device)
    with progress("computing the features of the frozen backbone") as step:
        max_bytes = config.features.max_gb * 1e9
        found = with_features(experiment.splits, net, features_folder(config), max_bytes, step)
    for module in (prepare, backbone):
        module.cpu()
    if is_first_process():
        print_notes(found.notes)
    return found.splits


def _reason_against(
    config: DictConfig, experiment: Experiment, strategies: "Sequence[Strategy]", trainer: Any
) -> str | None:
    """None if features can be computed once; else a sentence why not, "" where nobody would expect it."""
    from imbalance_lab.training.strategies import Strategy

    if not config.fit or not is_frozen(experiment.backbone) or config.features.cache is False:
        return ""
    again = "so that the frozen backbone goes over the images in every epoch"
    if not isinstance(experiment.augment, NoAugmentation):
        return f"the images are augmented at random, {again}: augment=none computes their features once"
    if mixing := [type(each).__name__ for each in strategies if type(each).mix is not Strategy.mix]:
        return f"{mixing[0]} mixes the inputs, {again}"
    if trainer.world_size > 1 and features_folder(config) is None:
        return f"several processes share features only by files, {again}: name a directory by features.cache=…"
    return None


def _adopt_weights(checkpoint: Path, modules: dict[str, nn.Module]) -> None:
    """Give modules the weights that Lightning loads only when the training goes on."""
    weights = read_checkpoint_file(checkpoint)["state_dict"]
    for part, module in modules.items():
        module.load_state_dict(part_of(weights, part))


def _device(trainer: Any) -> torch.device:
    """The trainer's device; the CPU if its processes are yet to be forked, which no GPU survives."""
    launcher = type(trainer.strategy.launcher).__name__
    return torch.device("cpu") if "MultiProcessing" in launcher else trainer.strategy.root_device
