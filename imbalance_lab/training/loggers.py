"""What experiment trackers receive besides the scores of each epoch: settings, final scores and files of a run."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

from imbalance_lab.tags import EVENTS, is_class_tag, score_tag
from imbalance_lab.text import shorten_middle, visible
from imbalance_lab.validation import check_bool, check_integer, check_text

MAX_FOLDER_BYTES = 200
"""Of the name of a run's event folder; file systems allow 255."""


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
    """Lightning's TensorBoard logger in the run's directory; its file is made at once.

    TensorBoard names runs by the folders of their files. A run of a sweep has a folder in its directory, named by what
    the sweep varies, so that TensorBoard lists ``0/loss.gamma=2,seed=0``.

    Args:
        save_dir: the run's directory.
        overrides: what sets the run apart from the others of its sweep, as ``KEY=VALUE``; none for a run on its own.
        resumed_step: the step of the checkpoint from which a run goes on in its directory: what it had logged after it,
            before it was killed, is not shown.
        options: of Lightning's logger and of torch's ``SummaryWriter``.

    Raises:
        TypeError: for an option that neither has.
    """

    def __init__(
        self, save_dir: str, overrides: Sequence[str] = (), resumed_step: int | None = None, **options: Any
    ) -> None:
        earlier = next(Path(save_dir).rglob(EVENTS), None)  # of this run, before it was interrupted
        folder = run_folder(overrides) if earlier is None else str(earlier.parent.relative_to(save_dir))
        if earlier is not None and resumed_step is not None:
            options = {"purge_step": resumed_step + 1, **options}
        super().__init__(save_dir, **{"name": "", "version": "", "sub_dir": folder or None, **options})
        _ = self.experiment

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log scores by step, as `card` names them, without a card for the number of the epoch."""
        super().log_metrics({card(tag): value for tag, value in metrics.items() if tag != "epoch"}, step)
        self.experiment.flush()  # a killed run must not lose what is before its checkpoint


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
        if not (is_tensorboard and len([*Path(logger.log_dir).glob(EVENTS)]) > 1):  # one is its own
            for step, scores in history:
                logger.log_metrics(dict(scores), step)


def log_run_end(
    logger: Logger,
    settings: Mapping[str, Any],
    scores: Mapping[str, float],
    step: int,
    *,
    given: Collection[str],
    headline: Collection[str],
    directory: Path,
    files: Sequence[Path],
) -> None:
    """Store the results of a run, which then counts as finished.

    Args:
        logger: the logger.
        settings: of the run.
        scores: the final ones by tag.
        step: of the last model.
        given: the keys of the settings that the user has set.
        headline: the tags of the scores by which runs are compared.
        directory: of the run.
        files: of the run, in its directory.
    """
    if isinstance(logger, TensorBoardLogger):
        # Few columns and cards: its table shows every one, and these cards come before those of training.
        scores = {tag: scores[tag] for tag in headline}
        _log_hparams(logger, settings, given, scores, step)
    logger.log_metrics(dict(scores), step)
    if isinstance(logger, MLFlowLogger):
        for file in files:
            logger.experiment.log_artifact(logger.run_id, str(file))
    if isinstance(logger, WandbLogger):
        for file in files:
            logger.experiment.save(file, base_path=directory, policy="now")
    close_logger(logger, "success")


def card(tag: str) -> str:
    """The tag of a score in TensorBoard, which has a group of cards for each first part, in the order of the alphabet.

    The classes have groups of their own, so that they do not come before the means over them.

    >>> card("val/auroc/macro"), card("val/auroc/class/Ankle boot"), card("lr")
    ('val/auroc/macro', 'val_classes/auroc/Ankle boot', 'train/lr')
    """
    if is_class_tag(tag):
        split, score, _, name = tag.split("/", 3)
        return f"{split}_classes/{score}/{name}"
    return score_tag("train", "lr") if tag == "lr" else tag


def run_folder(overrides: Sequence[str]) -> str:
    """The overrides as the name of a folder; what a file system, a shell variable or TensorBoard would read is ``_``.

    >>> run_folder(["loss.gamma=2", "data.path=/mnt/a b.csv"])
    'loss.gamma=2,data.path=_mnt_a b.csv'
    """
    name = re.sub(r'[/\\:*?"<>|$~]', "_", visible(",".join(overrides))).strip(". ")
    while len(os.fsencode(name)) > MAX_FOLDER_BYTES:
        name = shorten_middle(name, len(name) - 1)
    return name


def _log_hparams(
    logger: TensorBoardLogger,
    settings: Mapping[str, Any],
    given: Collection[str],
    scores: Mapping[str, float],
    step: int,
) -> None:
    """Log a row of TensorBoard's HParams, which shows settings that are said to differ before the others."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData  # type: ignore[import-untyped]
    from torch.utils.tensorboard.summary import hparams

    first = {key: settings[key] for key in given if key in settings}
    logger.hparams = {**first, **settings}  # for hparams.yaml
    named = {card(tag) if isinstance(logger, TensorBoard) else tag: score for tag, score in scores.items()}
    summaries: Any = hparams(logger.hparams, named)  # type: ignore[no-untyped-call]
    metadata = summaries[0].value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(metadata.content)
    for info in content.experiment.hparam_infos:
        info.differs = info.name in first
    metadata.content = content.SerializeToString()
    for summary in summaries:
        logger.experiment._get_file_writer().add_summary(summary, step)


def close_logger(logger: Logger, status: str) -> None:
    """End a run as "success" or "failed", so that the next run of a sweep starts its own."""
    logger.finalize(status)
    if isinstance(logger, WandbLogger) and logger._experiment is not None:
        logger.experiment.finish(exit_code=int(status != "success"))
