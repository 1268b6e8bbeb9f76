"""Examples, read a whole batch at a time: the protocol of every source, and the source in memory."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from imbalance_lab.class_counts import SHOT_LIMITS, ShotLimits, count_classes
from imbalance_lab.data.content_hash import hash_inputs
from imbalance_lab.data.finite import check_inputs, check_targets
from imbalance_lab.data.normalize import Normalize
from imbalance_lab.data.schema import ArraySchema, InputSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.task import Task, check_positive

PART = 1 << 20
"""Targets that are looked at in one go: those of a mapped table may be many."""


class Batch(NamedTuple):
    """A batch of a loader: inputs (N, …), targets, each example's index in its source (N,), and a seed (N,).

    Targets are class indices (N,), or 0/1 for each of C labels (N, C).

    The seed belongs to this one draw of the example, see `imbalance_lab.seeding`; augmentation uses it.
    ``is_features`` says that the inputs are what a frozen backbone has made of them.
    """

    input: Tensor
    target: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody needs of a batch
    sample_seed: Tensor
    is_features: bool = False


class Source(Protocol):
    """One split, wherever its examples are: in memory, in files, in a table.

    ``targets`` are class indices (N,) int64, or 0/1 for each of C labels (N, C) int64; ``index`` (N,) int64 names an
    example for good: the same number in every split, seed and subset of a source. A source of very many examples may
    have both as smaller integers; its batches hold int64.
    """

    @property
    def targets(self) -> Tensor: ...
    @property
    def index(self) -> Tensor: ...
    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        ...

    def __len__(self) -> int: ...
    def __getitems__(self, draws: SampledIndices) -> Batch:
        """A whole batch; the loader calls this, in its workers if it has any."""
        ...

    def subset(self, positions: Tensor) -> Self:
        """Only the examples at ``positions``, in that order, with the index they had."""
        ...

    def names(self, positions: Tensor) -> list[str]:
        """Names of the examples for a user: a path, a row number."""
        ...

    def content_hashes(self) -> NDArray[np.uint64]:
        """A number for each example, (N,), equal for equal inputs."""
        ...


@dataclass(frozen=True)
class Arrays(Dataset[Batch]):
    """One split in memory: ``inputs`` (N, …) uint8 or float, ``targets`` and ``index`` as `Source` says."""

    inputs: Tensor
    targets: Tensor
    index: Tensor

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.inputs.shape[1:])

    def __len__(self) -> int:
        return len(self.targets)

    def __getitems__(self, draws: SampledIndices) -> Batch:
        """Gather a whole batch with three indexed reads; the loader calls this when a dataset has it."""
        at = draws.positions
        return Batch(self.inputs[at], self.targets[at], self.index[at], draws.seeds)

    def subset(self, positions: Tensor) -> Self:
        """Only the examples at ``positions``, in that order, with the index they had."""
        return type(self)(self.inputs[positions], self.targets[positions], self.index[positions])

    def names(self, positions: Tensor) -> list[str]:
        """The numbers of the examples in the dataset."""
        return [f"example {number}" for number in self.index[positions].tolist()]

    def content_hashes(self) -> NDArray[np.uint64]:
        """A number for each example, (N,), equal for equal inputs; all at once, without a step an example."""
        parts = [hash_inputs(part) for part in torch.split(self.inputs, 65536)]
        return np.concatenate(parts or [np.empty(0, np.uint64)])


@dataclass(frozen=True)
class Splits:
    """A source of examples in splits: to train on, to select on, to report, and maybe to calibrate prediction sets on.

    Args:
        classes: the names of the C classes, or labels.
        train, val, test: the examples; without ``val`` (None) nothing is selected, and the last epoch is the model.
        fitted: a module fitted on the training split that the model applies to its inputs first; None for the mean and
            deviation of each channel or feature of arrays.
        input_schema: describes the raw inputs; None for those of arrays.
        notes: what a user should know about the data, a sentence each; the data summary lists them as warnings.
        calibration: examples that nothing is trained or chosen on, for prediction sets; None without.
        positive: the name of the positive class of a binary task; None for the rarer one in training.
        guesses: what was taken for granted in reading the data, a sentence each, with the option that says otherwise.
        limits: of the groups of classes with many, medium and few training examples.

    Raises:
        ValueError: naming a target that is out of range, an input in memory that is not finite, or a positive class
            that the task does not have.
    """

    classes: tuple[str, ...]
    train: Source
    val: Source | None
    test: Source
    fitted: nn.Module | None = None
    input_schema: InputSchema | None = None
    notes: Sequence[str] = ()
    calibration: Source | None = None
    positive: str | None = None
    guesses: Sequence[str] = ()
    limits: ShotLimits = SHOT_LIMITS

    def __post_init__(self) -> None:
        table = self.input_schema if isinstance(self.input_schema, TableSchema) else None
        columns = () if table is None else [column.name for column in table.columns]
        for split, source in self.parts.items():
            check_targets(split, source, len(self.classes))
            if isinstance(source, Arrays):
                check_inputs(split, source, source.inputs, columns)
        if self.positive is not None:
            check_positive(self.positive, self.classes, is_multilabel=self.train.targets.ndim == 2)

    @property
    def parts(self) -> dict[str, Source]:
        """Every split by its name: train, test, and val and calibration if there are such."""
        parts = {"train": self.train, "val": self.val, "test": self.test, "calibration": self.calibration}
        return {split: source for split, source in parts.items() if source is not None}

    @cached_property
    def task(self) -> Task:
        """Binary, multiclass or multilabel; with softmax, unless multilabel."""
        positive = None if self.positive is None else self.classes.index(self.positive)
        return Task.from_targets(self.classes, self.train.targets, positive=positive)

    @property
    def is_multilabel(self) -> bool:
        """Whether an example has any number of labels, not one class."""
        return self.task.is_multilabel

    @cached_property
    def class_counts(self) -> Tensor:
        """Training examples of each class, or label, after any long-tail subsampling, (C,) int64."""
        if self.is_multilabel:
            return self.train.targets.sum(0)
        return count_classes(self.train.targets, len(self.classes))

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal splits: the same classes, and the same examples and targets in each split, in that order."""
        digest = hashlib.sha256(json.dumps(self.classes).encode())
        if self.val is None:
            digest.update(b"no validation split")
        for source in self.parts.values():
            for column in (source.index, source.targets):
                digest.update(repr(tuple(column.shape)).encode())
                for part in column.split(PART):  # type: ignore[no-untyped-call]
                    digest.update(part.to(torch.int64).contiguous().numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def schema(self) -> InputSchema:
        """What describes the raw inputs: it travels with the model."""
        if self.input_schema is not None:
            return self.input_schema
        if not isinstance(self.train, Arrays):
            raise TypeError(f"a source of {type(self.train).__name__} must pass input_schema= to Splits")
        return array_schema(self.classes, self.train)

    @cached_property
    def prepare(self) -> nn.Module:
        """The module that the model applies to its inputs first."""
        if self.fitted is not None:
            return self.fitted
        if not isinstance(self.train, Arrays):
            raise TypeError(f"a source of {type(self.train).__name__} must pass fitted= to Splits")
        return Normalize.fitted(self.train.inputs)

    @property
    def prepared_shape(self) -> tuple[int, ...]:
        """The shape of one input after that."""
        one = torch.zeros(1, dtype=torch.long)
        with torch.no_grad():
            return tuple(self.prepare(self.train.__getitems__(SampledIndices(one, one)).input).shape[1:])


def array_schema(classes: Sequence[str], arrays: Arrays) -> ArraySchema:
    """The schema of inputs like those of ``arrays``."""
    return ArraySchema(tuple(classes), arrays.input_shape, str(arrays.inputs.dtype).removeprefix("torch."))


def check_array_schema(schema: InputSchema, classes: Sequence[str], arrays: Arrays) -> None:
    """Refuse arrays that are not what a trained model takes.

    Raises:
        ValueError: if classes, shape or type differ.
    """
    here = array_schema(classes, arrays)
    if schema.classes != here.classes:
        raise ValueError(
            f"the model was trained on {len(schema.classes)} classes, {_listed(schema.classes)}, but the data have "
            f"{len(here.classes)}, {_listed(here.classes)}: choose the data that it was trained on"
        )
    if schema != here:
        theirs = f"{schema.dtype} of shape {schema.shape}" if isinstance(schema, ArraySchema) else "files or rows"
        raise ValueError(
            f"the model takes {theirs}, but the data are {here.dtype} of shape {here.shape}: choose the data that it "
            "was trained on"
        )


def _listed(classes: Sequence[str]) -> str:
    return ", ".join(classes[:3]) + " …" * (len(classes) > 3)
