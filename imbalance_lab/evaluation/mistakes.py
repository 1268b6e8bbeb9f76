"""The worst mistakes on the rarest classes, stored with their pictures while the data are at hand."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data import InputSchema, Source
from imbalance_lab.evaluation.predictions import Predictions, positions_of
from imbalance_lab.evaluation.stored_files import read_parquet, reading
from imbalance_lab.evaluation.unusual_features import ClassValues, UnusualFeature
from imbalance_lab.files import atomic_write
from imbalance_lab.posthoc import probabilities
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.validation import check_integer, check_number, check_text

RAREST, EACH = 4, 8
"""The number of classes, and of missed examples and of false alarms of each."""

THUMBNAIL = 96
"""The longer side of a stored picture, in pixels."""

Kind = Literal["missed", "false alarm"]

SCHEMA = pa.schema(
    [
        *((name, pa.int64()) for name in ("of_class", "index", "target", "predicted")),
        ("kind", pa.string()),
        ("probability", pa.float64()),
        ("name", pa.string()),
        ("png", pa.binary()),
    ]
)

FEATURE = pa.struct(
    [
        *((name, pa.string()) for name in ("name", "value")),
        *((name, pa.float64()) for name in ("tail", "center", "spread", "share")),
    ]
)
WITH_FEATURES = SCHEMA.append(pa.field("features", pa.list_(FEATURE)))
"""Earlier releases stored `SCHEMA`, without the unusual features."""


@dataclass(frozen=True)
class Mistake:
    """An example of class ``target`` predicted as ``predicted`` with ``probability``, listed under ``of_class``.

    In a multilabel task ``target`` and ``predicted`` are None, and ``kind`` says it all. ``features`` are values that
    few training examples of its true class have, most unusual first; empty unless it is a row of a table.
    """

    of_class: int
    kind: Kind
    index: int
    target: int | None
    predicted: int | None
    probability: float
    name: str
    png: bytes | None
    features: tuple[UnusualFeature, ...] = ()


class Found(NamedTuple):
    """A mistake by its row in the predictions, and the probability of the wrong label."""

    of_class: int
    kind: Kind
    row: int
    probability: float


def write_mistakes(
    path: Path,
    predictions: Predictions,
    source: Source,
    train_counts: Tensor,
    train: Source | None = None,
    schema: InputSchema | None = None,
) -> list[Mistake]:
    """Write and return `worst_mistakes` with each example's name; of an image a thumbnail, of a row what is unusual.

    Args:
        path: the file.
        predictions: of the examples of ``source``.
        source: of one split.
        train_counts: training examples of each class, (C,).
        train: the training split, and the ``schema`` of its inputs: what the rows of a table are compared with.
        schema: see there.
    """
    found = worst_mistakes(predictions, train_counts)
    of_found = predictions.index[[each.row for each in found]]
    at = torch.from_numpy(positions_of(of_found, source.index.numpy()))
    inputs = source.__getitems__(SampledIndices(at, torch.zeros_like(at))).input if len(at) else torch.empty(0)
    predicted = predictions.task.predict_labels(predictions.logits)
    one_class = not predictions.task.is_multilabel
    features = [()] * len(found) if train is None else _unusual_features(found, predictions, inputs, train, schema)
    rows: list[dict[str, Any]] = [
        {
            "of_class": each.of_class,
            "kind": each.kind,
            "index": int(predictions.index[each.row]),
            "target": int(predictions.target[each.row]) if one_class else None,
            "predicted": int(predicted[each.row]) if one_class else None,
            "probability": each.probability,
            "name": name,
            "png": _thumbnail(image),
            "features": unusual,
        }
        for each, name, image, unusual in zip(found, source.names(at), inputs, features, strict=True)
    ]
    stored = [row | {"features": [asdict(feature) for feature in row["features"]]} for row in rows]
    with atomic_write(path) as unfinished:
        pq.write_table(pa.Table.from_pylist(stored, WITH_FEATURES), unfinished, write_page_checksum=True)
    return [Mistake(**row) for row in rows]


def read_mistakes(path: Path) -> list[Mistake]:
    """Read what `write_mistakes` wrote; empty without a file.

    Raises:
        UsageError: for a damaged file.
    """
    if not path.exists():
        return []
    with reading(path, "delete it, only the pictures of the worst mistakes are lost"):
        return [_checked(_mistake(row)) for row in read_parquet(path, [SCHEMA, WITH_FEATURES]).to_pylist()]


def _mistake(row: dict[str, Any]) -> Mistake:
    features = tuple(UnusualFeature(**each) for each in row.pop("features", ()))
    return Mistake(**row, features=features)


def _checked(mistake: Mistake) -> Mistake:
    if mistake.kind not in get_args(Kind):
        raise ValueError(f"a mistake is of the kind {mistake.kind!r}")
    for name in ("of_class", "target", "predicted"):
        if getattr(mistake, name) is not None or name == "of_class":
            check_integer(name, getattr(mistake, name), minimum=0)
    check_number("probability", mistake.probability, minimum=0, maximum=1)
    for feature in mistake.features:
        check_text("the name of a feature", feature.name)
        check_number("the tail of a feature", feature.tail, minimum=0, maximum=1)
    return mistake


def _unusual_features(
    found: Sequence[Found], predictions: Predictions, inputs: Tensor, train: Source, schema: InputSchema | None
) -> list[tuple[UnusualFeature, ...]]:
    """What is unusual about each mistake among the training examples of its true class; nothing unless in tables."""
    targets, is_multilabel = train.targets.numpy(), predictions.task.is_multilabel
    known: dict[tuple[int, int], ClassValues | None] = {}
    unusual = []
    for each, row in zip(found, inputs, strict=True):
        of_label = each.of_class, int(each.kind == "missed")
        key = of_label if is_multilabel else (int(predictions.target[each.row]), 1)
        if key not in known:
            members = targets[:, key[0]] == key[1] if is_multilabel else targets == key[0]
            known[key] = ClassValues.of(train, schema, members)
        values = known[key]
        unusual.append(() if values is None else values.unusual(row.numpy()))
    return unusual


def worst_mistakes(predictions: Predictions, train_counts: Tensor) -> list[Found]:
    """The mistakes on the rarest classes, the most probable wrong labels first, each listed once.

    An example of class A predicted as B is a mistake on both: it is listed under the rarer one, so that the classes
    that matter most have all of theirs. Labels are mistaken each on their own. Of a binary task only the positive
    class is gone through: what it misses and its false alarms are all mistakes there are.

    Args:
        predictions: of one split.
        train_counts: training examples of each class, (C,).
    """
    task, logits = predictions.task, predictions.logits
    p = probabilities(logits, task.activation)
    positive, labels = task.one_hot(predictions.target), task.predict_labels(logits)
    flagged = task.one_hot(labels)
    if task.is_multilabel:
        of_miss, of_alarm = 1 - p, p
    else:
        of_label = p[np.arange(len(labels)), labels]
        of_miss = of_alarm = np.broadcast_to(of_label[:, None], p.shape)
    kinds: tuple[tuple[Kind, NDArray[np.bool_], NDArray[np.float64]], ...] = (
        ("missed", positive & ~flagged, of_miss),
        ("false alarm", flagged & ~positive, of_alarm),
    )
    found: list[Found] = []
    is_listed = np.zeros(len(labels), bool)
    rarest = [c for c in train_counts.argsort(stable=True).tolist() if c in task.reported_classes]
    for c in [c for c in rarest if positive[:, c].any()][:RAREST]:
        for kind, wrong, of_wrong in kinds:
            rows, confidence = np.flatnonzero(wrong[:, c] & ~is_listed), of_wrong[:, c]
            worst = rows[np.argsort(-confidence[rows], kind="stable")][:EACH]
            is_listed[worst] = not task.is_multilabel
            found += [Found(c, kind, int(row), float(confidence[row])) for row in worst]
    return found


def _thumbnail(image: Tensor) -> bytes | None:
    """A small PNG of an image (1 or 3, H, W); None for any other input."""
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        return None
    from PIL import Image

    if image.dtype != torch.uint8:  # more than 8 bits: stretched over its own range, only to look at
        image = image.float() - image.min()
        image = (image * (255 / image.max().clamp_min(1e-12))).to(torch.uint8)
    array = image.movedim(0, -1).numpy()
    is_gray = bool((array == array[:, :, :1]).all())  # also one that was read with three channels
    picture = Image.fromarray(array[:, :, 0] if is_gray else array)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)  # twice as fast as the default, and as small
    return out.getvalue()
