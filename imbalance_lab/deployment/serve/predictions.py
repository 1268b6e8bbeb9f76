"""The LitAPI of a model: requests in, JSON out, several requests at once through the net."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import litserve
import numpy as np
import torch

from imbalance_lab.checkpoint_file import stored_digest
from imbalance_lab.deployment.serve.decoding import Decoder, Files, Inputs
from imbalance_lab.deployment.serve.limits import Limits, RequestError
from imbalance_lab.deployment.serve.worker_loop import WorkerLoop, end_with_parent
from imbalance_lab.errors import UsageError
from imbalance_lab.model import Model, ModelOutput, load_model

logger = logging.getLogger("litserve.imbalance_lab")

FAILED = "the server could not answer this request, which is a fault of the server: its log says more"


class Answer(NamedTuple):
    """What goes back: the HTTP status and the JSON."""

    status: int
    body: bytes


class Options(NamedTuple):
    """How a model is served.

    Args:
        checkpoint: of the model.
        digest: of the checkpoint; a worker that finds another one does not start.
        allow: packages that the checkpoint may name, see `load_model`.
        limits: of the requests.
        max_batch_size: requests that go through the net together.
        batch_timeout: seconds to wait for more requests when there is one; at 0 those that have arrived are taken.
        threads: of torch, in each worker.
    """

    checkpoint: Path
    digest: str
    allow: tuple[str, ...] = ()
    limits: Limits = Limits()
    max_batch_size: int = 64
    batch_timeout: float = 0.0
    threads: int = 1


class PredictAPI(litserve.LitAPI):  # type: ignore[misc]
    """Decodes, predicts and encodes in a worker process; a request that is wrong stays alone with it."""

    model: Model
    decoder: Decoder

    def __init__(self, options: Options) -> None:
        loop = WorkerLoop()
        super().__init__(options.max_batch_size, options.batch_timeout, api_path="/predict", loop=loop)
        self.options = options

    def setup(self, device: Any) -> None:
        """Load the model, in the worker."""
        end_with_parent()
        torch.set_num_threads(self.options.threads)
        model = load_model(self.options.checkpoint, allow=self.options.allow)
        if stored_digest(self.options.checkpoint) != self.options.digest:
            raise UsageError(f"{self.options.checkpoint} was changed while the server started: start it again")
        self.use(model)

    def use(self, model: Model) -> None:
        """Answer with this model."""
        self.model, self.decoder = model, Decoder(model.schema, self.options.limits)
        self._names = [json.dumps(name) for name in model.classes]

    def decode_request(self, request: bytes | Files, is_late: bool = False, **kwargs: Any) -> Inputs | RequestError:
        """The body of a request, or its files; an error is a value, so that the rest of the batch goes on."""
        if is_late:
            return RequestError(
                f"the request waited {self.options.limits.timeout} s for a worker: try again later", 504
            )
        try:
            return self.decoder.decode(request)
        except RequestError as error:
            return error
        except Exception:
            logger.exception("a request could not be decoded")
            return RequestError(FAILED, 500)

    def predict(self, x: Sequence[Inputs | RequestError], **kwargs: Any) -> list[Answer]:
        """An answer for each request, from one pass through the net."""
        given = [each for each in x if isinstance(each, Inputs)]
        try:
            answers = iter(self._answers(given))
        except Exception:  # whatever a net may raise for the inputs of one of them
            logger.exception("a batch of %d requests failed: each is tried by itself", len(given))
            answers = iter([self._alone(each) for each in given])
        return [next(answers) if isinstance(each, Inputs) else refusal(each) for each in x]

    def _alone(self, inputs: Inputs) -> Answer:
        try:
            return self._answers([inputs])[0]
        except Exception:
            logger.exception("a request failed")
            return refusal(RequestError(FAILED, 500))

    def _answers(self, given: Sequence[Inputs]) -> list[Answer]:
        if not given:
            return []
        inputs = given[0].inputs if len(given) == 1 else torch.cat([each.inputs for each in given])
        logits = self.model.logits_of(inputs)
        finite = np.asarray(np.isfinite(logits).all(1))
        output = self.model.output(np.where(finite[:, None], logits, 0))
        rows = self._rows(output)
        answers, start = [], 0
        for each in given:
            end = start + len(each.inputs)
            if finite[start:end].all():
                answers.append(self._answer(rows[start:end], each.warnings))
            else:
                answers.append(refusal(_not_finite(int((~finite[start:end]).argmax()))))
            start = end
        return answers

    def _rows(self, output: ModelOutput) -> list[str]:
        """The JSON of each row."""
        names = self._names
        labels = None if output.labels is None else output.labels.tolist()
        sets = None if output.sets is None else output.sets.tolist()
        rows = []
        for row, (p, flags) in enumerate(zip(output.probabilities.tolist(), output.flags.tolist(), strict=True)):
            parts = [
                f'"probabilities": {{{", ".join([f"{n}: {value!r}" for n, value in zip(names, p, strict=True)])}}}'
            ]
            if labels is not None:
                parts.append(f'"predicted": {names[labels[row]]}')
            flagged = ", ".join([f"{n}: {_TRUTH[flag]}" for n, flag in zip(names, flags, strict=True)])
            parts.append(f'"flags": {{{flagged}}}')
            if sets is not None:
                members = ", ".join([n for n, member in zip(names, sets[row], strict=True) if member])
                parts.append(f'"set": [{members}]')
            rows.append(f"{{{', '.join(parts)}}}")
        return rows

    def _answer(self, rows: Sequence[str], warnings: Sequence[str]) -> Answer:
        told = f', "warnings": {json.dumps(list(warnings))}' if warnings else ', "warnings": []'
        return Answer(200, f'{{"results": [{", ".join(rows)}]{told}}}'.encode())


_TRUTH = {False: "false", True: "true"}


def refusal(error: RequestError) -> Answer:
    """The answer to a request that is wrong."""
    return Answer(error.status, json.dumps({"detail": str(error)}).encode())


def _not_finite(row: int) -> RequestError:
    return RequestError(f"row {row + 1}: the model's output is not finite, its inputs are far from those of training")
