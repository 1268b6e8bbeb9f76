"""What a job does: objects → fit → predictions → the files of the run directory."""

import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib.metadata import version
from os import path as os_path
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.baselines import write_baselines
from imbalance_lab.app.callbacks import build_strategies
from imbalance_lab.app.choose_backbone import record_backbone
from imbalance_lab.app.disk import check_disk
from imbalance_lab.app.instantiate import Experiment
from imbalance_lab.app.restart import Restart
from imbalance_lab.app.resume import describe_resume, is_trained, write_resume
from imbalance_lab.app.session import Session, build_session
from imbalance_lab.app.stacked import join
from imbalance_lab.app.tuned_backbone import ParameterCount
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import remove_leftovers
from imbalance_lab.tags import score_tag
from imbalance_lab.termination import STOP, Pruned, Terminated
from imbalance_lab.text import split_override

if TYPE_CHECKING:
    from imbalance_lab.app.evaluate import RunResults

PACKAGES = ("imbalance-lab", "torch", "lightning", "torchmetrics", "numpy")


def prepare(directory: RunDirectory, config: DictConfig, experiment: Experiment, restart: Restart) -> None:
    """Clean up after earlier processes, check the data, and record what the run is resumed from."""
    from imbalance_lab.app.validate_data import validate_data  # here: torchmetrics takes seconds

    checkpoint = experiment.checkpoint
    for folder in directory.folders + (RunDirectory(checkpoint.path.parent.parent).folders if checkpoint else ()):
        remove_leftovers(folder)
    restart.clean(directory, config)
    record_backbone(directory, config)
    validate_data(directory, config, experiment)
    if checkpoint is not None and config.fit:
        extra_epochs = sum(each.extra_epochs for each in build_strategies(config, experiment))
        print(describe_resume(config, checkpoint, extra_epochs), flush=True)
        if restart.checkpoint is None:  # or it has never been another run
            write_resume(directory, config, checkpoint, experiment.changes)
    if config.fit and not config.check:
        print(ParameterCount.of((experiment.backbone, experiment.head)), flush=True)
        check_disk(directory, experiment)


def train(config: DictConfig, experiment: Experiment, directory: RunDirectory) -> float:
    """Fit, predict with the best model, evaluate; return its monitored score (NaN on other processes)."""
    from imbalance_lab.app.print_results import print_results
    from imbalance_lab.report.terminal import console, print_path, relative_path
    from imbalance_lab.training.loggers import close_logger, log_run_end, log_run_start

    session = build_session(config, experiment, directory)
    settings = _settings(config)
    try:
        for logger in session.loggers:
            log_run_start(logger, settings)
        checkpoint = fit(config, experiment, session)
        predict_splits(config, session, checkpoint)
        if not session.trainer.is_global_zero:
            return float("nan")
        with console().status("scoring the predictions"):
            results = write_results(config, experiment, directory, checkpoint, session)
        scores, headline = results.test.scalars("test"), results.test.headline("test")
        if results.val is not None:
            best = score_tag("val/best", "auroc", average="macro")
            scores[best] = results.val.macro_auroc.value
            headline.append(best)
        step = max(session.trainer.global_step, session.last.step)  # nothing may have been left to train
        for logger in session.loggers:
            log_run_end(
                logger,
                settings,
                scores,
                step,
                given=[split_override(word)[0] for word in experiment.overrides],
                headline=headline,
                directory=directory.path,
                files=list(directory.published),
            )
    except BaseException as error:
        for logger in session.loggers:
            close_logger(logger, "success" if isinstance(error, Pruned) else "failed")
        raise
    print_results(results, f"Test scores of {relative_path(checkpoint)}")
    print_path(directory.path, opens=directory.report)
    return session.best_score(results)


def fit(config: DictConfig, experiment: Experiment, session: Session) -> Path:
    """Train, unless ``fit=false`` or nothing is left to train; return the checkpoint to test."""
    if not config.fit:
        return Path(config.ckpt_path)
    from imbalance_lab.app.never_begun import warn_after, warn_before
    from imbalance_lab.training.loggers import log_history

    best, last, resumed = session.best, session.last, experiment.checkpoint
    best.adopt(1 if resumed is None else resumed.stage)
    if resumed is not None and is_trained(config, resumed, session.extra_epochs):
        last.adopt(resumed.path, resumed.step)
        content = read_checkpoint_file(resumed.path)
        session.classifier.on_load_checkpoint(content)
        for strategy in session.strategies:
            strategy.load_state_dict(content["callbacks"].get(strategy.state_key, strategy.state_dict()))
        log_history(session.loggers, session.classifier.history)
    else:
        warn_before(config, session)
        try:
            with STOP.deferred():
                join(config, session)
                session.trainer.fit(session.classifier, session.data, ckpt_path=config.ckpt_path, weights_only=True)
        except Exception as error:
            if STOP.signum is None:
                raise
            raise Terminated(STOP.signum) from error  # as of a worker process that the signal has ended
        if STOP.signum is not None:
            raise Terminated(STOP.signum, last.path)
        warn_after(config, session)
    if session.pruning is not None and session.pruning.stopped is not None:
        raise session.pruning.stopped
    # A resumed run without a validation has no best model.
    return Path(best.best_model_path or last.path)


def predict_splits(config: DictConfig, session: Session, checkpoint: Path) -> None:
    """Store the predictions of the best model, and of those with other weights: the last one, and that of stage 1."""
    session.trainer.loggers = []  # each loop would begin an event file of its own
    there = session.data.splits.parts.keys()
    calibration = {"calibration"} & there
    if session.best.has_stage_1:
        with session.writer.writing("stage_1") as missing:  # before the others: strategies are left as they end
            _predict(session, session.best.stage_1, missing & there)
    with session.writer.writing("best") as missing:
        _predict(session, checkpoint, (missing & there) | calibration)
    if config.fit and session.best.step != session.last.step:
        with session.writer.writing("last") as missing:
            _predict(session, session.last.path, (missing & there) | calibration)


def _predict(session: Session, checkpoint: Path, splits: AbstractSet[str]) -> None:
    for split in sorted(splits, reverse=True):  # validation first
        loop: Any = session.trainer.validate if split == "val" else session.trainer.test
        session.data.tested = "calibration" if split == "calibration" else "test"
        loop(session.classifier, session.data, ckpt_path=str(checkpoint), weights_only=True, verbose=False)


def write_results(
    config: DictConfig,
    experiment: Experiment,
    directory: RunDirectory,
    checkpoint: Path,
    session: Session,
) -> "RunResults":
    """Write the run's metadata, the worst mistakes, and all results of the evaluation."""
    from imbalance_lab.app.evaluate import evaluate_predictions
    from imbalance_lab.app.linear_head import linear_head_of
    from imbalance_lab.evaluation.mistakes import write_mistakes
    from imbalance_lab.evaluation.report_data import RunRecord
    from imbalance_lab.evaluation.stored_slices import write_slices
    from imbalance_lab.training.strategies import fold_priors

    splits, counts = experiment.splits, experiment.splits.class_counts
    epochs = session.best.epoch if experiment.checkpoint is None or config.fit else experiment.checkpoint.epochs
    prior = fold_priors(experiment.train_prior, session.strategies, epochs)
    test = directory.read_predictions("test")
    val = None if splits.val is None else directory.read_predictions("val")
    metadata = {
        "command": shlex.join(["python", *sys.argv]),
        "seed": config.seed,
        "checkpoint": os_path.relpath(checkpoint, directory.path),
        "epoch": session.best.epoch,
        "parameters": ParameterCount.of((experiment.backbone, experiment.head))._asdict(),
        "has_validation": splits.val is not None,
        "examples": {split: len(source) for split, source in splits.parts.items()},
        "train_counts": counts.tolist(),
        "shot_limits": splits.limits._asdict(),
        "initial_weights": experiment.initial_weights,
        "train_prior": None if prior is None else list(prior),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "baselines": write_baselines(directory, config, splits, val, test),
    }
    content = read_checkpoint_file(checkpoint)
    if (head := linear_head_of(content)) is not None:
        metadata["linear_head"] = head.as_json()
    if session.best.has_stage_1:
        metadata["stage_1"] = {"epoch": int(read_checkpoint_file(session.best.stage_1)["epoch"]) + 1}
    directory.write_metadata(metadata)
    of_val = [] if val is None or splits.val is None else [(val, splits.val)]
    write_slices(directory.slices, [*of_val, (test, splits.test)])
    mistakes = write_mistakes(directory.mistakes, test, splits.test, counts, splits.train, splits.schema)
    record = RunRecord.read(directory, metadata, mistakes)
    calibration = directory.read_calibration()
    return evaluate_predictions(directory, config, record, val, test, calibration, content=content)


def _settings(config: DictConfig) -> dict[str, Any]:
    """The choices and every value of the configuration, by their command-line keys."""
    groups: Mapping[str, Any] = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    choices = {group: choice for group, choice in groups.items() if not {"/", "@"} & set(group) and choice is not None}
    settings = choices | dict(_flat(OmegaConf.to_container(config, resolve=True), ""))
    # Where scores are logged, and how a sweep is run, is not a setting of the experiment.
    return {key: value for key, value in settings.items() if key.split(".")[0] not in ("logger", "sweep")}


def _flat(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        yield path, node if isinstance(node, int | float | str) else str(node)
        return
    for key, value in node.items():
        if not str(key).startswith("_"):
            yield from _flat(value, f"{path}.{key}" if path else str(key))
