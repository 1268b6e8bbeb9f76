"""Examples that live in memory, handed out a whole batch at a time."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.utils.data import Dataset

from imbalance_lab.counts import count_classes
from imbalance_lab.samplers import Draws


class Batch(NamedTuple):
    """What a loader yields: inputs (N, …), class numbers (N,), each example's index in its source (N,), and a key (N,).

    The key is the randomness of this one draw of the example, see `imbalance_lab.keyed`; augmentation lives on it.
    """

    input: Tensor
    target: Tensor
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody needs of a batch
    key: Tensor


@dataclass(frozen=True)
class Arrays(Dataset[Batch]):
    """One split in memory: ``inputs`` (N, …) uint8 or float, ``targets`` (N,) int64, ``index`` (N,) int64.

    The index names an example for good: the same number in every split, seed and subset of a source.
    """

    inputs: Tensor
    targets: Tensor
    index: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def __getitems__(self, draws: Draws) -> Batch:
        """Gather a whole batch with three indexed reads; the loader calls this when a dataset has it."""
        at = draws.positions
        return Batch(self.inputs[at], self.targets[at], self.index[at], draws.keys)

    def subset(self, positions: Tensor) -> "Arrays":
        """Only the examples at ``positions``, in that order, with the index they had."""
        return Arrays(self.inputs[positions], self.targets[positions], self.index[positions])


@dataclass(frozen=True)
class Splits:
    """A source of examples, split: what to learn from, what to select on, and what to report."""

    classes: tuple[str, ...]
    train: Arrays
    val: Arrays
    test: Arrays

    @property
    def class_counts(self) -> Tensor:
        """Training examples of each class after any long-tail subsampling, (C,) int64."""
        return count_classes(self.train.targets, len(self.classes))
