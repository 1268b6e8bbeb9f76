"""``imbalance-lab serve RUN``: a trained model behind HTTP."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.errors import UsageError
from imbalance_lab.termination import STOP, Terminated
from imbalance_lab.text import visible
from imbalance_lab.validation import check_choice, check_integer, check_number

if TYPE_CHECKING:
    from imbalance_lab.deployment.serve.limits import Limits
    from imbalance_lab.model import Model

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "0.0.0.0", "::")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``serve``."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory, or a checkpoint file")
    add("--host", default=LOOPBACK, help=f"{', '.join(HOSTS)}: this machine alone (default), or every network of it")
    add("--port", type=int, default=8000, help="1024 to 65535 (default: %(default)s)")
    add("--workers", type=int, default=1, help="processes with the model (default: %(default)s)")
    add("--threads", type=int, default=1, help="threads of torch in each of them (default: %(default)s)")
    add("--max-rows", type=int, default=1000, help="rows or images of a request (default: %(default)s)")
    add("--max-bytes", type=int, default=10 * 2**20, help="of a request (default: %(default)s)")
    add("--max-pixels", type=int, default=0, help="of an image (default: as in training)")
    add("--max-waiting", type=int, default=256, help="requests that wait; more get 503 (default: %(default)s)")
    add("--timeout", type=int, default=30, help="seconds that a request may wait (default: %(default)s)")
    add("--max-batch-size", type=int, default=64, help="requests that are predicted together (default: %(default)s)")
    add("--batch-timeout", type=float, default=0.0, help="seconds to wait for them (default: %(default)s)")
    add("--allow", action="append", default=[], metavar="PACKAGE", help="whose classes the model may use; repeatable")


def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes.

    Raises:
        UsageError: for a value that is wrong, an address in use, a model that cannot be loaded.
        Terminated: after a signal.
    """
    if missing := [name for name in ("litserve", "python_multipart") if find_spec(name) is None]:
        raise UsageError(f"serve needs {missing[0]}, which is not installed: pip install 'imbalance-lab[serve]'")
    try:
        check_choice("--host", options.host, HOSTS)
        check_integer("--port", options.port, minimum=1024, maximum=65535)
        check_integer("--workers", options.workers, minimum=1)
        check_integer("--threads", options.threads, minimum=1)
        check_integer("--max-batch-size", options.max_batch_size, minimum=1)
        check_number("--batch-timeout", options.batch_timeout, minimum=0, below=options.timeout)
    except ValueError as error:
        raise UsageError(str(error)) from error
    try:
        with STOP.handled(restore=False):
            _serve(options)
    except Terminated as stop:
        print(stop, file=sys.stderr, flush=True)
        raise


def _serve(options: argparse.Namespace) -> None:
    from imbalance_lab.checkpoint_file import stored_digest
    from imbalance_lab.data.schema import ImageSchema
    from imbalance_lab.deployment.serve.bodies import BodyReader
    from imbalance_lab.deployment.serve.openapi import describe
    from imbalance_lab.deployment.serve.predictions import Options, PredictAPI
    from imbalance_lab.deployment.serve.server import PredictServer, WorkerDiedError, check_address, serve
    from imbalance_lab.evaluation.run_directory import RunDirectory
    from imbalance_lab.model import load_model

    check_address(options.host, options.port)
    limits = _limits(options)
    checkpoint = RunDirectory(options.run).find_model() if options.run.is_dir() else options.run
    model = load_model(checkpoint, allow=options.allow)
    if model.postprocessor is None:
        raise UsageError(f"{checkpoint} has no post-processing: run imbalance-lab evaluate {options.run} first")
    digest = stored_digest(checkpoint)
    told = _announcement(options, model, digest)
    batches = options.max_batch_size, options.batch_timeout
    api = PredictAPI(
        Options(checkpoint.resolve(), digest, tuple(options.allow), limits, *batches, threads=options.threads)
    )
    documents = {"/health": {"status": "ok", "model": digest}, "/schema": describe(model, limits, digest)}
    reader = BodyReader(isinstance(model.schema, ImageSchema), limits)
    server = PredictServer(api, reader, documents, options.workers, lambda: print(told, flush=True))
    try:
        serve(server, options.host, options.port)
    except WorkerDiedError as error:
        exit_with_error(str(error), 1)


def _limits(options: argparse.Namespace) -> "Limits":
    from imbalance_lab.deployment.serve.limits import Limits

    sizes = options.max_rows, options.max_bytes, options.max_pixels, options.max_waiting, options.timeout
    try:
        return Limits(*sizes)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _announcement(options: argparse.Namespace, model: "Model", digest: str) -> str:
    """What is served, where, and a command line that asks it."""
    from imbalance_lab.deployment.serve.openapi import example

    if options.host != LOOPBACK:
        sentence = f"warning: --host {options.host} answers everybody who reaches this machine, there is no password"
        print(sentence, file=sys.stderr, flush=True)
    url = f"http://{'[::1]' if options.host == '::' else LOOPBACK}:{options.port}"
    lines = (
        f"{options.run}: {model.task.kind} model of {', '.join(model.classes)}, version {digest[:12]}",
        f"listens on {url}: POST /predict, GET /schema, GET /health; Ctrl-C stops it",
        f"for example: {example(model, url)}",
    )
    return "\n".join(map(visible, lines))
