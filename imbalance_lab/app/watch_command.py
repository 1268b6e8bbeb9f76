"""``imbalance-lab watch RUN NEW``: what a file without labels says about its class shares, and what to do about it."""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory

if TYPE_CHECKING:
    from torch import Tensor

    from imbalance_lab.deployment.inputs import InputStream, UnknownCounter
    from imbalance_lab.evaluation.watch_data import WatchData
    from imbalance_lab.evaluation.watched_file import WatchedFile
    from imbalance_lab.progress import Step

MAX_ROWS, MAX_LOGITS, MAX_COMPARED = 200_000, 20_000_000, 10_000
"""New rows that the shares are estimated from, with at most so many logits, and rows that the test for other shift
compares; of larger files random samples."""

SHIFT_FOUND = 3
"""The exit code of ``--fail-on-shift`` where a test gives the alarm."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``watch``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the directory of an evaluated run")
    parser.add_argument(
        "input",
        type=Path,
        metavar="NEW",
        help="examples like those that predict takes, without labels: a table, images, or arrays",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="KEY=VALUE",
        help="data.path=FILE if the run's data have moved; operating_point=… as evaluate was given it",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where the result goes; default: RUN/watch/NAME"
    )
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PACKAGE", help="your own package that the model was built from"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random samples")
    parser.add_argument(
        "--fail-on-shift", action="store_true", help=f"exit with code {SHIFT_FOUND} if a test gives the alarm"
    )


def run(options: argparse.Namespace) -> None:
    """Watch one file: write the result, print it, and exit.

    Raises:
        UsageError: for a run that nothing can be compared with, or a file that its model does not take; nothing is
            written then.
    """
    from imbalance_lab.evaluation.stored_files import sealed
    from imbalance_lab.evaluation.watched_file import WatchedFile, result_files
    from imbalance_lab.files import write_json
    from imbalance_lab.report.terminal import console, print_path
    from imbalance_lab.report.watch_page import write_watch_page
    from imbalance_lab.report.watch_table import print_watch
    from imbalance_lab.validation import MAX_SEED, check_integer

    directory = RunDirectory(options.run)
    if not directory.is_run:
        raise UsageError(f"{options.run} is not the directory of a run: name one, as in runs/DATE/TIME")
    if not options.input.exists():
        raise UsageError(f"{options.input} does not exist: name a file or a folder of new examples")
    try:
        check_integer("--seed", options.seed, minimum=0, maximum=MAX_SEED)
    except ValueError as error:
        raise UsageError(str(error)) from error
    file = WatchedFile.of(options.input)
    files = result_files(directory, file, options.output)
    data = watch_file(directory, file, options)
    write_json(files.result, sealed(data.as_json()))
    write_watch_page(files.page, data)
    print_watch(data)
    console().print()
    print_path(files.page)
    if options.fail_on_shift and data.alarm:
        sys.exit(SHIFT_FOUND)


def watch_file(directory: RunDirectory, file: "WatchedFile", options: argparse.Namespace) -> "WatchData":
    """Compare the file with the run."""
    from imbalance_lab.app.watched_run import apply_thresholds, watched_run
    from imbalance_lab.data.encode_columns import describe_unknown
    from imbalance_lab.deployment.inputs import InputOptions, UnknownCounter, open_input
    from imbalance_lab.deployment.row_sample import sample_rows
    from imbalance_lab.deployment.watch import watch
    from imbalance_lab.model import load_model
    from imbalance_lab.progress import progress

    model = load_model(directory.path, allow=options.allow)
    stream = open_input(options.input, model.schema, InputOptions.as_trained(model.data_options))
    watched = watched_run(directory, model, options.words, options.allow, n=MAX_COMPARED, seed=options.seed)
    features = None if isinstance(watched.features, str) else watched.features.space.compute
    unknown = UnknownCounter()
    with progress("reading") as step:
        sample = sample_rows(
            *(_inputs(stream, unknown, step), model.logits_of, features),
            n_logits=max(MAX_COMPARED, min(MAX_ROWS, MAX_LOGITS // len(model.classes))),
            n_features=MAX_COMPARED,
            seed=options.seed,
        )
    notes = [*stream.notes, *describe_unknown(unknown.counts, sample.n_rows)]
    apply = partial(apply_thresholds, model, options.run, options.input, options.allow)
    try:
        return watch(watched, file, sample, apply, notes=notes, seed=options.seed)
    except ValueError as error:
        raise UsageError(f"the class shares of {options.input} cannot be estimated: {error}") from error


def _inputs(stream: "InputStream", unknown: "UnknownCounter", step: "Step") -> "Iterator[Tensor]":
    """The inputs of each part; the categories that the model does not know are added to ``unknown``."""
    for part in stream:
        unknown.add(part.unknown)
        yield part.inputs
        step(*stream.position)
