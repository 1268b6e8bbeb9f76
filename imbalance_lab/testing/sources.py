"""What every source of examples must satisfy."""

import json

import torch

from imbalance_lab.data import Source, Splits
from imbalance_lab.data.schema import InputSchema
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.task import Task


def check_source(splits: Splits) -> None:
    """Check every split of a source.

    Raises:
        AssertionError: saying what does not hold.
    """
    sources = splits.parts
    for split, source in sources.items():
        _check_split(split, source, len(splits.classes))
    _check_indices(sources)
    assert isinstance(splits.task, Task)
    missing = [name for name, n in zip(splits.classes, splits.class_counts.tolist(), strict=True) if not n]
    assert not missing, f"the training split has no example of {', '.join(missing)}"
    content = json.loads(json.dumps(splits.schema.as_dict()))
    assert InputSchema.from_dict(content) == splits.schema, "the input schema does not survive as plain values"
    shape = tuple(splits.schema.prepared_shape)
    assert shape == tuple(splits.prepared_shape), (
        f"the input schema promises prepared inputs of shape {shape}, but they have {tuple(splits.prepared_shape)}"
    )


def _check_split(split: str, source: Source, num_classes: int) -> None:
    n, targets, index = len(source), source.targets, source.index
    assert n > 0, f"the {split} split is empty"
    assert len(targets) == len(index) == n, (
        f"the {split} split has {n} examples, {len(targets)} targets, {len(index)} index"
    )
    integers = (torch.int64, torch.int32, torch.int16, torch.uint8)
    assert {targets.dtype, index.dtype} <= set(integers), f"targets and index of {split} must be integers"
    top = 1 if targets.ndim == 2 else num_classes - 1
    inside = bool(((targets >= 0) & (targets <= top)).all())
    assert inside, f"targets of {split} lie in [0, {top}], got {int(targets.min())} to {int(targets.max())}"
    places = torch.arange(min(n, 5))
    batch = source.__getitems__(SampledIndices(places, places))
    assert tuple(batch.input.shape[1:]) == tuple(source.input_shape), (
        f"inputs of {split} have shape {tuple(batch.input.shape[1:])}, but input_shape is {source.input_shape}"
    )
    assert batch.target.dtype == batch.index.dtype == torch.int64, f"a batch of {split} holds int64"
    assert torch.equal(batch.target, targets[places].long()), f"a batch of {split} has other targets than the split"
    assert torch.equal(batch.index, index[places].long()), f"a batch of {split} has another index than the split"
    assert torch.equal(batch.sample_seed, places), f"a batch of {split} does not pass on the seeds of the draws"
    for place in places.tolist():
        one = source.__getitems__(SampledIndices(places[place : place + 1], places[place : place + 1]))
        assert torch.equal(one.input[0].nan_to_num(), batch.input[place].nan_to_num()), (
            f"example {place} of {split} differs alone and in a batch"
        )
    part = source.subset(places.flip(0))
    assert torch.equal(part.index, index[places].flip(0)), f"a subset of {split} does not keep the index"
    assert len(source.names(places)) == len(places), f"names of {split} must be one per example"
    assert len(source.content_hashes()) == n, f"content_hashes of {split} must be one per example"


def _check_indices(sources: dict[str, Source]) -> None:
    seen: dict[int, str] = {}
    for split, source in sources.items():
        numbers = source.index.tolist()
        assert len(set(numbers)) == len(numbers), f"an index occurs twice in the {split} split"
        for number in numbers:
            assert number not in seen, f"index {number} is in the splits {seen[number]} and {split}"
            seen[number] = split
