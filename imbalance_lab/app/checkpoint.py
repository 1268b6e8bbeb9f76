"""Jobs that start from a checkpoint: what they inherit from it, and which overrides are errors."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from imbalance_lab.app.automatic import is_rate_automatic
from imbalance_lab.app.choose_backbone import choose_backbone
from imbalance_lab.app.distributed import is_first_process
from imbalance_lab.checkpoint_file import DamagedCheckpointError, newest_whole
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from imbalance_lab.text import override, shell_words, split_override, visible

MODEL_PARTS = ("backbone", "head", "loss", "finetune")
"""The groups that define the model: its weights fit no other choice."""

FULL = {"_target_": "imbalance_lab.backbones.finetune.Full"}
"""The ``finetune`` of earlier releases."""

INHERITED_BY_TEST = ("data", "cv", "augment", "ensemble", "strategy", "max_epochs", *MODEL_PARTS)
"""The groups and keys that ``fit=false`` takes from the checkpoint; a resumed run takes all."""

OF_THE_JOB = ("ckpt_path", "resume", "fit", "check", "hydra", "allow", "sweep")
"""The keys that a resumed run does not take from the checkpoint; whom to trust only the command line says."""


@dataclass(frozen=True)
class CheckpointContent:
    """The description of the model in a checkpoint, and how far it was trained.

    Args:
        path: of the file.
        task, schema: what the model predicts, and from what.
        weights: of the model, by name.
        config: of the run that wrote it.
        fingerprint: of its data; see `imbalance_lab.data.Splits.fingerprint`.
        epochs, step: epochs and optimizer steps that are done.
        is_finished: whether the training had come to its end.
        stage: 2 in the second stage of a training in two, else 1.
        initial_weights: what the backbone had from a file at first, see `InitialWeights`; None without, or of an
            earlier release.
    """

    path: Path
    task: Task
    schema: InputSchema
    weights: Mapping[str, Tensor]
    config: Mapping[str, Any]
    fingerprint: str | None
    epochs: int
    step: int
    is_finished: bool
    stage: int = 1
    initial_weights: Mapping[str, Any] | None = None


def inherit_overrides(given: Sequence[str]) -> list[str]:
    """The overrides of a command line with ``ckpt_path=``, completed by those with which the checkpoint was trained.

    A test takes the groups in `INHERITED_BY_TEST`, a resumed run everything; a key that is given, or another choice of
    its group, is left out. A damaged checkpoint to resume from is replaced by the newest whole one beside it.
    """
    from imbalance_lab.model import read_checkpoint  # here: what it imports takes seconds

    words = {key: value.strip("'\"") for key, value in map(split_override, given)}
    path, is_test = Path(words["ckpt_path"]), words.get("fit", "true").lower() == "false"
    completed = list(given)
    if not path.is_file():
        return completed  # null, or reported once the configuration is composed
    try:
        hparams = read_checkpoint(path)["hyper_parameters"]
    except DamagedCheckpointError:
        other = None if is_test else newest_whole(path.parent.glob("*.ckpt"))
        if other is None:
            return completed  # reported once the configuration is composed
        if is_first_process():
            said = f"warning: {path} is damaged: resuming from the newest whole checkpoint, {other}"
            print(visible(said), file=sys.stderr)
        others = [word for word in given if not word.startswith("ckpt_path=")]
        return inherit_overrides([*others, override("ckpt_path", str(other))])
    except UsageError:
        return completed
    for word in map(str, hparams.get("overrides", [])):
        key, _ = split_override(word)
        group = key.split(".")[0]
        is_inherited = group in INHERITED_BY_TEST if is_test else group not in OF_THE_JOB
        if is_inherited and key not in words and group not in words:
            completed.append(_resolved(word, key, hparams["config"]) if "${" in word else word)
    return completed


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
    stored = {"finetune": FULL} | hparams["config"]  # earlier releases had only that
    if any(split_override(word)[0].split(".")[0] == "backbone" for word in overrides):
        choose_backbone(config, InputSchema.from_dict(hparams["input_schema"]).prepared_shape)
    for part in MODEL_PARTS:
        if "${" in str(stored[part]):  # training stored what it resolved to
            raise UsageError(f"ckpt_path={config.ckpt_path} is damaged: its {part} has an interpolation, ${{…}}")
        here: Any = OmegaConf.to_container(config[part], resolve=True)
        for word in overrides:
            key, value = split_override(word)
            wrong = _differs(part, key, here, stored[part])
            if wrong is not None:
                raise UsageError(
                    f"{shell_words(f'{key}={value}')} describes another model than ckpt_path={config.ckpt_path}, "
                    f"which was trained with {wrong}: leave {key} out"
                )
        OmegaConf.update(config, part, stored[part], merge=False)
    _adopt_ensemble(config, overrides, stored.get("ensemble", 1))
    for key, before in {"batch_size": None, "passes": 1, "early_stopping": False}.items():
        if config[key] == "auto":
            config[key] = stored.get(key, before)  # what was chosen then
    if is_rate_automatic(config):
        config.optimizer.lr = stored["optimizer"].get("lr", "auto")
    try:
        return _content(Path(config.ckpt_path), content)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"ckpt_path={config.ckpt_path} lacks a part of the training's state: {type(error).__name__} {error}"
        ) from error


def _adopt_ensemble(config: DictConfig, overrides: Sequence[str], trained: int) -> None:
    """Set the number of members to that of the checkpoint; refuse an override with another."""
    if config.ensemble not in (trained, "auto") and any(split_override(word)[0] == "ensemble" for word in overrides):
        raise UsageError(
            f"ensemble={config.ensemble} describes another model than ckpt_path={config.ckpt_path}, which was trained "
            f"with ensemble={trained}: leave ensemble out"
        )
    config.ensemble = trained


def _content(path: Path, content: Mapping[str, Any]) -> CheckpointContent:
    hparams = content["hyper_parameters"]
    progress = content["loops"]["fit_loop"]["epoch_progress"]["current"]
    return CheckpointContent(
        path=path,
        task=Task.from_dict(hparams["task"]),
        schema=InputSchema.from_dict(hparams["input_schema"]),
        weights=content["state_dict"],
        config=hparams["config"],
        fingerprint=hparams.get("data_fingerprint"),
        epochs=int(progress["processed"]),
        step=int(content["global_step"]),
        is_finished=bool(content["callbacks"].get("LastCheckpoint", {}).get("is_finished", False)),
        stage=int(content.get("stage", 1)),
        initial_weights=hparams.get("initial_weights"),
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


def _differs(part: str, key: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> str | None:
    """The value that the model was trained with, if an override of ``key`` in ``part`` differs."""
    if key == part:
        same = here["_target_"] == there["_target_"]
        return None if same else shell_words(f"{part}._target_={there['_target_']}")
    name = key.removeprefix(f"{part}.")
    if key == name or here.get(name) == there.get(name):
        return None
    return shell_words(f"{key}={there.get(name)}")
