"""What is predicted: one of two classes, one of several, or any number of labels; the only place that asks which.

Made once, from the data and the loss, and passed along. Targets are class indices (N,), or 0/1 for each of C labels
(N, C); logits are (N, C).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["binary", "multiclass", "multilabel"]
Activation = Literal["softmax", "sigmoid"]
Target = NDArray[np.integer[Any]]
Logits = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Task:
    """The kind of a classification task, its classes, and how logits become probabilities.

    Args:
        kind: "binary" and "multiclass" have one class an example, "multilabel" has any number of labels.
        classes: C names, in the order of the logits.
        activation: softmax over the classes, or a sigmoid for each class on its own; multilabel is always sigmoid.
        positive: index of the positive class of a binary task; None for the other kinds.

    Raises:
        ValueError: if these do not fit together.
    """

    kind: Kind
    classes: tuple[str, ...]
    activation: Activation = "softmax"
    positive: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {self.kind!r}")
        if self.activation not in get_args(Activation):
            raise ValueError(f"activation must be softmax or sigmoid, got {self.activation!r}")
        if not self.classes:
            raise ValueError("a task needs at least one class")
        if self.kind == "multilabel" and self.activation != "sigmoid":
            raise ValueError("a multilabel task needs activation=sigmoid, got softmax")
        if self.kind == "binary" and len(self.classes) != 2:
            raise ValueError(f"a binary task has two classes, got {len(self.classes)}")
        if self.positive is not None and (self.kind != "binary" or self.positive not in (0, 1)):
            raise ValueError(f"positive={self.positive} is not a class of a binary task")

    @classmethod
    def from_targets(
        cls,
        classes: Sequence[str],
        targets: "NDArray[Any] | Tensor",
        *,
        activation: Activation = "softmax",
        positive: int | None = None,
    ) -> "Task":
        """The task of ``targets``: (N, C) are labels, (N,) are class indices.

        The positive class of a binary task is, unless ``positive`` says otherwise, its rarer one; 1 if they are equal.
        """
        if targets.ndim == 2:
            return cls("multilabel", tuple(classes), "sigmoid")
        if len(classes) != 2:
            return cls("multiclass", tuple(classes), activation)
        if positive is None:
            positive = int(int((targets == 1).sum()) * 2 <= len(targets))
        return cls("binary", tuple(classes), activation, positive)

    @property
    def num_classes(self) -> int:
        """C, the number of logits."""
        return len(self.classes)

    @property
    def is_multilabel(self) -> bool:
        """Whether an example has any number of labels, not one class."""
        return self.kind == "multilabel"

    @property
    def reported_classes(self) -> tuple[int, ...]:
        """The classes that have a ranking, a threshold and an error of their own: of a binary task the positive one."""
        return tuple(range(self.num_classes)) if self.positive is None else (self.positive,)

    @property
    def ranking_task(self) -> Kind:
        """The ``task`` of `imbalance_lab.metrics.OneVsRest`: under sigmoid each class is ranked by its own logit."""
        return "multiclass" if self.activation == "softmax" else "multilabel" if self.num_classes > 1 else "binary"

    def one_hot(self, target: Target) -> NDArray[np.bool_]:
        """Which classes each example has, (N, C)."""
        return one_hot(target, self.num_classes)

    def ranking_target(self, targets: "Tensor") -> "Tensor":
        """Class indices (N,) or labels (N, C) as `ranking_task` takes them."""
        if self.is_multilabel or self.ranking_task == "multiclass":
            return targets
        return (targets[:, None] == targets.new_tensor(range(self.num_classes))).long()

    def count(self, targets: "Tensor") -> "Tensor":
        """The number of examples of each class, (C,) int64."""
        return targets.sum(0) if self.is_multilabel else targets.bincount(minlength=self.num_classes)

    def predict_labels(self, logits: Any) -> Any:
        """The class with the largest logit, (N,) int64; for labels 1 where the logit is ≥ 0, (N, C) int64.

        Of an array an array, of a tensor a tensor.
        """
        return (logits >= 0) * 1 if self.is_multilabel else logits.argmax(1)

    def correct(self, logits: Logits, target: Target) -> NDArray[np.bool_]:
        """Whether the prediction of each example is correct, in every label if there are several, (N,)."""
        same = self.predict_labels(logits) == target
        return np.asarray(same.all(1) if self.is_multilabel else same)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint or JSON."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "activation": self.activation,
            "positive": self.positive,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Task":
        """Read what `as_dict` gave."""
        return cls(content["kind"], tuple(content["classes"]), content["activation"], content["positive"])


def one_hot(target: Target, num_classes: int) -> NDArray[np.bool_]:
    """Class indices (N,) or 0/1 labels (N, C) as a boolean (N, C)."""
    return np.asarray(target == 1 if target.ndim == 2 else target[:, None] == np.arange(num_classes))


def check_positive(name: str, classes: Sequence[str], *, is_multilabel: bool) -> None:
    """Refuse a positive class that is not one of two.

    Raises:
        ValueError: naming the classes.
    """
    if is_multilabel or len(classes) != 2:
        kind = "labels" if is_multilabel else "classes"
        shown = ", ".join(classes[:3]) + " …" * (len(classes) > 3)
        raise ValueError(
            f"positive={name} names the positive class of two, but the data have {len(classes)} {kind}, {shown}: "
            "leave it out"
        )
    if name not in classes:
        raise ValueError(f"positive={name} is not a class of the data: choose {classes[0]} or {classes[1]}")
