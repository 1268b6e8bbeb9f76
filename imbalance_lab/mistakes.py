"""The worst mistakes on the rarest classes, stored with their pictures while the data are at hand."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from imbalance_lab.data import Source
from imbalance_lab.files import replacing
from imbalance_lab.posthoc import probability
from imbalance_lab.predictions import Predictions
from imbalance_lab.samplers import Draws

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
    """An example of ``target`` that was decided to be ``decided``, with ``probability``; seen from ``of_class``."""

    of_class: int
    kind: Kind
    index: int
    target: int
    decided: int
    probability: float
    name: str
    png: bytes | None


def write_mistakes(path: Path, predictions: Predictions, source: Source, train_counts: Tensor) -> None:
    """Write the mistakes of `worst_mistakes` with each example's name and, if it is an image, a thumbnail."""
    position = {index: at for at, index in enumerate(source.index.tolist())}
    found = worst_mistakes(predictions, train_counts)
    at = torch.tensor([position[int(predictions.index[row])] for _, _, row in found], dtype=torch.long)
    inputs = source.__getitems__(Draws(at, torch.zeros_like(at))).input if len(at) else torch.empty(0)
    shares = probability(predictions.logits, predictions.link)
    decided = predictions.logits.argmax(1)
    rows: list[dict[str, Any]] = [
        {
            "of_class": of_class,
            "kind": kind,
            "index": int(predictions.index[row]),
            "target": int(predictions.target[row]),
            "decided": int(decided[row]),
            "probability": float(shares[row, decided[row]]),
            "name": name,
            "png": _thumbnail(image),
        }
        for (of_class, kind, row), name, image in zip(found, source.names(at), inputs, strict=True)
    ]
    with replacing(path) as unfinished:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), unfinished)


def read_mistakes(path: Path) -> list[Mistake]:
    """Read what `write_mistakes` wrote."""
    return [Mistake(**row) for row in pq.read_table(path).to_pylist()]


def worst_mistakes(predictions: Predictions, train_counts: Tensor) -> list[tuple[int, Kind, int]]:
    """(class, kind, row) of the rarest classes' mistakes, those with the most probable wrong decision first.

    Args:
        predictions: of examples that are of one class each.
        train_counts: (C,), by which a class is rare.
    """
    decided = predictions.logits.argmax(1)
    sure = probability(predictions.logits, predictions.link)[np.arange(len(decided)), decided]
    wrong = decided != predictions.target
    present = np.bincount(predictions.target, minlength=len(predictions.classes)) > 0
    rarest = [c for c in train_counts.argsort(stable=True).tolist() if present[c]][:RAREST]
    found: list[tuple[int, Kind, int]] = []
    for c in rarest:
        kinds: tuple[tuple[Kind, Any], ...] = (("missed", predictions.target == c), ("false alarm", decided == c))
        for kind, concerned in kinds:
            rows = np.flatnonzero(wrong & concerned)
            worst = rows[np.argsort(-sure[rows], kind="stable")][:EACH]
            found += [(c, kind, int(row)) for row in worst]
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
