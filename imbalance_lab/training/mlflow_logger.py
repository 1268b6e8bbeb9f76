"""MLflow: databases that several processes may create at the same time, and servers that may be dead."""

import logging
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from filelock import FileLock, Timeout
from lightning.pytorch.loggers import MLFlowLogger

from imbalance_lab.validation import check_text

SERVER_TIMEOUT = 4
"""Seconds; a name may have two addresses, each of which is tried."""

SQLITE = "sqlite:///"
PATIENCE = 120.0
"""Seconds to wait for another process that creates the same database; it takes a few."""

MARKED = re.compile("(^| )[0-9a-f]{8}$")
"""What `mlflow_name` adds to a name that it had to change."""


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
        TimeoutError: if another process holds the database for longer than `PATIENCE`.
    """

    def __init__(self, save_dir: str, tracking_uri: str, artifact_location: str, experiment_name: str) -> None:
        uri, experiment = check_text("tracking_uri", tracking_uri), check_text("experiment_name", experiment_name)
        artifacts = Path(check_text("artifact_location", artifact_location)).absolute().as_uri()
        if uri.startswith(("http://", "https://")):
            _check_server(uri)
        if uri.startswith(SQLITE):
            _check_database(uri)
        import mlflow  # here: it sets up its own logging, which reports every table it creates

        for name in (mlflow.__name__, "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)  # an experiment may be new
        with _alone(uri):
            try:
                mlflow.MlflowClient(uri).get_experiment_by_name(experiment)
            except mlflow.MlflowException as error:
                first = str(error).strip().splitlines()[0]
                raise ValueError(
                    f"tracking_uri={uri} cannot be used: {first}; the default is sqlite:///mlflow.db"
                ) from error
            super().__init__(
                experiment_name=experiment,
                run_name="/".join(Path(save_dir).parts[-3:]),
                tracking_uri=uri,
                artifact_location=artifacts,
                tags={"directory": save_dir},
            )
            self._create_experiment(experiment, artifacts)

    def _create_experiment(self, name: str, artifacts: str) -> None:
        """Lightning would create it with the first score, when other processes do so too."""
        client = self._mlflow_client
        if client.get_experiment_by_name(name) is None:
            client.create_experiment(name, artifacts)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics({mlflow_name(tag): value for tag, value in metrics.items()}, step)


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
    file = uri.removeprefix(SQLITE)
    try:
        with suppress(OSError):
            Path(file.partition("?")[0]).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise ValueError(f"tracking_uri={uri} cannot be used ({error}): the default is sqlite:///mlflow.db") from error
