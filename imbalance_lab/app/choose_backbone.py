"""``backbone=auto``: the configuration's backbone becomes the one that fits the size of the images."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.build import instantiate_part
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import atomic_write

BY_SIZE = "imbalance_lab.backbones.by_size.by_size"
"""The ``_target_`` that chooses."""


def choose_backbone(config: DictConfig, input_shape: Sequence[int]) -> list[str]:
    """Replace ``config.backbone``, if it is the choice, by what is chosen for one input of that shape.

    Checkpoints so hold the chosen backbone alone, and load without choosing again.

    Returns:
        A sentence on the choice; none if there was nothing to choose.

    Raises:
        UsageError: for inputs that are not images.
    """
    if config.backbone.get("_target_") != BY_SIZE:
        return []
    chosen = instantiate_part(config, "backbone", input_shape=input_shape)
    OmegaConf.update(config, "backbone", chosen, merge=False)
    size = " × ".join(map(str, input_shape[1:]))
    return [f"the net is {_name(chosen)}, for images of {size} pixels: backbone=… takes another"]


def record_backbone(directory: RunDirectory, config: DictConfig) -> None:
    """Write what was chosen into the stored configuration of the run, if there is one."""
    if not directory.config.is_file():
        return
    stored = OmegaConf.load(directory.config)
    if OmegaConf.select(stored, "backbone._target_") == BY_SIZE:
        OmegaConf.update(stored, "backbone", config.backbone, merge=False)
        with atomic_write(directory.config) as unfinished:
            OmegaConf.save(stored, unfinished)


def _name(node: Any) -> str:
    name = str(node["_target_"]).rpartition(".")[2]
    return f"{name} ({node['name']})" if "name" in node else name
