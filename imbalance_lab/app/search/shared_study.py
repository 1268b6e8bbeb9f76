"""The study of a search in its storage, which several processes and machines may share, and any of them may be killed.

A trial that is asked for belongs to a process, which says now and then that it is alive. The trials of a process that
is gone are put back, and whoever asks next goes on with them, under the same number and with the same settings.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

import optuna
from filelock import FileLock
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from imbalance_lab.app.search.options import SearchOptions
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.status_file import is_gone, this_process

BEAT, GRACE = 30.0, 300.0
"""Seconds between two signs of life, and without any until a process of another machine is taken for dead."""

WAIT = 60
"""Seconds that a process waits for a database that another one writes to."""

DESCRIPTION = "search"
"""The attribute of a study that says what is searched."""

_ALIVE: set[str] = set()
"""The searches of this process that have not ended."""


class SharedStudy:
    """A study, opened; a context that marks this process as working on it."""

    def __init__(self, options: SearchOptions) -> None:
        self.options = options
        self.token = uuid.uuid4().hex
        with storage_errors(options.url):
            path = make_url(options.url).database if options.url.startswith("sqlite") else None
            if path and not Path(path).parent.is_dir():  # the lock would make it
                raise UsageError(
                    f"sweep.storage={options.url}: there is no directory {Path(path).parent}: make it first"
                )
            self.lock: AbstractContextManager[Any] = FileLock(f"{path}.lock", timeout=WAIT) if path else nullcontext()
            with self.lock:
                storage = open_storage(options.url)
                self.study = optuna.create_study(
                    study_name=options.study,
                    storage=storage,
                    load_if_exists=True,
                    directions=[each.direction for each in options.objectives],
                    pruner=options.build_pruner(),
                )
        self.storage = storage
        self.is_exhausted = False
        self._active: set[int] = set()
        self._end = threading.Event()

    def __enter__(self) -> Self:
        _ALIVE.add(self.token)
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        _ALIVE.discard(self.token)

    def describe(self, description: Mapping[str, Any]) -> None:
        """Record what is searched, or check that the study there is of the same.

        Raises:
            UsageError: naming what differs.
        """
        with storage_errors(self.options.url), self.lock:
            before = self.study.user_attrs.get(DESCRIPTION)
            if before is None and not self.trials():
                self.study.set_user_attr(DESCRIPTION, dict(description))
                return
        for key, now in description.items():
            earlier = (before or {}).get(key)
            if earlier != now:
                raise UsageError(
                    f"the study {self.options.study} in {shown_url(self.options.url)} has {key} {_text(earlier)}, and "
                    f"not {_text(now)}: give the same command, or another hydra.sweep.dir or sweep.study"
                )

    def trials(self) -> list[FrozenTrial]:
        """All trials that count, by number."""
        with storage_errors(self.options.url):
            return [each for each in self.study.get_trials(deepcopy=False) if not each.user_attrs.get("surplus")]

    def ask(self) -> Trial | None:
        """A trial to run: one that a dead process has left, or a new one; None once there are ``n_trials``."""
        with storage_errors(self.options.url), self.lock:
            self._put_back()
            trials = self.study.get_trials(deepcopy=False)
            waiting = [each.number for each in trials if each.state == TrialState.WAITING]
            if not waiting and (self.is_exhausted or len(self.trials()) >= self.options.n_trials):
                return None
            expected = waiting[0] if waiting else len(trials)
            self.study.sampler = self.options.build_sampler(expected)
            trial = self.study.ask()
            if trial.number != expected:  # without a lock, another process was faster
                self.study.sampler = self.options.build_sampler(trial.number)
                trial = Trial(self.study, trial._trial_id)
            self._active.add(trial._trial_id)
            trial.set_user_attr("owner", {**this_process(), "search": self.token})
            trial.set_user_attr("alive", time.time())
            if sum(each.number < trial.number for each in self.trials()) >= self.options.n_trials:
                trial.set_user_attr("surplus", True)
                self._end_trial(trial, TrialState.FAIL)
                return None
            return trial

    def tell(
        self, trial: Trial, state: TrialState, values: Sequence[float] | None = None, **attributes: object
    ) -> None:
        """Record how a trial has ended, with what else is to be known of it."""
        with storage_errors(self.options.url):
            for key, value in attributes.items():
                trial.set_user_attr(key, value)
            self._end_trial(trial, state, values)
        self._active.discard(trial._trial_id)

    def _end_trial(self, trial: Trial, state: TrialState, values: Sequence[float] | None = None) -> None:
        try:
            self.study.tell(trial, values, state=state)
        except RuntimeError as error:  # of a sampler that has tried everything; the trial's end is stored
            if "Study.stop" not in str(error):
                raise
            self.is_exhausted = True

    def _put_back(self) -> None:
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if not self._is_alive(trial):
                self.storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)

    def _is_alive(self, trial: FrozenTrial) -> bool:
        owner, alive = trial.user_attrs.get("owner"), trial.user_attrs.get("alive")
        if owner is None or alive is None:  # its process was killed between two steps, or is there just now
            has_lock = not isinstance(self.lock, nullcontext)
            started = trial.datetime_start
            return not has_lock and started is not None and time.time() - started.timestamp() < GRACE
        here = this_process()
        if {key: owner.get(key) for key in here} == here:
            return owner.get("search") in _ALIVE
        if owner.get("host") == here["host"]:
            return not is_gone(owner)
        return bool(time.time() - alive < GRACE)

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            for trial in list(self._active):
                with suppress(Exception):  # a database that is busy; the next sign of life comes soon
                    self.storage.set_trial_user_attr(trial, "alive", time.time())


def open_storage(url: str) -> RDBStorage:
    """The storage at a URL, made if it is not there."""
    arguments = {"connect_args": {"timeout": WAIT}} if url.startswith("sqlite") else {}
    return RDBStorage(url, engine_kwargs=arguments)


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn the errors of a database into one sentence that names it.

    Raises:
        UsageError: for a database that is locked, damaged, not there, or of another release of Optuna.
    """
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError, TimeoutError) as error:
        raise UsageError(_storage_error(url, error)) from error
    except RuntimeError as error:
        if "version" not in str(error):
            raise
        raise UsageError(f"{shown_url(url)}: {' '.join(str(error).split())}") from error


def _storage_error(url: str, error: Exception) -> str:
    cause: BaseException = error
    while (below := getattr(cause, "orig", None) or cause.__cause__) is not None:
        cause = below
    reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    place = shown_url(url)
    if "locked" in reason or isinstance(error, TimeoutError):
        return (
            f"{place} is locked by another process ({reason}): run the same command again, or let many processes share "
            "a server, as in sweep.storage=postgresql://HOST/DATABASE"
        )
    if "not a database" in reason or "malformed" in reason or "no such table" in reason or "no such column" in reason:
        return f"{place} is damaged ({reason}): restore it from a copy, or move it away to begin a new search"
    return f"sweep.storage={place} cannot be used ({reason}): check the URL, the server and its driver"


def shown_url(url: str) -> str:
    """A URL without its password; of a file its path."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return url
    return (
        str(parsed.database) if parsed.drivername.startswith("sqlite") else parsed.render_as_string(hide_password=True)
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={text}" for key, text in value.items())
    return (" ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
