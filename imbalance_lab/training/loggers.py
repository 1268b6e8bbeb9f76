"""What experiment trackers receive besides the scores of each epoch: settings, final scores and files of a run."""

import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

from imbalance_lab.tags import is_class_tag

SQLITE = "sqlite:///"
PATIENCE = 120.0
"""Seconds to wait for another process that creates the same database; it takes a few."""

MARKED = re.compile("(^| )[0-9a-f]{8}$")
"""What `mlflow_name` adds to a name that it had to change."""


def no_logger() -> None:
    """``logger=none``: nothing is logged."""


class MLflow(MLFlowLogger):
    """Lightning's MLflow logger on a local database, for any class names and any number of runs in one process.

    Args:
        save_dir: the run's directory; its last parts name the run.
        tracking_uri: a database, ``sqlite:///FILE``, or a server.
        artifact_location: folder of the stored files, for an experiment that is new.
        experiment_name: what the runs are gathered under.
    """

    def __init__(self, save_dir: str, tracking_uri: str, artifact_location: str, experiment_name: str) -> None:
        import mlflow  # here: it sets up its own logging, which reports every table it creates

        for name in (mlflow.__name__, "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)  # an experiment may be new
        artifacts = Path(artifact_location).absolute().as_uri()
        with _alone(tracking_uri):
            super().__init__(
                experiment_name=experiment_name,
                run_name="/".join(Path(save_dir).parts[-3:]),
                tracking_uri=tracking_uri,
                artifact_location=artifacts,
                tags={"directory": save_dir},
            )
            self._create_experiment(experiment_name, artifacts)

    def _create_experiment(self, name: str, artifacts: str) -> None:
        """Lightning would create it with the first score, when other processes do so too."""
        client = self._mlflow_client
        if client.get_experiment_by_name(name) is None:
            client.create_experiment(name, artifacts)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics({mlflow_name(tag): value for tag, value in metrics.items()}, step)


@contextmanager
def _alone(tracking_uri: str) -> Iterator[None]:
    """Hold off other processes while a new database is filled with its tables; a server does so itself.

    Raises:
        TimeoutError: if another process holds the database for longer than `PATIENCE`.
    """
    file = tracking_uri.removeprefix(SQLITE)
    if file == tracking_uri or not file or ":memory:" in file:
        yield
        return
    path = Path(file.partition("?")[0]).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(f"{path}.lock", timeout=PATIENCE)
        lock.acquire()
    except Timeout as error:
        raise TimeoutError(
            f"another process has held {path}.lock for {PATIENCE:g} seconds: end it, or name another database with "
            "logger.tracking_uri=sqlite:///FILE"
        ) from error
    try:
        yield
    finally:
        lock.release()


def mlflow_name(tag: str) -> str:
    """A valid MLflow name for a tag of `imbalance_lab.tags`: MLflow allows few characters, class names may have any.

    A changed name ends with a checksum, so that "Ä" and "Ö" stay different; so does a name that looks like one.

    >>> mlflow_name("val/auroc/class/Ankle boot")
    'val/auroc/class/Ankle boot'
    >>> mlflow_name("val/auroc/class/Größe")
    'val/auroc/class/Gr__e 946e9015'
    """
    *path, name = tag.split("/")
    plain = re.sub(r"[^A-Za-z0-9_. -]", "_", name)
    if plain != name or set(plain) <= set(". ") or len(plain) > 200 or MARKED.search(plain):
        plain = f"{plain[:200].strip('. ')} {zlib.crc32(name.encode()):08x}".strip()
    return "/".join([*path, plain])


def log_run_start(logger: Logger, settings: Mapping[str, Any]) -> None:
    """Log the settings of a run; TensorBoard's HParams table needs them together with the scores, at the end."""
    if not isinstance(logger, TensorBoardLogger):
        logger.log_hyperparams(dict(settings))


def log_history(loggers: Iterable[Any], history: Iterable[tuple[int, Mapping[str, float]]]) -> None:
    """Log the (step, scores) of the epochs before a resume, except where TensorBoard has them already."""
    for logger in loggers:
        if not (isinstance(logger, TensorBoardLogger) and [*Path(logger.log_dir).glob("events.out.*")]):
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
