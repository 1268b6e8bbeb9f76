"""A job that tests a checkpoint takes from it what it knows: data, backbone, head and loss."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.errors import UsageError
from imbalance_lab.model import read_checkpoint

MODEL_PARTS = ("backbone", "head", "loss")
"""What the weights belong to: another one is another model."""

INHERITED = ("data", "augment", *MODEL_PARTS)


def stored_overrides(given: Sequence[str]) -> list[str]:
    """The overrides with which the checkpoint in ``given`` was trained, as far as they say what `INHERITED` is.

    Whatever ``given`` chooses itself is left out: a choice of a group with the values in it, or a single value.
    """
    keys = {word.lstrip("+~").partition("=")[0] for word in given}
    path = next(word.partition("=")[2].strip("'\"") for word in given if word.startswith("ckpt_path="))
    try:
        trained = read_checkpoint(path)["hyper_parameters"].get("overrides", [])
    except UsageError:
        return []  # reported once the configuration is composed
    inherited = []
    for override in trained:
        key = str(override).lstrip("+~").partition("=")[0]
        group = key.split(".")[0]
        if group in INHERITED and key not in keys and group not in keys:
            inherited.append(str(override))
    return inherited


def adopt_checkpoint(config: DictConfig, content: dict[str, Any], overrides: Sequence[str]) -> None:
    """Let ``config`` describe the model in the checkpoint; refuse an override that would describe another one.

    Args:
        config: changed in place.
        content: what `read_checkpoint` read from ``config.ckpt_path``.
        overrides: of the command line.

    Raises:
        UsageError: naming the override, and the value that the model was trained with.
    """
    stored = content["hyper_parameters"]["config"]
    for part in MODEL_PARTS:
        here: Any = OmegaConf.to_container(config[part], resolve=True)
        there = stored[part]
        for override in overrides:
            key, _, value = override.lstrip("+~").partition("=")
            if key == part and here["_target_"] != there["_target_"]:
                raise UsageError(
                    f"{part}={value} is another model than ckpt_path={config.ckpt_path}, which has "
                    f"{part}._target_={there['_target_']}: leave {part} out"
                )
            name = key.removeprefix(f"{part}.")
            if key.startswith(f"{part}.") and here.get(name) != there.get(name):
                raise UsageError(
                    f"{key}={value} is another model than ckpt_path={config.ckpt_path}, which has "
                    f"{key}={there.get(name)}: leave {key} out"
                )
        OmegaConf.update(config, part, there, merge=False)


def check_classes(config: DictConfig, content: dict[str, Any], classes: tuple[str, ...]) -> None:
    """Refuse data with other classes than those that the model knows.

    Raises:
        UsageError: naming both.
    """
    trained = tuple(content["hyper_parameters"]["task"]["classes"])
    if trained != classes:
        raise UsageError(
            f"ckpt_path={config.ckpt_path} has {len(trained)} classes, {trained[0]!r} …, "
            f"but the data have {len(classes)}, {classes[0]!r} …: choose the data that it was trained on"
        )
