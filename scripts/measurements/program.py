"""Runs of the program itself: composed, trained and evaluated as ``python train.py`` does, in this process."""

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.evaluation.run_directory import RunDirectory


@contextlib.contextmanager
def finished_run(overrides: Sequence[str]) -> Iterator[RunDirectory]:
    """The directory of ``python train.py OVERRIDES``, which is removed afterwards; nothing is printed."""
    config = compose_config(overrides)
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder))
        with contextlib.redirect_stdout(io.StringIO()):
            train(config, instantiate_experiment(config, overrides), directory)
        yield directory
