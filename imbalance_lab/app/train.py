"""One job: configuration → objects → fit → predictions → the files of the run directory."""

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
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.app.distributed import is_first_process, job_overrides, leave_process_group
from imbalance_lab.app.instantiate import Experiment, instantiate_experiment
from imbalance_lab.app.session import Session, build_session
from imbalance_lab.app.status import recording_status
from imbalance_lab.app.termination import report_termination
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import Terminated, handle_signals
from imbalance_lab.text import visible

if TYPE_CHECKING:
    from imbalance_lab.app.evaluate import RunResults

PACKAGES = ("imbalance-lab", "torch", "lightning", "torchmetrics", "numpy")


def run(config: DictConfig) -> float:
    """Run the job that ``config`` describes in Hydra's output directory; return the validation score of its model."""
    hydra = HydraConfig.get()
    directory = RunDirectory(Path(hydra.runtime.output_dir))
    if hydra.mode == RunMode.MULTIRUN:
        print(f"\nrun {hydra.job.num}  {visible(' '.join(job_overrides()))}", flush=True)
    try:
        with recording_status(directory), handle_signals():
            experiment = instantiate_experiment(config, job_overrides())
            if is_first_process():
                from imbalance_lab.app.validate_data import validate_data  # here: torchmetrics takes seconds

                validate_data(directory, config, experiment)
            return float("nan") if config.check else train(config, experiment, directory)
    except (UsageError, FloatingPointError) as mistake:
        if hydra.mode == RunMode.MULTIRUN:  # Hydra continues with the other runs and reports this one at the end
            raise UsageError(str(mistake)) from mistake
        exit_with_error(str(mistake))
    except Terminated as stop:
        if not is_first_process():
            sys.exit(0)  # Lightning kills the first process if another exits with a nonzero code
        report_termination(directory, stop)
        raise
    finally:
        leave_process_group()


def train(config: DictConfig, experiment: Experiment, directory: RunDirectory) -> float:
    """Fit, predict with the best model, evaluate; return its monitored score (NaN on other processes)."""
    from imbalance_lab.app.evaluate import print_results
    from imbalance_lab.report.terminal import console, relative_path
    from imbalance_lab.training.loggers import close_logger, log_run_end, log_run_start

    session = build_session(config, experiment, directory)
    settings = _settings(config)
    try:
        for logger in session.loggers:
            log_run_start(logger, settings)
        checkpoint = fit(config, session)
        predict_splits(config, session, checkpoint)
        if not session.trainer.is_global_zero:
            return float("nan")
        with console().status("scoring the predictions"):
            results = write_results(config, experiment, directory, checkpoint, session.train_prior)
        scores = results.test.scalars("test") | {"kept/auroc/macro": results.val.macro_auroc.value}
        for logger in session.loggers:
            log_run_end(
                logger, settings, scores, session.trainer.global_step, directory.path, list(directory.published)
            )
    except BaseException:
        for logger in session.loggers:
            close_logger(logger, "failed")
        raise
    print_results(results, f"Test scores of {relative_path(checkpoint)}")
    console().print(f"\n{relative_path(directory.path)}")
    return session.best_score(results)


def fit(config: DictConfig, session: Session) -> Path:
    """Train, unless ``fit=false``; return the checkpoint to test."""
    if not config.fit:
        return Path(config.ckpt_path)
    with session.stop.fitting():
        session.trainer.fit(session.classifier, session.data, ckpt_path=config.ckpt_path, weights_only=True)
    # A resumed run without a validation has no best model.
    return Path(session.best.best_model_path or session.best.last_model_path)


def predict_splits(config: DictConfig, session: Session, checkpoint: Path) -> None:
    """Store the predictions of the best and, where its weights differ, of the last model on validation and test."""
    session.trainer.loggers = []  # each loop would begin an event file of its own
    with session.writer.writing(of_last=False) as missing:
        _predict(session, checkpoint, missing)
    if config.fit and session.best.last_differs:
        with session.writer.writing(of_last=True) as missing:
            _predict(session, Path(session.best.last_model_path), missing)


def _predict(session: Session, checkpoint: Path, splits: AbstractSet[str]) -> None:
    loops: dict[str, Any] = {"val": session.trainer.validate, "test": session.trainer.test}
    for split in sorted(splits, reverse=True):  # validation first
        loops[split](session.classifier, session.data, ckpt_path=str(checkpoint), weights_only=True, verbose=False)


def write_results(
    config: DictConfig,
    experiment: Experiment,
    directory: RunDirectory,
    checkpoint: Path,
    train_prior: tuple[float, ...] | None,
) -> "RunResults":
    """Write the run's metadata, the worst mistakes, and all results of the evaluation."""
    from imbalance_lab.app.evaluate import evaluate_predictions
    from imbalance_lab.evaluation.mistakes import write_mistakes
    from imbalance_lab.evaluation.report_data import RunRecord

    counts = experiment.splits.class_counts
    metadata = {
        "command": shlex.join(["python", *sys.argv]),
        "seed": config.seed,
        "checkpoint": os_path.relpath(checkpoint, directory.path),
        "train_counts": counts.tolist(),
        "train_prior": None if train_prior is None else list(train_prior),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }
    directory.write_metadata(metadata)
    val, test = directory.read_predictions("val"), directory.read_predictions("test")
    mistakes = write_mistakes(directory.mistakes, test, experiment.splits.test, counts)
    return evaluate_predictions(directory, config, RunRecord.read(directory, metadata, mistakes), val, test)


def _settings(config: DictConfig) -> dict[str, Any]:
    """The choices and every value of the configuration, by their command-line keys."""
    groups: Mapping[str, Any] = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    choices = {group: choice for group, choice in groups.items() if "/" not in group and choice is not None}
    settings = choices | dict(_flat(OmegaConf.to_container(config, resolve=True), ""))
    # Where scores are logged is not a setting of the experiment.
    return {key: value for key, value in settings.items() if key.split(".")[0] != "logger"}


def _flat(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        yield path, node if isinstance(node, int | float | str) else str(node)
        return
    for key, value in node.items():
        if not str(key).startswith("_"):
            yield from _flat(value, f"{path}.{key}" if path else str(key))
