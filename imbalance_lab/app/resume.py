"""Resuming a run: exactly, where nothing may differ, or with new settings, where nothing may leak."""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.checkpoint import FULL, CheckpointContent
from imbalance_lab.data import Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import write_json

NOT_OF_TRAINING = (
    *("ckpt_path", "resume", "fit", "check", "allow", "checkpoint", "guard", "report", "data_summary", "logger"),
    *("calibration", "prior_correction", "operating_point", "conformal"),
    *("num_workers", "eval_batch_size"),
    *("trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "trainer.timeout"),
    *("trainer.max_time", "trainer.log_every_n_steps", "trainer.num_sanity_val_steps"),
    *("trainer.enable_model_summary", "trainer.enable_progress_bar", "trainer.default_root_dir"),
    *("data.cache", "data.root", "data.path", "data.val_path", "data.test_path", "data.calibration_path"),
    *("data.index", "data.train", "data.val", "data.test", "data.calibration"),
    *("data.positive", "data.many", "data.few", "features"),
    *("baselines", "sweep"),
)
"""Keys and groups that do not change what is trained, only where it is computed, found, logged and evaluated.

Where the data are may change; that they are the same is checked by their fingerprint.
"""

ADDED = {
    "data.calibration_fraction": 0,
    "data.numerical": "plain",
    "cv.folds": None,
    "cv.repeats": 1,
    "cv.fold": None,
    "data.time": None,
    "passes": 1,
    "ensemble": 1,
    "backbone.one_hot": 0,
    "optimizer.fused": True,
    "loss.label_smoothing": 0.0,
    "backbone.freeze": False,
    "finetune._target_": FULL["_target_"],
}
"""Keys that earlier releases did not have, with the value that does what they did."""

PLAIN = "imbalance_lab.training.strategies.Strategy"
"""What ``strategy=none`` named in earlier releases, when there was one strategy at most."""

Changes = dict[str, tuple[Any, Any]]


def check_resume(config: DictConfig, checkpoint: CheckpointContent) -> Changes:
    """Check the settings of a resumed run; return those that differ from the earlier run's, (earlier, now) by key.

    Raises:
        UsageError: naming the keys that must not differ, with both values, and what to do.
    """
    changes = changed_settings(config, checkpoint.config)
    if changes and config.resume == "exact":
        raise UsageError(
            f"{_listed(changes)}: resume=exact trains on as if the run had not stopped, so leave "
            f"{'them' if len(changes) > 1 else 'it'} out, or train on with new settings by resume=continue"
        )
    of_data = {key: values for key, values in changes.items() if key.split(".")[0] in ("data", "cv")}
    if of_data:
        raise UsageError(
            f"{_listed(of_data)}: with other data or another split, examples that were trained on could be validated "
            "on: leave it out, or train from the start"
        )
    if checkpoint.stage == 2 and config.resume == "continue":
        raise UsageError(
            f"ckpt_path={checkpoint.path} is in stage 2 of its training, in which only its head is trained, and "
            "resume=continue would go on with stage 1: leave it out, or choose the checkpoint stage_1.ckpt"
        )
    if checkpoint.stage == 1 and checkpoint.epochs > config.max_epochs:
        raise UsageError(
            f"max_epochs={config.max_epochs}, but ckpt_path={checkpoint.path} has {checkpoint.epochs} epochs: "
            f"choose max_epochs > {checkpoint.epochs}, or test it with fit=false"
        )
    return changes


def check_data(checkpoint: CheckpointContent, splits: Splits) -> None:
    """Check that a resumed run has the data of the earlier one.

    Raises:
        UsageError: if an example, its class or its split differs.
    """
    if checkpoint.fingerprint != splits.fingerprint:
        raise UsageError(
            f"the data are not those that ckpt_path={checkpoint.path} was trained on: other examples, other classes or "
            "another split, so that examples that were trained on could be validated on: give it the same files"
        )


def is_trained(config: DictConfig, checkpoint: CheckpointContent, extra_epochs: int = 0) -> bool:
    """Whether nothing is left to train, in stage 2 either, of ``extra_epochs``."""
    steps = config.trainer.max_steps
    if checkpoint.epochs >= config.max_epochs + extra_epochs or 0 < steps <= checkpoint.step:
        return True
    return bool(checkpoint.is_finished and config.resume == "exact")


def describe_resume(config: DictConfig, checkpoint: CheckpointContent, extra_epochs: int = 0) -> str:
    """One line: from where, and what comes next; arguments as for `is_trained`."""
    if is_trained(config, checkpoint, extra_epochs):
        return f"resuming {checkpoint.path} after its last epoch, {checkpoint.epochs}: nothing is left to train"
    place = f"epoch {checkpoint.epochs + 1}/{config.max_epochs + extra_epochs}, step {checkpoint.step}"
    return f"resuming {checkpoint.path} at {place}" + ", in stage 2" * (checkpoint.stage == 2)


def write_resume(
    directory: RunDirectory, config: DictConfig, checkpoint: CheckpointContent, changes: Mapping[str, Any]
) -> None:
    """Record in the run directory where the run was resumed from, with the earlier configurations."""
    earlier = RunDirectory(checkpoint.path.parent.parent).read_resumed_from()
    entry = {
        "checkpoint": str(checkpoint.path),
        "resume": config.resume,
        "epochs": checkpoint.epochs,
        "step": checkpoint.step,
        "changes": {key: {"earlier": before, "now": now} for key, (before, now) in changes.items()},
        "config": checkpoint.config,
    }
    write_json(directory.resumed_from, {"resumed": [*earlier, entry]})


def changed_settings(config: DictConfig, earlier: Mapping[str, Any]) -> Changes:
    """The settings of training that differ: (earlier, now) by key."""
    now = dict(flatten(OmegaConf.to_container(config, resolve=True), ""))
    before = dict(flatten({**earlier, "strategy": {}} if is_plain(earlier.get("strategy", {})) else earlier, ""))
    keys = [key for key in (before | now) if not is_ignored(key) and not _is_interpolated(config, key)]
    values = {key: (before.get(key, ADDED.get(key)), now.get(key, ADDED.get(key))) for key in keys}
    return {key: pair for key, pair in values.items() if pair[0] != pair[1]}


def is_plain(strategy: Mapping[str, Any]) -> bool:
    """Whether the group ``strategy`` of a configuration, also of an earlier release, is plain training."""
    return not strategy or strategy.get("_target_") == PLAIN


def _listed(changes: Changes) -> str:
    shown = [f"{key} was {_text(before)} and is now {_text(now)}" for key, (before, now) in list(changes.items())[:5]]
    return "; ".join(shown) + (f"; and {len(changes) - 5} more" if len(changes) > 5 else "")


def _text(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def is_ignored(key: str) -> bool:
    """Whether a key changes nothing that is trained, see `NOT_OF_TRAINING`."""
    return any(key == name or key.startswith(f"{name}.") for name in NOT_OF_TRAINING)


def _is_interpolated(config: DictConfig, key: str) -> bool:
    """Whether a key only repeats another one, as trainer.max_epochs does."""
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    return isinstance(node, DictConfig) and name in node and OmegaConf.is_interpolation(node, name)


def flatten(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value with its key; lists are values."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from flatten(value, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, node
