"""Jobs that start from a checkpoint: what they inherit from it, and which overrides are errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from imbalance_lab.data.schema import InputSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from imbalance_lab.text import override, shell_words

MODEL_PARTS = ("backbone", "head", "loss")
"""The groups that define the model: its weights fit no other choice."""

INHERITED = ("data", "augment", *MODEL_PARTS)
"""The groups that ``fit=false`` takes from the checkpoint."""


@dataclass(frozen=True)
class CheckpointContent:
    """The description of the model in a checkpoint."""

    path: str
    task: Task
    schema: InputSchema
    weights: Mapping[str, Tensor]


def stored_overrides(given: Sequence[str]) -> list[str]:
    """The overrides with which the checkpoint in ``given`` was trained, restricted to the groups in `INHERITED`.

    Those for which ``given`` has the same key, or another choice of the group, are left out.
    """
    keys = {word.lstrip("+~").partition("=")[0] for word in given}
    from imbalance_lab.model import read_checkpoint  # here: what it imports takes seconds

    path = next(word.partition("=")[2].strip("'\"") for word in given if word.startswith("ckpt_path="))
    try:
        hparams = read_checkpoint(path)["hyper_parameters"]
    except UsageError:
        return []  # reported once the configuration is composed
    inherited = []
    for word in map(str, hparams.get("overrides", [])):
        key = word.lstrip("+~").partition("=")[0]
        group = key.split(".")[0]
        if group in INHERITED and key not in keys and group not in keys:
            inherited.append(_resolved(word, key, hparams["config"]) if "${" in word else word)
    return inherited


def _resolved(word: str, key: str, config: Mapping[str, Any]) -> str:
    """An override with the value that it had in training: a file calls no resolvers, as ``${oc.env:DATA}`` would.

    Raises:
        UsageError: for one without a single value, as a group.
    """
    value: Any = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping | list) or value is None:
        raise UsageError(f"the checkpoint was trained with {shell_words(word)}: give {key}=… yourself")
    return override(word.partition("=")[0], value) if isinstance(value, str) else f"{word.partition('=')[0]}={value}"


def adopt_checkpoint(config: DictConfig, overrides: Sequence[str]) -> CheckpointContent:
    """Read ``config.ckpt_path``, and set the model of ``config`` to the one in it.

    Args:
        config: its backbone, head and loss are replaced by the checkpoint's.
        overrides: of the command line; one that would describe another model is refused.

    Raises:
        UsageError: naming the override, and the value that the model was trained with.
    """
    from imbalance_lab.model import read_checkpoint  # here: what it imports takes seconds

    content = read_checkpoint(config.ckpt_path)
    hparams = content["hyper_parameters"]
    stored = hparams["config"]
    for part in MODEL_PARTS:
        if "${" in str(stored[part]):  # training stored what it resolved to
            raise UsageError(f"ckpt_path={config.ckpt_path} is damaged: its {part} has an interpolation, ${{…}}")
        here: Any = OmegaConf.to_container(config[part], resolve=True)
        for word in overrides:
            key, _, value = word.lstrip("+~").partition("=")
            wrong = _differs(part, key, here, stored[part])
            if wrong is not None:
                raise UsageError(
                    f"{shell_words(f'{key}={value}')} describes another model than ckpt_path={config.ckpt_path}, "
                    f"which was trained with {wrong}: leave {key} out"
                )
        OmegaConf.update(config, part, stored[part], merge=False)
    return CheckpointContent(
        str(config.ckpt_path),
        Task.from_dict(hparams["task"]),
        InputSchema.from_dict(hparams["input_schema"]),
        content["state_dict"],
    )


def check_classes(checkpoint: CheckpointContent, task: Task) -> None:
    """Raise an error if the data have other classes than the model.

    Raises:
        UsageError: naming both.
    """
    trained, found = checkpoint.task.classes, task.classes
    if trained != found:
        raise UsageError(
            f"ckpt_path={checkpoint.path} has {len(trained)} classes, {trained[0]!r} …, but the data have "
            f"{len(found)}, {found[0]!r} …: choose the data that it was trained on"
        )


def check_shapes(checkpoint: CheckpointContent, modules: Mapping[str, nn.Module]) -> None:
    """Raise an error if the data have another shape than the training data: other columns, other channels.

    Raises:
        UsageError: naming a tensor and both shapes.
    """
    for part, module in modules.items():
        for name, tensor in module.state_dict(prefix=f"{part}.").items():
            trained = checkpoint.weights.get(name)
            if trained is not None and trained.shape != tensor.shape:
                raise UsageError(
                    f"ckpt_path={checkpoint.path} was trained on other inputs, {name} is {tuple(trained.shape)} there "
                    f"and {tuple(tensor.shape)} here: choose its data, with the same columns or image_size"
                )


def _differs(part: str, key: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> str | None:
    """The value that the model was trained with, if an override of ``key`` in ``part`` differs."""
    if key == part:
        same = here["_target_"] == there["_target_"]
        return None if same else shell_words(f"{part}._target_={there['_target_']}")
    name = key.removeprefix(f"{part}.")
    if key == name or here.get(name) == there.get(name):
        return None
    return shell_words(f"{key}={there.get(name)}")
