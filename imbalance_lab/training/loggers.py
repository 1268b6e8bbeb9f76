"""What experiment trackers receive besides the scores of each epoch: settings, final scores and files of a run."""

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

from imbalance_lab.tags import is_class_tag
from imbalance_lab.validation import check_bool, check_integer, check_text


def no_logger() -> None:
    """``logger=none``: nothing is logged."""


class CSV(CSVLogger):
    """Lightning's CSV logger, whose ``metrics.csv`` is in the run's directory itself, where the report reads it.

    Args:
        save_dir: the run's directory.
        flush_logs_every_n_steps: steps between two writes.
    """

    def __init__(self, save_dir: str, flush_logs_every_n_steps: int = 1) -> None:
        steps = check_integer("flush_logs_every_n_steps", flush_logs_every_n_steps, minimum=1)
        super().__init__(save_dir, name="", version="", flush_logs_every_n_steps=steps)


class TensorBoard(TensorBoardLogger):
    """Lightning's TensorBoard logger in the run's directory itself; its file is made at once.

    Args:
        save_dir: the run's directory.
        options: of Lightning's logger and of torch's ``SummaryWriter``.

    Raises:
        TypeError: for an option that neither has.
    """

    def __init__(self, save_dir: str, **options: Any) -> None:
        super().__init__(save_dir, name="", version="", **options)
        _ = self.experiment


class WandB(WandbLogger):
    """Lightning's logger for Weights & Biases.

    Args:
        save_dir: the run's directory.
        project: what the runs are gathered under.
        offline: write to ``save_dir`` only.
        options: of Lightning's logger and of ``wandb.init``.

    Raises:
        TypeError: for an option that neither has; wandb itself would find it only when the run starts.
    """

    def __init__(self, save_dir: str, project: str | None = None, *, offline: bool = True, **options: Any) -> None:
        import wandb

        if project is not None:
            check_text("project", project)
        known = signature(WandbLogger).parameters.keys() | signature(wandb.init).parameters.keys()
        if unknown := options.keys() - known:
            raise TypeError(f"neither Lightning's logger nor wandb.init has an option {min(unknown)!r}")
        super().__init__(save_dir=save_dir, project=project, offline=check_bool("offline", offline), **options)


def log_run_start(logger: Logger, settings: Mapping[str, Any]) -> None:
    """Log the settings of a run; TensorBoard's HParams table needs them together with the scores, at the end."""
    if not isinstance(logger, TensorBoardLogger):
        logger.log_hyperparams(dict(settings))


def log_history(loggers: Iterable[Any], history: Iterable[tuple[int, Mapping[str, float]]]) -> None:
    """Log the (step, scores) of the epochs before a resume, except where TensorBoard has them already."""
    for logger in loggers:
        is_tensorboard = isinstance(logger, TensorBoardLogger)
        if not (is_tensorboard and len([*Path(logger.log_dir).glob("events.out.*")]) > 1):  # one is its own
            for step, scores in history:
                logger.log_metrics(dict(scores), step)


def log_run_end(
    logger: Logger,
    settings: Mapping[str, Any],
    scores: Mapping[str, float],
    step: int,
    directory: Path,
    files: Sequence[Path],
) -> None:
    """Store the final ``scores`` by tag, and ``files`` of the run's ``directory``; the run counts as finished."""
    if isinstance(logger, TensorBoardLogger):
        # Few columns: its table and its parallel coordinates show every one. It logs them as scalars too.
        headline = {tag: score for tag, score in scores.items() if not is_class_tag(tag)}
        logger.log_hyperparams(dict(settings), headline, step)
        scores = {tag: score for tag, score in scores.items() if tag not in headline}
    logger.log_metrics(dict(scores), step)
    if isinstance(logger, MLFlowLogger):
        for file in files:
            logger.experiment.log_artifact(logger.run_id, str(file))
    if isinstance(logger, WandbLogger):
        for file in files:
            logger.experiment.save(file, base_path=directory, policy="now")
    close_logger(logger, "success")


def close_logger(logger: Logger, status: str) -> None:
    """End a run as "success" or "failed", so that the next run of a sweep starts its own."""
    logger.finalize(status)
    if isinstance(logger, WandbLogger) and logger._experiment is not None:
        logger.experiment.finish(exit_code=int(status != "success"))
