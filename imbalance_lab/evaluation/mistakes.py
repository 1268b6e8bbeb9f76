"""The worst mistakes on the rarest classes, stored with their pictures while the data are at hand."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data import Source
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.files import atomic_write
from imbalance_lab.posthoc import probabilities
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.task import one_hot

RAREST, EACH = 4, 8
"""Of so many classes, so many missed examples and so many false alarms."""

THUMBNAIL = 96
"""Pixels that a stored picture is wide or high at most."""

Kind = Literal["missed", "false alarm"]

SCHEMA = pa.schema(
    [
        *((name, pa.int64()) for name in ("of_class", "index", "target", "decided")),
        ("kind", pa.string()),
        ("probability", pa.float64()),
        ("name", pa.string()),
        ("png", pa.binary()),
    ]
)


@dataclass(frozen=True)
class Mistake:
    """An example of ``target`` that was decided to be ``decided``, with ``probability``; seen from ``of_class``.

    Of labels that may hold together ``target`` and ``decided`` are None: ``kind`` tells them.
    """

    of_class: int
    kind: Kind
    index: int
    target: int | None
    decided: int | None
    probability: float
    name: str
    png: bytes | None


class Found(NamedTuple):
    """A mistake by its row in the predictions, and the probability that was given to the wrong answer."""

    of_class: int
    kind: Kind
    row: int
    probability: float


def write_mistakes(path: Path, predictions: Predictions, source: Source, train_counts: Tensor) -> None:
    """Write the mistakes of `worst_mistakes` with each example's name and, if it is an image, a thumbnail."""
    position = {index: at for at, index in enumerate(source.index.tolist())}
    found = worst_mistakes(predictions, train_counts)
    at = torch.tensor([position[int(predictions.index[each.row])] for each in found], dtype=torch.long)
    inputs = source.__getitems__(SampledIndices(at, torch.zeros_like(at))).input if len(at) else torch.empty(0)
    decided = predictions.logits.argmax(1)
    one_class = not predictions.is_multilabel
    rows: list[dict[str, Any]] = [
        {
            "of_class": each.of_class,
            "kind": each.kind,
            "index": int(predictions.index[each.row]),
            "target": int(predictions.target[each.row]) if one_class else None,
            "decided": int(decided[each.row]) if one_class else None,
            "probability": each.probability,
            "name": name,
            "png": _thumbnail(image),
        }
        for each, name, image in zip(found, source.names(at), inputs, strict=True)
    ]
    with atomic_write(path) as unfinished:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), unfinished)


def read_mistakes(path: Path) -> list[Mistake]:
    """Read what `write_mistakes` wrote."""
    return [Mistake(**row) for row in pq.read_table(path).to_pylist()]


def worst_mistakes(predictions: Predictions, train_counts: Tensor) -> list[Found]:
    """The mistakes on the rarest classes, those with the most probable wrong decision first.

    Args:
        predictions: of examples that are of one class each, or have labels.
        train_counts: (C,), by which a class is rare.
    """
    shares = probabilities(predictions.logits, predictions.activation)
    positive = one_hot(predictions.target, len(predictions.classes))
    if predictions.is_multilabel:
        flagged = predictions.logits >= 0
        of_miss, of_alarm = 1 - shares, shares
    else:
        decided = predictions.logits.argmax(1)
        flagged = one_hot(decided, len(predictions.classes))
        of_miss = of_alarm = np.broadcast_to(shares[np.arange(len(decided)), decided][:, None], shares.shape)
    kinds: tuple[tuple[Kind, NDArray[np.bool_], NDArray[np.float64]], ...] = (
        ("missed", positive & ~flagged, of_miss),
        ("false alarm", flagged & ~positive, of_alarm),
    )
    found: list[Found] = []
    for c in [c for c in train_counts.argsort(stable=True).tolist() if positive[:, c].any()][:RAREST]:
        for kind, wrong, of_wrong in kinds:
            rows, sure = np.flatnonzero(wrong[:, c]), of_wrong[:, c]
            worst = rows[np.argsort(-sure[rows], kind="stable")][:EACH]
            found += [Found(c, kind, int(row), float(sure[row])) for row in worst]
    return found


def _thumbnail(image: Tensor) -> bytes | None:
    """A small PNG of (1 or 3, H, W); None for what is no image."""
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        return None
    from PIL import Image

    if image.dtype != torch.uint8:  # deeper than 8 bits: stretched over its own range, to be looked at only
        image = image.float() - image.min()
        image = (image * (255 / image.max().clamp_min(1e-12))).to(torch.uint8)
    array = image.movedim(0, -1).numpy()
    picture = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
