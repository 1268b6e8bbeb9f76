"""One run: config → objects → fit → test → what the run directory holds."""

import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.cli import ddp_command, exit_with_error
from imbalance_lab.app.evaluate import print_review, record, review
from imbalance_lab.app.instantiate import Experiment, build, instantiate_experiment
from imbalance_lab.app.termination import tell
from imbalance_lab.errors import UsageError
from imbalance_lab.files import write_json
from imbalance_lab.tags import MONITOR, score_tag
from imbalance_lab.termination import Terminated, answering_signals

NOISE = (
    ".*LeafSpec.*",  # Lightning 2.6 calls torch's pytree by its old way
    "Experiment logs directory .* exists and is not empty",  # it is new, but Hydra has put the config into it
    # It goes by whether a loader stores a state; ours needs none, its order follows from seed and epoch.
    "You're resuming from a checkpoint that ended before the epoch ended",
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint",  # testing saves no checkpoints
    ".*could not find the monitored key",  # in epochs without a validation, as asked for
    "Found .* in eval mode at the start of training",  # a frozen backbone, as asked for
    # DDP says so of every convolution with one input channel, whose strides are ambiguous.
    "Grad strides do not match bucket view strides",
)
"""Third parties' warnings that say nothing to a user of this program."""


def run(config: DictConfig) -> float:
    """Train (unless ``fit=false``), test, and write the run directory; return the validation macro AUROC."""
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    if hydra.mode == RunMode.MULTIRUN:
        print(f"\nrun {hydra.job.num}  {' '.join(hydra.overrides.task)}", flush=True)
    try:
        with _status(directory), answering_signals():
            parts = instantiate_experiment(config)
            if _is_first_process():
                from imbalance_lab.app.validate_data import (
                    preflight,  # here: torchmetrics, which it needs, takes seconds
                )

                preflight(directory, config, parts)
            return float("nan") if config.check else fit_and_test(config, parts, directory)
    except (UsageError, FloatingPointError) as mistake:
        if hydra.mode == RunMode.MULTIRUN:  # Hydra goes on with the other runs, and tells of this one at the end
            raise UsageError(str(mistake)) from mistake
        exit_with_error(str(mistake))
    except Terminated as stop:
        if not _is_first_process():
            sys.exit(0)  # Lightning kills the first one outright when another ends with a code of its own
        tell(directory, stop)
        raise
    finally:
        _leave_process_group()


def fit_and_test(config: DictConfig, parts: Experiment, directory: Path) -> float:
    """Fit, test the best model, and write ``directory``; return the validation macro AUROC (NaN on other processes)."""
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
    import lightning.pytorch as pl

    from imbalance_lab.evaluation.mistakes import write_mistakes
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.report.tensorboard import CurveFigures
    from imbalance_lab.report.terminal import console, shown
    from imbalance_lab.training.callbacks import (
        BestCheckpoint,
        EpochLogger,
        PredictionWriter,
        ProgressBar,
        StopOnSigterm,
    )
    from imbalance_lab.training.classifier import Classifier
    from imbalance_lab.training.datamodule import DataModule
    from imbalance_lab.training.loggers import close_logger, log_run_end, log_run_start
    from imbalance_lab.training.trainer_options import check_trainer

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # no notes on what hardware there is not
    _repeat_only_this_job()
    splits = parts.splits
    terminal = console().is_terminal
    best, stop = BestCheckpoint(directory / "checkpoints", MONITOR), StopOnSigterm(directory / "checkpoints")
    writer = PredictionWriter(directory / "predictions", splits.classes, parts.activation)
    settings, loggers = _settings(config), _loggers(config, directory)
    trainer: pl.Trainer = build(
        config,
        "trainer",
        default_root_dir=str(directory),
        logger=loggers,
        callbacks=[
            *([best, stop] if config.fit else []),
            writer,
            ProgressBar() if terminal else EpochLogger(),
            CurveFigures(splits.class_counts.tolist()),
        ],
        enable_progress_bar=terminal,
    )
    classifier = Classifier(
        parts.backbone,
        parts.head,
        parts.loss,
        classes=splits.classes,
        is_multilabel=splits.is_multilabel,
        prepare=splits.prepare,
        optimizer=parts.optimizer,
        scheduler=parts.scheduler,
        head_lr=config.head_lr,
        seed=config.seed,
        hparams={
            "config": OmegaConf.to_container(config, resolve=True),
            "classes": list(splits.classes),
            "class_counts": splits.class_counts.tolist(),
        },
    )
    data = DataModule(
        splits,
        parts.sampler,
        batch_size=config.batch_size,
        augment=parts.augment,
        num_workers=config.num_workers,
        seed=config.seed,
    )
    check_trainer(trainer, data, fit=config.fit, ckpt_path=config.ckpt_path)

    def predict(path: str) -> None:
        for evaluate in (trainer.validate, trainer.test):
            evaluate(classifier, data, ckpt_path=path, weights_only=True, verbose=False)

    checkpoint = config.ckpt_path
    try:
        for logger in loggers:
            log_run_start(logger, settings)
        if config.fit:
            with stop.fitting():
                trainer.fit(classifier, data, ckpt_path=checkpoint, weights_only=True)
            checkpoint = best.best_model_path or best.last_model_path  # none was validated in what was resumed
        trainer.loggers = []  # each loop would begin an event file of its own
        predict(checkpoint)
        if config.fit:
            writer.directory = directory / "predictions" / "last"
            predict(best.last_model_path)
        if not trainer.is_global_zero:
            return float("nan")
        with console().status("scoring the predictions"):
            record(directory, config, parts, Path(checkpoint))
            tested = Predictions.read(directory / "predictions" / "test.parquet")
            write_mistakes(directory / "predictions" / "mistakes.parquet", tested, splits.test, splits.class_counts)
            reviewed = review(directory, config)
        kept = {score_tag("kept", "auroc", average="macro"): reviewed.val.macro_auroc.value}
        scores = reviewed.test.scalars("test") | kept
        for logger in loggers:
            log_run_end(logger, settings, scores, trainer.global_step, directory)
    except BaseException:
        for logger in loggers:
            close_logger(logger, "failed")
        raise
    print_review(reviewed, f"Test scores of {shown(Path(checkpoint))}")
    console().print(f"\n{shown(directory)}")
    return reviewed.val.macro_auroc.value


def _loggers(config: DictConfig, directory: Path) -> list[Any]:
    """The chosen logger, and `metrics.csv` beside it, which the report reads."""
    from lightning.pytorch.loggers import CSVLogger
    from lightning.pytorch.loggers.logger import DummyLogger

    if not _is_first_process():
        return []  # the first process logs; another's MLflow would make the same database at the same time
    chosen = build(config, "logger", save_dir=str(directory))
    if isinstance(chosen, DummyLogger):  # logger=none
        return []
    if isinstance(chosen, CSVLogger):
        return [chosen]
    return [CSVLogger(directory, name="", version="", flush_logs_every_n_steps=1), chosen]


def _settings(config: DictConfig) -> dict[str, Any]:
    """What was chosen, and every plain value of it, by what stands on the command line."""
    groups = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    choices = {group: choice for group, choice in groups.items() if "/" not in group}
    settings = choices | dict(_flat(OmegaConf.to_container(config, resolve=True), ""))
    # Where it is written to is none of them.
    return {key: value for key, value in settings.items() if key.split(".")[0] != "logger"}


def _flat(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        yield path, node if isinstance(node, int | float | str) else str(node)
        return
    for key, value in node.items():
        if not str(key).startswith("_"):
            yield from _flat(value, f"{path}.{key}" if path else str(key))


@contextmanager
def _status(directory: Path) -> Iterator[None]:
    """Keep `status.json` true: a sweep goes on after a failed run, and its table says why that one has no scores."""
    if not _is_first_process():
        yield
        return
    start = time.monotonic()
    status: dict[str, Any] = {"state": "running", "started": datetime.now().astimezone().isoformat(timespec="seconds")}
    write_json(directory / "status.json", status)
    try:
        yield
        status["state"] = "finished"
    except Terminated:
        status |= {"state": "preempted", "error": "stopped by SIGTERM"}
        raise
    except KeyboardInterrupt:
        status |= {"state": "interrupted", "error": "stopped by Ctrl-C"}
        raise
    except BaseException as error:
        status |= {"state": "failed", "error": str(error) or type(error).__name__}
        raise
    finally:
        status["seconds"] = round(time.monotonic() - start, 1)
        write_json(directory / "status.json", status)


def _is_first_process() -> bool:
    return not int(os.environ.get("LOCAL_RANK", 0)) and not int(os.environ.get("NODE_RANK", 0))


def _repeat_only_this_job() -> None:
    """Have Lightning start the other processes of DDP by `ddp_command`."""
    from lightning.fabric.strategies.launchers import subprocess_script as fabric
    from lightning.pytorch.strategies.launchers import subprocess_script as pytorch

    for module in (fabric, pytorch):
        module._hydra_subprocess_cmd = ddp_command  # type: ignore[attr-defined]


def _leave_process_group() -> None:
    """Let the next run of a sweep start its own processes: undo what Lightning did to this one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
            os.environ.pop(name, None)
