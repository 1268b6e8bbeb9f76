"""Validation of tensor inputs: the arguments, shapes, dtypes and ranges of the torchmetrics classes, in one place.

`array_inputs` does the same for the functions on NumPy arrays.
"""

from collections.abc import Sequence
from typing import Literal, cast, get_args

import torch
from torch import Tensor

from imbalance_lab.task import Kind
from imbalance_lab.validation import check_choice

Average = Literal["macro", "weighted", "none"]


def resolve_num_classes(task: Kind, num_classes: int | None, num_labels: int | None) -> int:
    """The number of score columns, 1 for "binary".

    Raises:
        ValueError: if the arguments do not fit the task.
    """
    check_choice("task", task, get_args(Kind))
    if num_labels is not None:
        if task != "multilabel" or num_classes not in (None, num_labels):
            raise ValueError(f"num_labels={num_labels} does not fit task={task!r} with num_classes={num_classes}")
        num_classes = num_labels
    if task == "binary":
        if num_classes not in (None, 1, 2):
            raise ValueError(f"task='binary' needs no num_classes, got {num_classes}: leave it out or use 'multiclass'")
        return 1
    if not isinstance(num_classes, int) or num_classes < 2:
        raise ValueError(f"task={task!r} needs num_classes ≥ 2, got {num_classes}")
    return num_classes


def resolve_average(average: Average | None) -> Average:
    """The kind of average; None, as in torchmetrics, means "none".

    Raises:
        ValueError: for anything else, naming the choices.
    """
    return "none" if average is None else cast(Average, check_choice("average", average, get_args(Average)))


def flatten_examples(task: Kind, num_classes: int, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Bring a batch into the shape (examples, classes); further dimensions count as examples.

    Args:
        task: the metric's task.
        num_classes: C; 1 for "binary".
        preds: floating point; (N, …) for "binary", else (N, C, …).
        target: integer or bool; the shape of preds, for "multiclass" without C.

    Returns:
        Scores (N, C), and targets (N,) for "multiclass", else (N, C).

    Raises:
        TypeError: for other dtypes.
        ValueError: for other shapes.
    """
    if not preds.is_floating_point() or target.is_floating_point():
        raise TypeError(
            f"preds must be floating point and target integer, got preds {preds.dtype} and target {target.dtype}"
        )
    expected = preds.shape[:1] + preds.shape[2:] if task == "multiclass" else preds.shape
    columns = preds.shape[1] if task != "binary" and preds.ndim > 1 else 1
    if target.shape != expected or columns != num_classes:
        classes = "" if task == "binary" else f", {num_classes}"
        raise ValueError(
            f"{task} needs preds (N{classes}) and target (N{classes if task == 'multilabel' else ''}), "
            f"got preds {tuple(preds.shape)} and target {tuple(target.shape)}"
        )
    if task == "multiclass":
        return preds.movedim(1, -1).reshape(-1, num_classes), target.reshape(-1)
    if task == "binary":
        return preds.reshape(-1, 1), target.reshape(-1, 1)
    return preds.movedim(1, -1).reshape(-1, num_classes), target.movedim(1, -1).reshape(-1, num_classes)


def validate_scores(
    batches: Sequence[Tensor], target: Tensor, task: Kind, *, from_logits: bool, ignore_index: int | None
) -> None:
    """Check the range of scores and targets; examples whose target is ``ignore_index`` are not checked.

    Args:
        batches: scores (n, C), N in all: logits must be finite, probabilities in [0, 1].
        target: (N,) for "multiclass", in [0, C); else (N, C), 0 or 1.
        task: the metric's task.
        from_logits: whether the scores are logits.
        ignore_index: targets to leave out.

    Raises:
        ValueError: naming the first example that is out of range.
    """
    limit = torch.finfo(torch.float32).max
    low, high = (-limit, limit) if from_logits else (0, 1)
    start = 0
    for scores, labels in zip(batches, torch.split(target, [len(batch) for batch in batches]), strict=True):
        if (place := _first_outside(scores, low, high, labels, ignore_index)) is not None:
            (row, column), value = place, scores[*place]
            need = "finite" if from_logits else "a probability in [0, 1] (or pass from_logits=True)"
            raise ValueError(f"the score of example {start + row}, class {column} must be {need}, got {value}")
        start += len(scores)
    highest = batches[0].shape[1] - 1 if task == "multiclass" else 1
    if (place := _first_outside(target, 0, highest, target, ignore_index)) is not None:
        found = target[place[0]].tolist()
        raise ValueError(f"the target of example {place[0]} must lie in [0, {highest}], got {found}")


def average_classes(values: Sequence[float], support: Sequence[int], average: Average) -> Tensor:
    """Average the classes' scores; a single class is returned as it is.

    Args:
        values: one score for each class, NaN where undefined; those are left out of the mean.
        support: the number of positives of each class, the weights for "weighted".
        average: "none" keeps one value for each class.

    Returns:
        A float32 scalar, or (C,) for "none".
    """
    scores = torch.tensor(values, dtype=torch.float64)
    if average == "none" and len(values) > 1:
        return scores.float()
    weights = (torch.tensor(support) if average == "weighted" else torch.ones_like(scores)).where(~scores.isnan(), 0)
    return ((scores.nan_to_num() * weights).sum() / weights.sum()).float()


def _first_outside(
    values: Tensor, low: float, high: float, target: Tensor, ignore_index: int | None
) -> list[int] | None:
    """The index of the first value outside [low, high] or NaN that is not ignored; None if there is none."""
    if values.numel() == 0:
        return None
    smallest, largest = values.aminmax()
    if bool((smallest >= low) & (largest <= high)):
        return None
    outside = ~((values >= low) & (values <= high))
    if ignore_index is not None:
        counts = target != ignore_index
        outside &= counts if counts.ndim == values.ndim else counts[:, None]
    return outside.nonzero()[0].tolist() if bool(outside.any()) else None
