"""What experiment trackers receive besides the scores of each epoch: settings, final scores and files of a run."""

import logging
import re
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPException
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

from imbalance_lab.tags import is_class_tag
from imbalance_lab.validation import check_bool, check_integer, check_text

SERVER_TIMEOUT = 4
"""Seconds; a name may have two addresses, each of which is tried."""

MARKED = re.compile("(^| )[0-9a-f]{8}$")
"""What `mlflow_name` adds to a name that it had to change."""


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


class MLflow(MLFlowLogger):
    """Lightning's MLflow logger on a local database, for any class names and any number of runs in one process.

    Args:
        save_dir: the run's directory; its last parts name the run.
        tracking_uri: a database, ``sqlite:///FILE``, or a server.
        artifact_location: folder of the stored files, for an experiment that is new.
        experiment_name: what the runs are gathered under.

    Raises:
        ValueError: for a name or an address that MLflow refuses.
        ConnectionError: if no server answers within `SERVER_TIMEOUT` seconds.
    """

    def __init__(self, save_dir: str, tracking_uri: str, artifact_location: str, experiment_name: str) -> None:
        uri, name = check_text("tracking_uri", tracking_uri), check_text("experiment_name", experiment_name)
        folder = Path(check_text("artifact_location", artifact_location))
        if uri.startswith(("http://", "https://")):
            _check_server(uri)
        if uri.startswith("sqlite:///"):
            _check_database(uri)
        import mlflow  # here: it sets up its own logging, which reports every table it creates

        for name in (mlflow.__name__, "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)  # an experiment may be new
        try:
            mlflow.MlflowClient(uri).get_experiment_by_name(name)
        except mlflow.MlflowException as error:
            first = str(error).strip().splitlines()[0]
            raise ValueError(
                f"tracking_uri={uri} cannot be used: {first}; the default is sqlite:///mlflow.db"
            ) from error
        super().__init__(
            experiment_name=experiment_name,
            run_name="/".join(Path(save_dir).parts[-3:]),
            tracking_uri=tracking_uri,
            artifact_location=folder.absolute().as_uri(),
            tags={"directory": save_dir},
        )

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics({mlflow_name(tag): value for tag, value in metrics.items()}, step)


def _check_server(uri: str) -> None:
    """Raise an error if no HTTP server answers; MLflow itself would try for many minutes."""
    try:
        with urlopen(uri, timeout=SERVER_TIMEOUT):
            return
    except HTTPError:
        return  # it answers, even if not to this question
    except (OSError, HTTPException, ValueError) as error:
        raise ConnectionError(
            f"no MLflow server answers at tracking_uri={uri} ({error}): start it, or choose sqlite:///mlflow.db"
        ) from error


def _check_database(uri: str) -> None:
    """Raise an error for a file that cannot be a database; MLflow itself would try for minutes."""
    try:
        with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise ValueError(f"tracking_uri={uri} cannot be used ({error}): the default is sqlite:///mlflow.db") from error


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
