"""A few training images of each class as the net sees them: read, scaled, cropped, and augmented."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from imbalance_lab import seeding
from imbalance_lab.data import Splits
from imbalance_lab.evaluation.stored_files import read_parquet, reading
from imbalance_lab.files import atomic_write
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.validation import check_integer

CLASSES, EACH = 8, 3
"""Classes at most, the rarest and the most frequent ones, and images of each."""

SIDE, GAP = 64, 2
"""Pixels of the longer side of an image that is shown, about, and between two of them."""

Augment = Callable[[Tensor, Tensor], Tensor]

SCHEMA = pa.schema(
    [
        ("of_class", pa.int64()),
        ("names", pa.list_(pa.string())),
        ("plain", pa.binary()),
        ("augmented", pa.binary()),
    ]
)


@dataclass(frozen=True)
class ClassSamples:
    """Images of one class, side by side in one small picture, PNG or JPEG.

    Args:
        of_class: index of the class.
        names: of the images, from left to right.
        plain: as validation sees them.
        augmented: the same images as a training step may see them; None if nothing changes them.
    """

    of_class: int
    names: tuple[str, ...]
    plain: bytes
    augmented: bytes | None


def write_samples(path: Path, splits: Splits, augment: Augment, seed: int) -> list[ClassSamples]:
    """Write and return samples of the training images; nothing, for inputs that are not images.

    Args:
        path: the file.
        splits: the data.
        augment: called with inputs and sample seeds, as in training.
        seed: of the augmentation.
    """
    if len(splits.train.input_shape) != 3 or splits.train.input_shape[0] not in (1, 3):
        return []
    chosen = {c: _members(splits, c) for c in _classes(splits.class_counts)}
    positions = torch.cat(list(chosen.values()))
    seeds = seeding.hash_indices(seeding.hash_seeds(seed, 0), positions)
    inputs = splits.train.__getitems__(SampledIndices(positions, seeds)).input
    augmented = augment(inputs, seeds)
    low, high = _shown_range(inputs)
    sizes = [len(at) for at in chosen.values()]
    parts = zip(chosen, *(torch.split(each, sizes) for each in (positions, inputs, augmented)), strict=True)
    samples = [
        ClassSamples(
            c,
            tuple(splits.train.names(at)),
            _picture(plain, low, high),
            None if torch.equal(plain, changed) else _picture(changed, low, high),
        )
        for c, at, plain, changed in parts
    ]
    with atomic_write(path) as unfinished:
        table = pa.Table.from_pylist([asdict(each) for each in samples], SCHEMA)
        pq.write_table(table, unfinished, write_page_checksum=True)
    return samples


def read_samples(path: Path) -> list[ClassSamples]:
    """Read what `write_samples` wrote; empty without a file.

    Raises:
        UsageError: for a damaged file.
    """
    if not path.exists():
        return []
    with reading(path, "delete it, only the sample images of the report are lost"):
        rows = read_parquet(path, [SCHEMA]).to_pylist()
        return [_checked(ClassSamples(**row | {"names": tuple(row["names"])})) for row in rows]


def _checked(samples: ClassSamples) -> ClassSamples:
    check_integer("of_class", samples.of_class, minimum=0)
    for content in (samples.plain, samples.augmented):
        if content is not None:
            Image.open(io.BytesIO(content), formats=("PNG", "JPEG")).load()
    return samples


def _classes(counts: Tensor) -> list[int]:
    """The classes that are shown, the rarest first; only those with a training example."""
    order = [c for c in counts.argsort(stable=True).tolist() if counts[c]]
    return order if len(order) <= CLASSES else order[: CLASSES // 2] + order[-(CLASSES // 2) :]


def _members(splits: Splits, c: int) -> Tensor:
    """Positions of a class's training examples, evenly spaced."""
    targets = splits.train.targets
    members = (targets[:, c] == 1 if splits.is_multilabel else targets == c).nonzero().flatten()
    at = (torch.arange(min(EACH, len(members))) * len(members)) // min(EACH, len(members))
    return members[at]


def _shown_range(inputs: Tensor) -> tuple[float, float]:
    """The values that are shown as black and as white: of bytes all, else the smallest and largest of these images.

    One range for all of them, so that what differs in brightness looks so.
    """
    if inputs.dtype == torch.uint8:
        return 0.0, 255.0
    low, high = inputs.min().item(), inputs.max().item()
    return low, high if high > low else low + 1


def _picture(images: Tensor, low: float, high: float) -> bytes:
    """Images (N, channels, H, W) side by side: small ones enlarged without smoothing, large ones scaled down."""
    shown = ((images.float() - low) * (255 / (high - low))).clamp(0, 255)
    height, width = images.shape[2:]
    longest = max(height, width)
    if longest > SIDE:
        size = [max(1, round(side * SIDE / longest)) for side in (height, width)]
        shown = F.interpolate(shown, size, mode="bilinear", antialias=True)
    else:
        shown = shown.repeat_interleave(SIDE // longest, 2).repeat_interleave(SIDE // longest, 3)
    gap = torch.full((*shown.shape[1:3], GAP), 128.0)
    parts = [part for image in shown for part in (gap, image)][1:]
    array = torch.cat(parts, 2).round().to(torch.uint8).movedim(0, -1).numpy()
    out = io.BytesIO()
    # Photographs are small only as JPEG; pixels that are to be seen one by one stay as they are.
    kind = "JPEG" if longest > SIDE else "PNG"
    Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array).save(out, kind, quality=85, optimize=True)
    return out.getvalue()
